"""Every shape an SDK of the last ten years sends, and everything none of them should."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daytwo_server.errors.grouping import group
from daytwo_server.errors.normalize import facets, handled, normalize, title_of
from daytwo_server.errors.scrub import scrub

NOW = 1_795_410_060.0
DAY = 86_400.0


def kept(raw, **how):
    return normalize(raw, **{"received": NOW} | how)


# --- identity, time, level ---


def test_the_event_id_of_the_envelope_header_wins_and_dashes_go():
    header = "CCA03B14-17C0-4159-ABC6-C665CA7BA360"
    assert kept({"event_id": "f" * 32}, header_event_id=header)["event_id"] == "cca03b1417c04159abc6c665ca7ba360"
    assert kept({"event_id": "f" * 32}, header_event_id="nonsense")["event_id"] == "f" * 32


def test_an_event_without_a_usable_id_gets_one():
    first, second = kept({"event_id": 7})["event_id"], kept({})["event_id"]
    assert first != second
    assert len(first) == len(second) == 32


def test_times_come_as_seconds_milliseconds_or_rfc_3339():
    same = [NOW - 5, (NOW - 5) * 1000, "2026-11-23T05:00:55Z", "2026-11-23T06:00:55+01:00", "2026-11-23T05:00:55.000",
            str(NOW - 5)]  # fmt: skip
    assert {kept({"timestamp": value})["timestamp"] for value in same} == {NOW - 5}


def test_received_may_be_a_datetime():
    assert kept({}, received=dt.datetime(2026, 11, 23, 5, 1, tzinfo=dt.UTC))["timestamp"] == NOW


def test_a_wrong_clock_is_corrected_by_the_time_between_sending_and_receipt():
    event = kept({"timestamp": NOW - 2 * DAY - 30}, sent_at=NOW - 2 * DAY)
    assert event["timestamp"] == NOW - 30
    assert "the sender's clock is off" in event["_meta_trimmed"][0]


def test_the_time_on_the_wire_is_no_wrong_clock():
    assert kept({"timestamp": NOW - 50}, sent_at=NOW - 40)["timestamp"] == NOW - 50


@pytest.mark.parametrize("value", [NOW + DAY, NOW - 31 * DAY, "yesterday", -1, 1e300, {"at": 1}, [], True])
def test_an_impossible_time_is_replaced_by_the_time_of_receipt_and_noted(value):
    event = kept({"timestamp": value})
    assert event["timestamp"] == NOW
    assert event["_meta_trimmed"][0].startswith("timestamp: ")


@pytest.mark.parametrize(
    ("given", "level"),
    [("fatal", "fatal"), ("WARN", "warning"), ("critical", "fatal"), ("log", "info"), (30, "warning"), (None, "error"),
     ("loud", "error"), ({}, "error")],
)  # fmt: skip
def test_levels_are_five(given, level):
    assert kept({"level": given})["level"] == level


# --- shapes ---


def test_tags_come_as_an_object_or_as_pairs():
    assert kept({"tags": {"a": 1, "b": True, "c": None, "d": {}, "e": "x" * 300}})["tags"] == {
        "a": "1", "b": "true", "e": "x" * 200 + "…",
    }  # fmt: skip
    assert kept({"tags": [["a", "1"], {"key": "b", "value": "2"}, ["broken"], 7]})["tags"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "exception",
    [
        {"values": [{"type": "A", "value": "b"}]},
        [{"type": "A", "value": "b"}],
        {"type": "A", "value": "b"},
        {"values": [None, 7, {"type": "A", "value": "b"}]},
    ],
)
def test_exceptions_become_a_list_of_objects(exception):
    assert kept({"exception": exception})["exception"] == {"values": [{"type": "A", "value": "b"}]}


def test_names_of_old_clients_are_understood():
    raw = {
        "sentry.interfaces.Exception": {"type": "A", "value": "b"},
        "sentry.interfaces.Http": {"url": "http://x.example.com/", "headers": {"Host": "x"}},
        "sentry.interfaces.Message": {"message": "order %s", "params": [4]},
        "culprit": "shop.views.pay",
        "checksum": "0123",
    }
    event = kept(raw)
    assert event["exception"]["values"][0]["type"] == "A"
    assert event["request"]["headers"] == [["Host", "x"]]
    assert event["message"] == "order 4"
    assert event["transaction"] == "shop.views.pay"
    assert event["fingerprint"] == ["0123"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"message": "plain"}, "plain"),
        ({"logentry": {"formatted": "made"}}, "made"),
        ({"logentry": {"message": "%s of {}", "params": ["a", "b"]}}, "a of b"),
        ({"message": {"message": "x %d", "params": [1]}}, "x 1"),
        ({"logentry": "text"}, "text"),
        ({"logentry": {"message": "100%% of %(size)s", "params": []}}, "100% of %(size)s"),
        ({"logentry": {"message": "%1000000000d", "params": [1]}}, "1"),
    ],
)
def test_messages_of_all_shapes_become_one_text(raw, message):
    assert kept(raw)["message"] == message


def test_a_top_level_stack_and_threads_are_kept():
    frames = {"frames": [{"function": "f", "lineno": 3, "colno": "x", "in_app": "yes", "unknown": 1}]}
    event = kept({"stacktrace": frames, "threads": {"values": [{"id": 1, "crashed": True, "stacktrace": frames}]}})
    assert event["stacktrace"] == {"frames": [{"function": "f", "lineno": 3}]}
    assert event["threads"]["values"][0] == {"crashed": True, "id": "1", "stacktrace": event["stacktrace"]}


def test_the_user_asking_for_his_address_gets_it():
    assert kept({"user": {"ip_address": "{{auto}}"}}, client_ip="203.0.113.5")["user"]["ip_address"] == "203.0.113.5"
    assert "user" not in kept({"user": {"ip_address": "{{auto}}"}})


def test_flags_become_facets_by_key():
    flags = [{"flag": "a", "result": True}, {"flag": "b", "result": "blue"}, {"flag": "c", "result": None}, 7]
    found = facets(kept({"contexts": {"flags": {"values": flags}}}))
    assert {name: value for name, value in found.items() if name.startswith("flag.")} == {
        "flag.a": "on",
        "flag.b": "blue",
    }


WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/155.0.0.0 Safari/537.36 Edg/155.0", "Edge 155", "Windows"),
        (f"Mozilla/5.0 (iPhone; like Mac OS X) {WEBKIT} Version/19.0 Mobile/15E148 Safari/604.1", "Safari 19", "iOS"),
        ("Mozilla/5.0 (Macintosh; Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140", "macOS"),
        ("curl/8.5.0", None, None),
    ],
)  # fmt: skip
def test_browsers_are_known_by_what_they_call_themselves(agent, browser, system):
    found = facets(kept({"request": {"headers": {"User-Agent": agent}}}))
    assert (found.get("browser"), found.get("os")) == (browser, system)


# --- limits ---


def test_what_is_too_large_is_cut_with_a_note_and_the_rest_stays():
    deep: dict = {}
    node = deep
    for _ in range(30):
        node["in"] = {}
        node = node["in"]
    event = kept({
        "extra": {"deep": deep, "long": "x" * 20_000, "many": list(range(1000)), "small": 1},
        "breadcrumbs": [{"message": str(n)} for n in range(300)],
        "exception": {"values": [{"stacktrace": {"frames": [{"function": "f", "vars": {"a": "y" * 5000}}]}}]},
    })  # fmt: skip
    notes = "\n".join(event["_meta_trimmed"])
    assert "extra.deep: 1 parts cut" in notes
    assert "extra.long: 1 parts cut" in notes
    assert "extra.many: 750 parts cut" in notes
    assert "200 of 300 entries cut" in notes
    assert event["extra"]["small"] == 1
    assert event["breadcrumbs"]["values"][-1]["message"] == "299"
    assert len(event["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"]["a"]) < 1100


def test_no_event_is_kept_larger_than_a_megabyte():
    big = {f"k{n}": {f"i{m}": "z" * 4000 for m in range(50)} for n in range(200)}
    event = kept({"extra": big, "contexts": big, "request": {"data": big}})
    assert len(msgspec.json.encode(event)) < 1_000_000


def test_characters_that_no_database_takes_are_dropped():
    event = kept({"message": "a\x00b", "tags": {"\x00k": "v\x00"}, "extra": {"e": "\ud83d", "k\x00": ["\x00"]}})
    assert event["message"] == "ab"
    assert event["tags"] == {"k": "v"}
    assert event["extra"] == {"e": "?", "k": [""]}
    msgspec.json.encode(event)


# --- anything at all ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = [
    "event_id",
    "timestamp",
    "level",
    "platform",
    "release",
    "environment",
    "server_name",
    "transaction",
    "logger",
    "tags",
    "user",
    "message",
    "logentry",
    "exception",
    "stacktrace",
    "threads",
    "breadcrumbs",
    "contexts",
    "request",
    "extra",
    "fingerprint",
    "sdk",
    "modules",
    "debug_meta",
    "checksum",
    "dist",
    "sentry.interfaces.Exception",
    "culprit",
]
MECHANISM = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("exception_id", "parent_id", "is_exception_group", "handled", "synthetic", "type"),
                               st.integers(0, 3) | st.booleans() | JSON)
)  # fmt: skip
FRAME = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "function",
            "module",
            "filename",
            "abs_path",
            "lineno",
            "in_app",
            "context_line",
            "pre_context",
            "vars",
            "platform",
        ),
        st.text(max_size=12) | JSON,
    ),
)
EXCEPTION = st.fixed_dictionaries(
    {},
    optional={
        "type": JSON,
        "value": JSON,
        "mechanism": MECHANISM | JSON,
        "stacktrace": st.fixed_dictionaries({"frames": st.lists(FRAME | JSON, max_size=4) | JSON}) | JSON,
    },
)
RAW = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(KNOWN, JSON)
    | {
        "exception": st.fixed_dictionaries({"values": st.lists(EXCEPTION | JSON, max_size=4)}) | JSON,
        "contexts": st.dictionaries(st.sampled_from(["flags", "browser", "os", "trace", "device"]), JSON) | JSON,
        "request": st.dictionaries(st.sampled_from(["url", "headers", "cookies", "data", "query_string"]), JSON) | JSON,
        "fingerprint": st.lists(st.sampled_from(["{{ default }}", "a", "{{ type }}"]) | JSON, max_size=3),
    },
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=RAW | JSON, sent_at=st.none() | st.floats() | JSON, header=JSON)
def test_no_json_whatever_makes_the_walk_from_payload_to_issue_raise(raw, sent_at, header):
    event = normalize(raw, received=NOW, sent_at=sent_at, header_event_id=header, client_ip="203.0.113.5")
    assert len(event["event_id"]) == 32
    assert NOW - 30 * DAY <= event["timestamp"] <= NOW + 60
    assert all(type(name) is str and type(value) is str for name, value in event["tags"].items())
    event, _ = scrub(event)
    assert all(type(value) is str for value in facets(event).values())
    assert all(type(part) is str for part in title_of(event))
    assert handled(event) in (True, False, None)
    grouping = group(event)
    assert 1 <= len(grouping.hashes) <= 3
    assert msgspec.json.decode(msgspec.json.encode(grouping.explain()))["summary"]
    assert msgspec.json.decode(msgspec.json.encode(event)) == event


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=RAW)
def test_normalising_what_was_normalised_changes_nothing_that_people_see(raw):
    once = normalize(raw, received=NOW)
    again = normalize(msgspec.json.decode(msgspec.json.encode(once)), received=NOW)
    assert group(again).hashes == group(once).hashes
    assert title_of(again) == title_of(once)


def test_a_frame_of_which_nothing_can_be_shown_is_none():
    raw = {"exception": {"values": [{"stacktrace": {"frames": [{"abs_path": "a.py"}, {"pre_context": [None]}]}}]}}
    [value] = normalize(raw, received=NOW)["exception"]["values"]
    assert value["stacktrace"]["frames"] == [{"abs_path": "a.py"}]
