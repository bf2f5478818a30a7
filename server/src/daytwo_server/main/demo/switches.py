"""What Lumenbook switches on for whom: one flag that goes wrong this morning, and three that live their lives."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.core import clock
from daytwo_server.flags.actors import of_user
from daytwo_server.flags.models import Asker, Change, ExposureCount, Flag, State
from daytwo_server.flags.services import overrides, saving, segments
from daytwo_server.main.demo.story import FLAG, RAISED_H

WHERE = "production"
_HOURS = 7 * 24
_STAFF = [{"attribute": "email", "operator": "str_ends_with", "values": ["@lumenbook.example"]}]
# key, hours ago it was made, what it is: everywhere and in production
FLAGS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    (
        FLAG, 150.0,
        {
            "name": "New checkout", "description": "Single-page checkout with VAT lookup at the address step.",
            "tags": ["billing"], "clientExposed": True, "enabled": True, "rolloutPercentage": 1,
            "rules": [
                {"name": "staff", "conditions": _STAFF, "variant": "on"},
                {"name": "beta", "conditions": [{"operator": "segment", "values": ["beta practices"]}], "rolloutPercentage": 50},
            ],
        },
    ),
    (
        "reminder-tone", 90.0,
        {
            "name": "Tone of reminders", "kind": "experiment", "type": "string", "tags": ["reminders"], "enabled": True,
            "variants": [{"name": "plain", "value": "plain"}, {"name": "friendly", "value": "friendly"}],
            "offVariant": "plain", "defaultVariant": "plain",
            "split": [{"variant": "plain", "weight": 50}, {"variant": "friendly", "weight": 50}],
        },
    ),
    ("card-payments", 2600.0, {"name": "Card payments", "kind": "ops", "tags": ["billing"], "enabled": True}),
    ("calendar-sync-v3", 2200.0, {"name": "Calendar sync, third version", "enabled": True}),
)  # fmt: skip
# hours ago, from where to where
RAISED = ((96.0, 10), (RAISED_H, 25))


def switch(project: Project, owner: User) -> None:
    """Make the flags, with what was changed of them and what they answered in the last seven days."""
    by = of_user(owner)
    segments.put(
        project,
        "beta practices",
        [{"attribute": "practice", "operator": "in", "values": ["oak-street", "lindner"]}],
        by=by,
    )
    for key, hours, body in FLAGS:
        made = saving.put(project, WHERE, key, body | {"owner": owner.email}, by=by)
        _date(made.flag, hours)
    flag = Flag.objects.get(project=project, key=FLAG)
    where = Environment.objects.get(project=project, name=WHERE)
    state = State.objects.get(flag=flag, environment=where)
    _date(flag, 120.0, overrides.put(state, user_id="88240", enabled=True, by=by, reason="Asked to try it first"))
    for hours, percent in RAISED:
        saved = saving.patch(flag, where, {"rolloutPercentage": percent}, by=by)
        _date(flag, hours, saved.change)
    _expose(where)


def _date(flag: Flag, hours: float, change: Change | None = None) -> None:
    """Have a change, or all there are, be as long ago as that; without one the flag itself as well."""
    at = clock.now() - dt.timedelta(hours=hours)
    changes = Change.objects.filter(flag=flag, **({"pk": change.pk} if change else {}))
    changes.update(at=at)
    State.objects.filter(flag=flag).update(changed_at=at)
    if change is None:
        Flag.objects.filter(pk=flag.pk).update(created_at=at)


def _expose(where: Environment) -> None:
    """Answers by the hour, as many as practices work."""
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    rows = []
    for key, variants in (
        (FLAG, ("on", "off")), ("reminder-tone", ("friendly", "plain")), ("card-payments", ("on",)),
        ("calendar-sync-v3", ("on",)),
    ):  # fmt: skip
        revision = State.objects.get(flag__project=where.project_id, flag__key=key, environment=where).revision
        for age in range(_HOURS):
            minute = hour - dt.timedelta(hours=age)
            total = round(260 + 240 * math.sin((minute.hour - 8) / 24 * 2 * math.pi)) + 17
            share = _share(age) if key == FLAG else 0.5 if len(variants) == 2 else 1.0
            for variant, count in zip(variants, (round(total * share), total - round(total * share)), strict=False):
                if count:
                    is_on = variant in {"on", "friendly"}
                    rows.append(
                        ExposureCount(
                            environment=where, key=key, minute=minute, revision=revision, variant=variant, enabled=is_on,
                            count=count,
                        )
                    )  # fmt: skip
        Asker.objects.create(environment=where, key=key, service="billing-api", last_at=now)
    ExposureCount.objects.bulk_create(rows)
    State.objects.filter(environment=where).update(last_asked_at=now)


def _share(age_h: int) -> float:
    """How much of the traffic had the new checkout so many hours ago."""
    percent = 1
    for hours, to in RAISED:
        percent = to if age_h <= hours else percent
    return percent / 100
