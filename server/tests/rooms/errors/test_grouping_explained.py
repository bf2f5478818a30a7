"""Why events were grouped, in words and in parts."""

from __future__ import annotations

import captured
import msgspec
import pytest

from daytwo_server.errors.grouping import group
from daytwo_server.errors.grouping.parameters import comparable, parameterise
from daytwo_server.errors.normalize import normalize
from daytwo_server.errors.scrub import scrub


def explained(raw):
    event, _ = scrub(normalize(raw, received=captured.RECEIVED))
    return group(event).explain()


def component(explanation, name):
    return next(one for one in explanation["components"] if one["name"] == name)


def test_the_summary_says_what_counted_and_what_did_not():
    assert explained(captured.event("py-django-2"))["summary"] == (
        "Grouped by the in-app stack: 2 frames; value ignored because a stack contributes; 2 framework frames left out"
    )
    assert explained(captured.event("py-recursion"))["summary"].endswith("; 248 repeated frames counted once")
    assert explained(captured.event("py-logging-error"))["summary"] == (
        "Grouped by the message without its parameters: job %s failed after %d tries"
    )
    assert explained(captured.event("py-fingerprint"))["summary"] == (
        "Grouped by the fingerprint the client set: payments, {{ default }}, with the in-app stack as its default"
    )


def test_each_frame_says_whether_it_counts_and_why_not():
    stack = component(explained(captured.event("py-django-2")), "app-stack")
    frames = [(f["frame"], f["contributes"], f["hint"]) for f in stack["exceptions"][0]["frames"]]
    assert frames == [
        ("django.core.handlers.exception in inner", False, "left out: framework code"),
        ("django.core.handlers.base in _get_response", False, "left out: framework code"),
        ("scen.py in boom", True, ""),
        ("scen.py in charge", True, ""),
    ]
    assert stack["exceptions"][0]["value"] == {
        "value": "Card declined for order <int>",
        "contributes": False,
        "hint": "ignored because a stack contributes",
    }


def test_frames_only_one_browser_shows_are_named_as_such():
    frames = component(explained(captured.event("browser-error-2")), "app-stack")["exceptions"][0]["frames"]
    native = next(f for f in frames if f["frame"] == "reduce")
    assert native["contributes"] is False
    assert native["hint"] == "left out: part of the JavaScript engine; other browsers do not show it"


@pytest.mark.parametrize("name", captured.names())
def test_exactly_the_rule_that_decides_contributes(name):
    explanation = explained(captured.event(name))
    contributing = [one["name"] for one in explanation["components"] if one["contributes"]]
    assert explanation["method"] == contributing[0]
    assert len(contributing) == (2 if explanation["method"] == "fingerprint" else 1)
    assert all(one["hint"] for one in explanation["components"])
    assert len(msgspec.json.encode(explanation)) < 20_000


def test_a_fingerprint_without_default_stands_alone():
    explanation = explained(captured.event("py-exception") | {"fingerprint": ["payments"]})
    assert [one["name"] for one in explanation["components"] if one["contributes"]] == ["fingerprint"]
    assert component(explanation, "app-stack")["hint"] == "the fingerprint decides"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("order 4711 of jane@example.com failed", "order <int> of <email> failed"),
        ("GET https://x.example.com/a?b=1 timed out after 3.5s", "GET <url> timed out after <duration>"),
        ("connection to 10.0.0.3:5432 refused by db-1.eu.internal", "connection to <ip> refused by <hostname>"),
        ("fe80::1 and 2001:db8:0:0:1:0:0:1", "<ip> and <ip>"),
        ("cca03b14-17c0-4159-abc6-c665ca7ba360 8f14e45fceea167a5a36dedd4bea2543", "<uuid> <md5>"),
        ("commit da39a3ee5e6b4b0d3255bfef95601890afd80709", "commit <sha1>"),
        ("2026-11-23T04:59:16.050171Z or Nov 23, 2026 at 04:59:16", "<date> or <date> at <date>"),
        ("took 12 ms, 1.5 of 0x7f70", "took <duration>, <float> of <hex>"),
        ("'abc' has no \"x y\" and enabled=True", "<quoted> has no <quoted> and enabled=<bool>"),
        ("ORD-10293 for user12 on pod web-7d9f8b6c5-x2x4z", "<id> for <id> on pod <id>"),
        ("can't and don't", "can't and don't"),
        ("django.template.base in std::vector", "django.template.base in std::vector"),
        ("first\n\n  second 2\nthird", "first second <int>"),
        ("[Filtered] was wrong", "<filtered> was wrong"),
    ],
)
def test_parameters_are_replaced_by_their_kind(message, shown):
    assert parameterise(message) == shown


def test_two_ids_of_one_place_compare_equal_whatever_they_look_like():
    ids = ["12345678", "1234abcd", "cus_N5x8Kq2LmPz9", "d2e1a72fcca58-3f8a5b7c9d1sm1234567", "4.2.1", "[Filtered]"]
    assert len({comparable(parameterise(f"lost {one} again")) for one in ids}) == 1
