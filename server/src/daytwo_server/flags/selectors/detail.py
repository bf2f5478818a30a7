"""One flag in one environment: its overrides, its ramp, who asks for it and what they are answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from daytwo_server.core import clock
from daytwo_server.core.pages import Page, page
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.flags.models import Asker, Change, ExposureCount, Flag, Override, Ramp, Segment, State
from daytwo_server.flags.selectors.snapshots import in_force

EXPOSED = dt.timedelta(days=7)
BAR = dt.timedelta(hours=3)
_LISTED = 20


def flag(pk: int) -> Flag | None:
    """A flag, archived or not, with its project and its owner."""
    return Flag.objects.select_related("project", "owner").filter(pk=pk).first()


def segments(project: int) -> QuerySet[Segment]:
    """Those of a project, by name."""
    return Segment.objects.filter(project=project).order_by("name")


@dataclass(frozen=True)
class Excepted:
    """An override with the name of whom it is for, and their page; `title` is the id where nobody is known by it."""

    override: Override
    title: str
    customer: int | None = None

    @property
    def whose(self) -> str:
        return self.override.user_id or self.override.organization_id


@dataclass(frozen=True)
class Tally:
    """How many overrides there are, by whom they are for and what they say."""

    users_on: int = 0
    users_off: int = 0
    users_other: int = 0
    organizations_on: int = 0
    organizations_off: int = 0
    organizations_other: int = 0

    @property
    def total(self) -> int:
        return self.users + self.organizations

    @property
    def users(self) -> int:
        return self.users_on + self.users_off + self.users_other

    @property
    def organizations(self) -> int:
        return self.organizations_on + self.organizations_off + self.organizations_other


def tally(state: State | None) -> Tally:
    """The overrides in force, counted. One query."""
    if state is None:
        return Tally()
    of_users, other = ~Q(user_id=""), Q(enabled=None)
    parts = {
        f"{noun}_{word}": Count("pk", filter=whose & what)
        for noun, whose in (("users", of_users), ("organizations", ~of_users))
        for word, what in (("on", Q(enabled=True)), ("off", Q(enabled=False)), ("other", other))
    }
    return Tally(**Override.objects.filter(in_force(), state=state).aggregate(**parts))


def overrides(state: State, *, whose: str = "", cursor: str = "", limit: int = 50) -> Page[Override]:
    """One page of those in force, the latest first; `whose` is the beginning of an id. Raises `BadCursor`."""
    found = Override.objects.filter(in_force(), state=state)
    if whose:
        found = found.filter(Q(user_id__startswith=whose) | Q(organization_id__startswith=whose))
    return page(found, by="pk", cursor=cursor, limit=limit)


def named(found: Sequence[Override]) -> list[Excepted]:
    """Overrides with the names of customers and organizations that are known by these ids. Two queries."""
    users = {f"id:{one.user_id}" for one in found if one.user_id}
    organizations = {one.organization_id for one in found if one.organization_id}
    known = {one.user_id: one for one in Customer.objects.filter(key__in=users, erased_at=None)}
    names = dict(Organization.objects.filter(external_id__in=organizations).values_list("external_id", "name"))
    rows = []
    for one in found:
        customer = known.get(one.user_id) if one.user_id else None
        title = customer.title if customer else names.get(one.organization_id) or one.user_id or one.organization_id
        rows.append(Excepted(one, title, customer.pk if customer else None))
    return rows


def ramp(state: State | None) -> Ramp | None:
    """The latest one, whether it still runs or not."""
    return Ramp.objects.filter(state=state).order_by("-pk").first() if state else None


@dataclass(frozen=True)
class Exposure:
    """How often a flag was on and off in equal bars up to now, and what was answered in all."""

    start: dt.datetime
    step: dt.timedelta
    on: list[int]
    off: list[int]
    variants: list[tuple[str, int]]

    @property
    def total(self) -> int:
        return sum(self.on) + sum(self.off)

    def position(self, moment: dt.datetime) -> float:
        """Where a moment lies, counted in bars."""
        return (moment - self.start) / self.step


def exposure(environment: int, key: str) -> Exposure:
    """What a flag answered in the last seven days. One query."""
    steps = EXPOSED // BAR
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    end = now + dt.timedelta(hours=1)
    start = end - EXPOSED
    found = Exposure(start, BAR, [0] * steps, [0] * steps, [])
    rows = (
        ExposureCount.objects.filter(environment=environment, key=key, minute__gte=start, minute__lt=end)
        .order_by()
        .values_list(TruncHour("minute", tzinfo=dt.UTC), "enabled", "variant")
        .annotate(n=Sum("count"))
    )
    variants: dict[str, int] = {}
    for hour, enabled, variant, n in rows:
        (found.on if enabled else found.off)[(hour - start) // BAR] += n
        variants[variant] = variants.get(variant, 0) + n
    found.variants.extend(sorted(variants.items(), key=lambda one: (-one[1], one[0])))
    return found


def rollouts(flag: Flag, environment: int, since: dt.datetime) -> list[Change]:
    """The changes of a flag's rollout since then, and of whether it is on, the earliest first."""
    found = Change.objects.filter(flag=flag, environment=environment, at__gte=since).order_by("-pk")[:_LISTED]
    told = {"rolloutPercentage", "enabled", "killed"}
    return [one for one in reversed(found) if told & one.after.keys()]


def askers(environment: int, key: str) -> list[Asker]:
    """The services that asked for a flag last, the latest first."""
    return list(Asker.objects.filter(environment=environment, key=key).order_by("-last_at", "pk")[:5])


def keys_of(project: int, *, but: Iterable[str] = ()) -> list[str]:
    """The keys of a project's flags, for forms."""
    found = Flag.objects.filter(project=project, archived_at=None).exclude(key__in=list(but))
    return list(found.order_by("key").values_list("key", flat=True)[:1000])
