"""Every write about webhooks. Whoever calls has already asked `permissions.can`."""

from __future__ import annotations

import datetime as dt
import time
import urllib.parse
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock, jobs
from daytwo_server.core.ref import Ref
from daytwo_server.webhooks.events import TEST, events
from daytwo_server.webhooks.models import MAX_NAME, MAX_URL, Call, Endpoint

MAX_ENDPOINTS = 50
OVERLAP = dt.timedelta(hours=24)  # how long the secret before the present one still signs
SEND_KEY = "webhooks.send"


class _Known:
    """What this process knows of `anybody`, until when (`time.monotonic()`)."""

    anybody = False
    until = 0.0


_known = _Known()


class WebhookError(ValueError):
    """It cannot be so; `field` is what to change, the text says why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class EndpointWords:
    """What people say of an endpoint."""

    name: str
    url: str
    events: Sequence[str] = ()


@transaction.atomic
def create_endpoint(words: EndpointWords, *, actor: User | None) -> Endpoint:
    """Raises `WebhookError`."""
    if Endpoint.objects.filter(archived_at=None).count() >= MAX_ENDPOINTS:
        raise WebhookError("name", f"There are {MAX_ENDPOINTS} webhooks already; remove one of them.")
    made = Endpoint.objects.create(**_checked(words))
    _note("created", made, actor, {"events": made.events})
    return made


@transaction.atomic
def change_endpoint(endpoint: Endpoint, words: EndpointWords, *, actor: User | None) -> None:
    """Raises `WebhookError`."""
    values = _checked(words)
    changed = sorted(name for name, value in values.items() if getattr(endpoint, name) != value)
    if not changed:
        return
    Endpoint.objects.filter(pk=endpoint.pk).update(**values)
    # An address may hold a secret, so the log says that it changed and not to what.
    _note("changed", endpoint, actor, {"fields": changed})


@transaction.atomic
def replace_secret(endpoint: Endpoint, *, actor: User | None) -> Endpoint:
    """Sign with another secret from now on, and for a day with the one before as well."""
    held = _held(endpoint)
    held.generation, held.overlaps_until = held.generation + 1, clock.now() + OVERLAP
    held.save(update_fields=["generation", "overlaps_until"])
    _note("secret-replaced", held, actor)
    return held


@transaction.atomic
def switch(endpoint: Endpoint, *, on: bool, actor: User | None, why: str = "") -> None:
    """Call it again, or no more; what waits is given up then. Nothing happens when it is so already."""
    held = _held(endpoint)
    if on == (held.off_at is None):
        return
    held.off_at, held.off_why, held.failing_since = (None, "", None) if on else (clock.now(), why[:300], None)
    held.save(update_fields=["off_at", "off_why", "failing_since"])
    if not on:
        _give_up(held, "The webhook was switched off.")
    _note("switched-on" if on else "switched-off", held, actor)


@transaction.atomic
def archive_endpoint(endpoint: Endpoint, *, archived: bool, actor: User | None) -> None:
    """Remove it, or bring it back as it was."""
    held = _held(endpoint)
    if archived == (held.archived_at is not None):
        return
    held.archived_at = clock.now() if archived else None
    held.save(update_fields=["archived_at"])
    if archived:
        _give_up(held, "The webhook was removed.")
    _note("removed" if archived else "restored", held, actor)


def anybody() -> bool:
    """Whether there is anybody to tell. Another process may learn up to a second late that there is."""
    if _known.until < time.monotonic():
        _known.anybody = Endpoint.objects.filter(off_at=None, archived_at=None).exists()
        _known.until = time.monotonic() + 1.0
    return _known.anybody


def tell(event: str, data: Mapping[str, Any]) -> None:
    """Tell everybody who wants to know, in the caller's transaction; `data` are ids. One query when nobody does."""
    wanting = [
        one for one in Endpoint.objects.filter(off_at=None, archived_at=None) if not one.events or event in one.events
    ]
    if wanting:
        Call.objects.bulk_create([_call(one, event, data) for one in wanting])
        send_soon()


@transaction.atomic
def try_out(endpoint: Endpoint) -> None:
    """Call it with a test."""
    _call(endpoint, TEST, {}).save()
    send_soon()


@transaction.atomic
def call_again(call: Call) -> bool:
    """Try one that failed anew, from the beginning. False when it did not fail, or its endpoint is off."""
    again = Call.objects.filter(pk=call.pk, state=Call.State.FAILED, endpoint__off_at=None, endpoint__archived_at=None)
    fresh = {"state": Call.State.WAITING, "attempts": 0, "due_at": clock.now(), "ended_at": None, "problem": ""}
    if not again.update(**fresh):
        return False
    send_soon()
    return True


def send_soon() -> None:
    """Leave the job that calls."""
    jobs.enqueue("webhooks.send", unique_key=SEND_KEY)


def _call(endpoint: Endpoint, event: str, data: Mapping[str, Any]) -> Call:
    now = clock.now()
    return Call(
        endpoint=endpoint, uid=f"msg_{uuid.uuid4().hex}", event=event, data=dict(data), due_at=now, created_at=now
    )


def _give_up(endpoint: Endpoint, why: str) -> None:
    waiting = Call.objects.filter(endpoint=endpoint, state=Call.State.WAITING)
    waiting.update(state=Call.State.FAILED, ended_at=clock.now(), problem=why)


def _checked(words: EndpointWords) -> dict[str, Any]:
    name, url = " ".join(words.name.split()), words.url.strip()
    if not name or len(name) > MAX_NAME:
        raise WebhookError("name", f"Give it a name of at most {MAX_NAME} characters.")
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port  # which is looked at only now
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise WebhookError("url", "Write an address like https://example.com/hooks/daytwo.")
    if parts.username is not None or parts.password is not None:
        raise WebhookError("url", "Leave name and password out: calls are signed instead.")
    known = {one.name for one in events()}
    if unknown := [one for one in words.events if one not in known]:
        raise WebhookError("events", f"There is no event {unknown[0]}.")
    return {"name": name, "url": url, "events": sorted(set(words.events))}


def _held(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.select_for_update().get(pk=endpoint.pk)


def _note(verb: str, endpoint: Endpoint, actor: User | None, after: dict[str, Any] | None = None) -> None:
    _known.until = 0.0
    audit.record(f"webhooks:endpoint:{verb}", actor=actor, ref=Ref("webhook", endpoint.pk), after=after)
