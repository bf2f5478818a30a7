"""Deploys: what a pipeline tells about them."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from daytwo_server.accounts.models import ApiToken
from daytwo_server.catalog.facts import DeployRecorded
from daytwo_server.catalog.models import Deploy, Project, Release
from daytwo_server.catalog.services.common import project_topic
from daytwo_server.catalog.services.environments import ensure_environment
from daytwo_server.catalog.services.sightings import MAX_ENVIRONMENT, MAX_VERSION
from daytwo_server.core import audit, clock, facts, live, search
from daytwo_server.core.ref import Ref

DEPLOYS_TOPIC = "catalog.deploys"
Status = Deploy.Status
MAX_URL, MAX_IDEMPOTENCY_KEY = 500, 128
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
AHEAD = dt.timedelta(minutes=10)  # how far a pipeline's clock may be ahead of ours
RUNS_AT_MOST = dt.timedelta(hours=24)  # after that without a word a deploy is taken for abandoned
KEY = "Idempotency-Key"


class BadDeploy(Exception):
    """What was told cannot be. `fields` holds sentences by the API's names of what is wrong."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(words)}" for name, words in fields.items()))
        self.fields = fields


@dataclass(frozen=True, kw_only=True)
class DeployWords:
    """What a pipeline says. None is what it left out: without `status` the deploy is over and went well."""

    project: str
    environment: str
    version: str
    url: str = ""
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    status: str | None = None
    idempotency_key: str = ""


def record_deploy(words: DeployWords, *, token: ApiToken | None) -> tuple[Deploy, bool]:
    """The deploy these words are about, and whether it is new. Raises `BadDeploy`.

    It is one that is known already if it has the same idempotency key; or the same project, environment, version and
    `started_at`; or, where no start is told, if it is still running. Then the words finish it, if it runs and they say
    so, and change nothing else. Environment and release are added when nobody knows them.
    """
    project = _check(words)
    try:
        return _record(project, words, token=token)
    except IntegrityError:
        # The same was told twice at once, and the other one was first.
        return _record(project, words, token=token)


def change_deploy(
    deploy: Deploy,
    *,
    status: str | None = None,
    finished_at: dt.datetime | None = None,
    url: str | None = None,
    token: ApiToken | None,
) -> Deploy:
    """Finish a deploy or correct what was told of it; None leaves it. Raises `BadDeploy`."""
    problems = _Problems()
    _check_url(url or "", problems)
    if status == Status.STARTED and deploy.status != Status.STARTED:
        problems.add("status", "This deploy is over and does not run again; tell of a new one.")
    will = status or (Status.SUCCEEDED if finished_at and deploy.status == Status.STARTED else deploy.status)
    _check_times(deploy.started_at, finished_at, will, problems)
    problems.raise_any()
    after: dict[str, Any] = {"status": will}
    if will != Status.STARTED:
        after["finished_at"] = finished_at or deploy.finished_at or max(clock.now(), deploy.started_at)
    if url is not None:
        after["url"] = url.strip()
    with transaction.atomic():
        _change(deploy, after, token=token)
    return deploy


def _record(project: Project, words: DeployWords, *, token: ApiToken | None) -> tuple[Deploy, bool]:
    with transaction.atomic():
        known = _known(project, words)
        if known is None:
            return _create(project, words, token=token), True
        if known.status == Status.STARTED and _status(words) != Status.STARTED:
            finished_at = words.finished_at or max(clock.now(), known.started_at)
            if finished_at < known.started_at:
                raise BadDeploy({"finishedAt": [_BEFORE_ITS_START]})
            after = {"status": _status(words), "finished_at": finished_at}
            if words.idempotency_key:  # the key of the latest word: that is the one that may be sent again
                after["idempotency_key"] = words.idempotency_key
            _change(known, after, token=token)
        return known, False


def _known(project: Project, words: DeployWords) -> Deploy | None:
    deploys = Deploy.objects.select_related("environment", "release", "project").select_for_update(of=("self",))
    if words.idempotency_key:
        found = deploys.filter(project=project, idempotency_key=words.idempotency_key).first()
        if found and (found.environment.name, found.release.version) != (words.environment, words.version):
            raise BadDeploy({
                KEY: [f"It was used for {found.release.version} in {found.environment.name}; use another one."]
            })  # fmt: skip
        if found:
            return found
    same = deploys.filter(project=project, environment__name=words.environment, release__version=words.version)
    if words.started_at is not None:
        return same.filter(started_at=words.started_at).first()
    recent = clock.now() - RUNS_AT_MOST
    return same.filter(status=Status.STARTED, started_at__gt=recent).order_by("-started_at", "-pk").first()


def _create(project: Project, words: DeployWords, *, token: ApiToken | None) -> Deploy:
    now, status = clock.now(), _status(words)
    finished_at = None
    if status != Status.STARTED:
        finished_at = words.finished_at or max(now, words.started_at or now)
    started_at = words.started_at or finished_at or now
    environment = ensure_environment(project, words.environment, first_seen=started_at)
    release, _ = Release.objects.get_or_create(
        project=project,
        version=words.version,
        defaults={"first_seen": started_at, "last_seen": started_at, "events": 0},
    )
    deploy = Deploy.objects.create(
        project=project, environment=environment, release=release, status=status, started_at=started_at,
        finished_at=finished_at, url=words.url, idempotency_key=words.idempotency_key, token=token, created_at=now,
    )  # fmt: skip
    facts.record(DeployRecorded(deploy=deploy.pk, project=project.pk, environment=environment.pk, release=release.pk))
    search.refresh("release", [release.pk])
    search.refresh("deploy", [deploy.pk])
    audit.record("catalog:deploy:recorded", actor=token, ref=Ref("deploy", deploy.pk), after=_told(deploy))
    _bump(deploy)
    return deploy


def _change(deploy: Deploy, after: dict[str, Any], *, token: ApiToken | None) -> None:
    before = _told(deploy)
    for name, value in after.items():
        setattr(deploy, name, value)
    told = _told(deploy)
    if before != told:
        Deploy.objects.filter(pk=deploy.pk).update(**after)
        audit.record("catalog:deploy:changed", actor=token, ref=Ref("deploy", deploy.pk), before=before, after=told)
        _bump(deploy)


def _bump(deploy: Deploy) -> None:
    live.bump(DEPLOYS_TOPIC, project_topic(deploy.project_id))


def _told(deploy: Deploy) -> dict[str, Any]:
    finished = deploy.finished_at
    return {
        "status": str(deploy.status),
        "started_at": deploy.started_at.isoformat(),
        "finished_at": finished.isoformat() if finished else None,
        "url": deploy.url,
    }


def _status(words: DeployWords) -> str:
    return words.status or Status.SUCCEEDED


# ---- What can be told ----

_BEFORE_ITS_START = "It lies before the start."


class _Problems:
    """Sentences by field; raised together, so that a pipeline is mended once."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, field: str, words: str) -> None:
        self.fields.setdefault(field, []).append(words)

    def raise_any(self) -> None:
        if self.fields:
            raise BadDeploy(self.fields)


def _check(words: DeployWords) -> Project:
    """The project. Raises `BadDeploy` with everything that is wrong."""
    problems = _Problems()
    project = Project.objects.filter(slug=words.project).first() if "\x00" not in words.project else None
    if project is None:
        problems.add("project", f"There is no project {words.project!r}; name one by its slug.")
    elif project.archived_at:
        problems.add("project", f"{project.name} is archived; bring it back on its page first.")
    _check_text("environment", words.environment, MAX_ENVIRONMENT, problems)
    _check_text("version", words.version, MAX_VERSION, problems)
    _check_url(words.url, problems)
    if words.idempotency_key:
        _check_text(KEY, words.idempotency_key, MAX_IDEMPOTENCY_KEY, problems)
    _check_times(words.started_at, words.finished_at, _status(words), problems)
    problems.raise_any()
    assert project is not None
    return project


def _check_text(field: str, text: str, longest: int, problems: _Problems) -> None:
    if not text.strip():
        problems.add(field, "It is empty.")
    elif len(text) > longest:
        problems.add(field, f"It has {len(text)} characters; at most {longest} fit.")
    elif not text.isprintable() or text != text.strip():
        problems.add(field, "It has spaces around it, or characters that cannot be printed.")


def _check_url(url: str, problems: _Problems) -> None:
    if not url:
        return
    if len(url) > MAX_URL:
        problems.add("url", f"It has {len(url)} characters; at most {MAX_URL} fit.")
        return
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable:
        problems.add("url", "It is no address; it should look like https://ci.example.com/runs/7.")


def _check_times(
    started_at: dt.datetime | None, finished_at: dt.datetime | None, status: str, problems: _Problems
) -> None:
    latest = clock.now() + AHEAD
    for field, moment in (("startedAt", started_at), ("finishedAt", finished_at)):
        if moment is not None and moment > latest:
            problems.add(field, "It lies in the future.")
        elif moment is not None and moment < EARLIEST:
            problems.add(field, "It lies before the year 2000.")
    if finished_at is not None and status == Status.STARTED:
        problems.add("finishedAt", "A deploy with the status started has no end yet.")
    elif started_at is not None and finished_at is not None and finished_at < started_at:
        problems.add("finishedAt", _BEFORE_ITS_START)
