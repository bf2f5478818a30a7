"""The list of flags: what can be asked of it, what each is everywhere, and which have outlived their purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    CharField,
    DateTimeField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from daytwo_server.accounts.selectors import person_id
from daytwo_server.catalog.models import Environment
from daytwo_server.catalog.selectors.projects import of_project
from daytwo_server.core import clock, query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query
from daytwo_server.flags.models import PERMANENT, STALE_AFTER, ExposureCount, Flag, Kind, State, Type

SORTS = {"key": ("key", True), "changed": ("changed", False)}  # by what, and whether the smallest comes first


def _tagged(tag: str) -> Q:
    """By reading all: neither store can look into a list of JSON, and there are few flags."""
    wanted = tag.casefold()
    tags = Flag.objects.exclude(tags=[]).values_list("pk", "tags")
    return Q(pk__among=[pk for pk, found in tags if wanted in (one.casefold() for one in found)])


def _owned(email: str) -> Q:
    return Q(owner=None) if email == "none" else Q(owner=person_id("owner", email))


def _states(**wanted: Any) -> Q:
    return Q(Exists(State.objects.filter(flag=OuterRef("pk"), **wanted)))


def _stale() -> Q:
    """The same as `verdict` says of one flag."""
    since = clock.now() - STALE_AFTER
    asked = State.objects.filter(flag=OuterRef("pk"), last_asked_at__gte=since)
    changed = State.objects.filter(flag=OuterRef("pk"), changed_at__gte=since)
    recent = ExposureCount.objects.filter(
        environment__project=OuterRef("project"), key=OuterRef("key"), minute__gte=since
    ).order_by()
    first, last = (
        Subquery(recent.values("key").annotate(v=aggregate("variant")).values("v"), output_field=CharField())
        for aggregate in (Min, Max)
    )
    one_sided = Q(pk__in=Flag.objects.annotate(first=first, last=last).filter(first=F("last")).values("pk"))
    forgotten = Q(created_at__lt=since) & ~Q(kind__in=PERMANENT) & ~Exists(changed) & (~Exists(asked) | one_sided)
    return Q(forgotten) | Q(remove_by__lt=clock.now().date())


def _is(value: str) -> Q:
    """Built when it is asked: "stale" depends on the time."""
    meanings = {
        "on": _states(enabled=True, killed=False),
        "off": ~_states(enabled=True, killed=False),
        "killed": _states(killed=True),
        "ramping": _states(ramps__status__in=["running", "held"]),
        "exposed": Q(client_exposed=True),
    }
    meanings["stale"] = _stale() if value == "stale" else Q()
    return query.one_of("is", meanings)(value)


FLAGS = query.language(
    "flags",
    {
        "project": of_project,
        "kind": query.one_of("kind", {kind: Q(kind=kind) for kind in Kind.values}),
        "type": query.one_of("type", {type_: Q(type=type_) for type_ in Type.values}),
        "owner": _owned,
        "tag": _tagged,
        "is": _is,
    },
    words=query.parts_of("key", "name", "description"),
    people=("owner",),
)


def matching(asked: Query, *, archived: bool = False, me: str = "") -> QuerySet[Flag]:
    """The flags that are asked for, in no order. Raises `BadFilter`."""
    shown = Flag.objects.filter(archived_at__isnull=not archived, project__archived_at=None)
    return FLAGS.narrow(shown, asked, me=me)


def flags(found: QuerySet[Flag], *, sort: str = "key", cursor: str = "", limit: int = 50) -> Page[Flag]:
    """One page, each with when it was last `changed` and `asked`. Raises `BadCursor`."""
    states = State.objects.filter(flag=OuterRef("pk")).order_by().values("flag")
    changed = Subquery(states.annotate(at=Max("changed_at")).values("at"), output_field=DateTimeField())
    asked = Subquery(states.annotate(at=Max("last_asked_at")).values("at"), output_field=DateTimeField())
    rows = found.select_related("project", "owner").annotate(changed=Coalesce(changed, F("created_at")), asked=asked)
    by, ascending = SORTS[sort]
    return page(rows, by=by, ascending=ascending, cursor=cursor, limit=limit)


@dataclass(frozen=True)
class Somewhere:
    """What a flag is in an environment; `state` is None where nobody said anything."""

    environment: Environment
    state: State | None

    @property
    def is_on(self) -> bool:
        return self.state is not None and self.state.enabled and not self.state.killed


def everywhere(rows: Sequence[Flag]) -> dict[int, list[Somewhere]]:
    """For each flag what it is in the environments of its project that are shown, production first. Two queries."""
    shown: dict[int, list[Environment]] = {}
    projects = {one.project_id for one in rows}
    for one in Environment.objects.filter(project__in=projects, hidden_at=None).order_by("name"):
        shown.setdefault(one.project_id, []).append(one)
    states = {(one.flag_id, one.environment_id): one for one in State.objects.filter(flag__in=[row.pk for row in rows])}
    return {
        row.pk: [
            Somewhere(one, states.get((row.pk, one.pk))) for one in sorted(shown.get(row.project_id, []), key=_place)
        ]
        for row in rows
    }


_ORDER = {kind: place for place, kind in enumerate(Environment.Kind.values)}


def _place(one: Environment) -> tuple[int, str]:
    return _ORDER.get(one.kind, len(_ORDER)), one.name


def in_order(environments: Iterable[Environment]) -> list[Environment]:
    """Production first, then by name."""
    return sorted(environments, key=_place)


@dataclass(frozen=True)
class Answers:
    """How often each variant was answered in the last 30 days."""

    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def answers(rows: Collection[Flag]) -> dict[int, Answers]:
    """What was answered of each flag, in all environments together, since `STALE_AFTER`. One query."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    counted = (
        ExposureCount.objects.filter(
            environment__project__in={one.project_id for one in rows},
            key__in={one.key for one in rows},
            minute__gte=clock.now() - STALE_AFTER,
        )
        .order_by()
        .values_list("environment__project", "key", "variant")
        .annotate(n=Sum("count"))
    )
    for project, key, variant, n in counted:
        found.setdefault((project, key), {})[variant] = n
    return {one.pk: Answers(found.get((one.project_id, one.key), {})) for one in rows}


@dataclass(frozen=True)
class Verdict:
    """Why a flag should go: `text` is the evidence."""

    text: str
    since: dt.datetime | None = None


def verdict(
    flag: Flag, *, changed: dt.datetime, asked: dt.datetime | None, answered: Answers, now: dt.datetime
) -> Verdict | None:
    """Whether a flag has outlived its purpose, and what says so. Permanent kinds do not, unless their day has come."""
    if flag.remove_by and flag.remove_by < now.date():
        return Verdict("It was to be removed by", dt.datetime.combine(flag.remove_by, dt.time(12), dt.UTC))
    since = now - STALE_AFTER
    if flag.is_permanent or flag.created_at >= since or changed >= since:
        return None
    if asked is None:
        return Verdict("No app ever asked for it")
    if asked < since:
        return Verdict("Nobody asks for it any more; the last time was", asked)
    if len(answered.counts) == 1:
        [(variant, count)] = answered.counts.items()
        return Verdict(f"All {count:,} answers of 30 days were {variant}; last changed", changed)
    return None
