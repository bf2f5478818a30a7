"""Events with nasty values at random places are stored like others, on both stores, and their pages open.

Whatever a store refuses would hold up the events that came with it, and end in quarantine.
"""

from __future__ import annotations

import copy
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import make
import pytest
from django.test import Client
from rooms.errors import happen

from daytwo_server.errors.models import Event, Issue
from daytwo_server.errors.prepare import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

EVENTS = 120
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**400, 1.5e308, "", "\x00", "\x00" * 300, "a\ud83d", "x" * 5000,
    "\u202e", "\N{LATIN SMALL LETTER SHARP S}" * 300, "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" * 300,
    "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 300, "\N{PILE OF POO}" * 300, [], {}, [[]], [None], {"": None},
    {"a": {"b": {"c": [1]}}}, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", 253402300800, -1e18, "NaN",
    ["x"] * 300, {f"k{n}": n for n in range(300)},
)  # fmt: skip
EVENT = happen.payload(
    user={"id": "1", "email": "dana@example.com", "username": "dana", "ip_address": "192.0.2.1"},
    tags={"country": "DE"}, release="shop@1", environment="production", dist="1", server_name="web-1",
    transaction="/pay", fingerprint=["{{ default }}", "x"], message="m", logger="shop",
    logentry={"message": "a %s", "params": ["b"]}, request={"url": "http://x/", "headers": [["a", "b"]], "data": "d"},
    contexts={"trace": {"trace_id": "a" * 32}, "flags": {"values": [{"flag": "x", "result": True}]}},
    breadcrumbs={"values": [{"message": "m", "timestamp": 1, "data": {"url": "u"}}]}, level="error", timestamp=1,
    threads={"values": [{"id": 1, "crashed": True, "stacktrace": {"frames": [{"filename": "a.py"}]}}]},
)  # fmt: skip


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*here, key))


def spoilt(rng: random.Random) -> dict[str, Any]:
    """The event with a few of its values replaced, and now and then a nasty name."""
    event = copy.deepcopy(EVENT)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        *way, last = rng.choice(list(places(event)))
        parent = event
        for step in way:
            parent = parent[step]
        name = rng.choice([one for one in NASTY if isinstance(one, str)])
        parent[name if isinstance(parent, dict) and rng.random() < 0.15 else last] = copy.deepcopy(rng.choice(NASTY))
    return event | {"event_id": uuid.UUID(int=rng.getrandbits(128)).hex}


@pytest.mark.parametrize("seed", [1, 2])
def test_spoilt_events_are_stored_and_their_pages_open(seed):
    rng, shop = random.Random(seed), make.project("Shop")
    refused = 0
    for _ in range(EVENTS):
        try:
            happen.send(shop, json.dumps(spoilt(rng)).encode())
        except Unreadable:
            refused += 1
    assert Event.objects.count() == EVENTS - refused
    assert refused < EVENTS / 10
    client = Client()
    client.force_login(make.bob())
    for issue in Issue.objects.all():
        event = happen.event_of(issue).event_id
        sections = ("", "?frames=all", "?frames=raw", "/tags", "/activity")
        for page in (*sections, f"/events/{event}.md", f"/events/{event}.json"):
            assert (page, client.get(f"/errors/{issue.pk}{page}").status_code) == (page, 200)
    assert client.get("/errors?status=all").status_code == 200
    assert client.get("/customers/").status_code == 200
