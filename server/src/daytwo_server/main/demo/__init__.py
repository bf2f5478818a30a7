"""The demo: a small company's bad morning, sent through the real spool so that everything on its pages is real."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import random
import time
from collections import Counter

import msgspec
from django.conf import settings

from daytwo_server.accounts import services as accounts
from daytwo_server.catalog import services as catalog
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock
from daytwo_server.core.conf import Conf
from daytwo_server.core.secret import derive
from daytwo_server.ingest.spool import CountRow, Counts, Envelope, Writer
from daytwo_server.main.demo.delivery import deliver
from daytwo_server.main.demo.guarded import guard
from daytwo_server.main.demo.story import PEOPLE, STORY, Bug
from daytwo_server.main.demo.support import ask
from daytwo_server.main.demo.switches import switch

EMAIL = "demo@example.com"
PROJECT = "Lumenbook"
OLDEST = dt.timedelta(days=20)


def plant(conf: Conf) -> tuple[str, str]:
    """Make the demo's owner and what the story begins with; returns e-mail and password. Events are sent once.

    The password is derived from the installation's secret: the same at every start, and nobody's else.
    """
    password = base64.b32encode(derive(settings.SECRET_KEY, "demo-password"))[:12].decode().lower()
    owner = accounts.ensure_owner(EMAIL, password)
    if not Project.objects.exists():
        project = catalog.create_project(PROJECT, actor=None, platform="python")
        Project.objects.filter(pk=project.pk).update(created_at=clock.now() - OLDEST)  # older than its events
        deliver(project, owner)
        switch(project, owner)
        guard(project, owner)
        ask(owner)
        asyncio.run(_send(conf, project.pk))
    return EMAIL, password


async def _send(conf: Conf, project: int) -> None:
    chance = random.Random(20)  # noqa: S311 - a story that reads the same every time, not a secret
    writer = Writer(conf.data_dir / "spool")
    occurrences = [(_age(bug, chance), bug) for bug in STORY for _ in range(bug.events)]
    occurrences.sort(key=lambda one: one[0], reverse=True)  # oldest first, as they would have come
    now = time.time()
    envelopes = [_envelope(project, bug, age_s, now=now, chance=chance) for age_s, bug in occurrences]
    minutes = Counter((int(envelope.received) // 60 * 60, envelope.sdk) for envelope in envelopes)
    arrived = [CountRow(minute, project, "event", sdk, "arrived", "", n) for (minute, sdk), n in minutes.items()]
    try:
        await asyncio.gather(writer.submit(Counts(arrived)), *(writer.submit(envelope) for envelope in envelopes))
    finally:
        await asyncio.to_thread(writer.close)


def _age(bug: Bug, chance: random.Random) -> float:
    """Seconds ago: evenly over the bug's life, or mostly at its end for one that breaks out."""
    share = chance.random()
    return bug.began_h * 3600 * (share**3 if bug.rising else share) + 5


def _envelope(project: int, bug: Bug, age_s: float, *, now: float, chance: random.Random) -> Envelope:
    event_id = f"{chance.getrandbits(128):032x}"
    event = bug.event(chance, PEOPLE, age_s=age_s) | {"event_id": event_id, "timestamp": now - age_s}
    return Envelope(
        project=project, key="", received=now - age_s, sent_at=None, event_id=event_id, client_ip="203.0.113.9",
        sdk=f"{event['sdk']['name']}/{event['sdk']['version']}", items=[("event", msgspec.json.encode(event))],
    )  # fmt: skip
