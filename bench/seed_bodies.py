"""Fill a stopped installation with events of one issue and their bodies. `python seed_bodies.py MEGABYTES`."""

from __future__ import annotations

import json
import os
import random
import sys
import uuid
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "daytwo_server.main.settings"

import django  # noqa: E402 - the settings come first

django.setup()

from django.db import transaction  # noqa: E402

from daytwo_server.core import clock, sql  # noqa: E402
from daytwo_server.errors import prepare  # noqa: E402
from daytwo_server.errors.models import Issue  # noqa: E402

FIXTURES = Path(__file__).resolve().parents[1] / "server/tests/fixtures/sentry"
KINDS = ("py-django-4", "py-exception", "node-exception", "py-breadcrumb-user-tags-ctx")
CHUNK = 5000
EVENT = ("event_id", "project_id", "issue_id", "timestamp", "received", "level", '"release"', "environment",
         '"transaction"', "user_key", "trace_id", "message")  # fmt: skip
BODY = ("event_id", "project_id", "segment", "sequence", "received", "body")


def main(megabytes: int) -> None:
    chance = random.Random(7)  # noqa: S311 - the same figures every time
    now = clock.now()
    project = int(sql.fetch("default", "SELECT min(id) FROM catalog_project", [])[0][0])
    issue = Issue.objects.create(
        project_id=project, type="SeedError", value="seeded", title="SeedError: seeded", culprit="seed", level="error",
        platform="python", status_at=now, first_seen=now, last_seen=now,
    )  # fmt: skip
    events = [json.loads(_event(name)) for name in KINDS]
    written = 0
    while written < megabytes * 1_000_000:
        ids = [uuid.UUID(int=chance.getrandbits(128)).hex for _ in range(CHUNK)]
        bodies = [prepare.close_body(chance.choice(events) | _own(event_id, chance)) for event_id in ids]
        with transaction.atomic(using="telemetry"):
            rows = [(event_id, project, 1, 1, now, body) for event_id, body in zip(ids, bodies, strict=True)]
            sql.insert("telemetry", "errors_eventbody", BODY, rows)
        with transaction.atomic():
            sql.insert("default", "errors_event", EVENT, [
                (event_id, project, issue.pk, now, now, "error", "1.0", "production", "/checkout", event_id, "", "seeded")
                for event_id in ids
            ])  # fmt: skip
        written += sum(map(len, bodies))


def _event(name: str) -> bytes:
    return (FIXTURES / f"{name}.envelope").read_bytes().split(b"\n")[2]


def _own(event_id: str, chance: random.Random) -> dict[str, object]:
    """What differs from event to event, so that bodies do not compress better together than real ones do."""
    noise = {f"value {n}": f"{chance.getrandbits(128):x}" for n in range(24)}
    return {"event_id": event_id, "extra": noise, "user": {"id": f"{chance.getrandbits(40):x}"}}


if __name__ == "__main__":
    main(int(sys.argv[1]))
