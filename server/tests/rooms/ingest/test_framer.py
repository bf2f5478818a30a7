"""The envelope format itself: how a body is cut into pieces never matters, and no error but `Refused` comes out."""

from __future__ import annotations

import gc
import json
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st

from daytwo_server.ingest.envelope import Framer, normal_event_id, unix_time
from daytwo_server.ingest.limits import Limits
from daytwo_server.ingest.refused import Refused

LIMITS = Limits(stored=frozenset({"event", "attachment", "log"}))
Outcome = tuple[object, ...]

types = st.sampled_from(["attachment", "log", "session", "a type nobody knows", "\u00e4"])
payloads = st.binary(max_size=200)
one_line = payloads.filter(lambda payload: b"\n" not in payload)
events = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=4).map(
    lambda event: json.dumps({k: v for k, v in event.items() if k != "event_id"}).encode()
)


@st.composite
def items(draw: st.DrawFn) -> list[tuple[str, bytes, bool]]:
    """(type, payload, whether the header states the length), at most one of them an event."""
    made = draw(
        st.lists(st.tuples(types, payloads, st.just(True)) | st.tuples(types, one_line, st.booleans()), max_size=5)
    )
    if draw(st.booleans()):
        made.insert(draw(st.integers(0, len(made))), ("event", draw(events), draw(st.booleans())))
    return made


def written(made: list[tuple[str, bytes, bool]], *, last_newline: bool) -> bytes:
    lines = [b'{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0","future":{"a":[1]}}']
    for type_, payload, states_length in made:
        header = {"type": type_, "content_type": "x"} | ({"length": len(payload)} if states_length else {})
        lines += [json.dumps(header).encode(), payload]
    body = b"\n".join(lines)
    # Without a last newline an empty last payload cannot be told from none, which is fine: both are empty.
    return body + b"\n" if last_newline else body


def read(pieces: list[bytes]) -> Outcome:
    framer = Framer(LIMITS)
    try:
        for piece in pieces:
            framer.feed(piece)
        framer.finish()
    except Refused as refusal:
        return refusal.status, refusal.detail
    return framer.items, framer.passed, framer.event_id, framer.header, framer.kept_bytes


def cut(body: bytes, places: list[int]) -> list[bytes]:
    at = sorted({place % (len(body) + 1) for place in places})
    return [body[start:end] for start, end in zip([0, *at], [*at, len(body)], strict=True)]


@given(items(), st.booleans(), st.lists(st.integers(0, 5000), max_size=12))
@settings(deadline=None, max_examples=150)
def test_a_generated_envelope_comes_back_whole_however_it_is_cut(made, last_newline, places):
    body = written(made, last_newline=last_newline)
    stored, passed, event_id, _, kept = read(cut(body, places))
    assert stored == [(type_, payload) for type_, payload, _ in made if type_ in LIMITS.stored]
    assert sum(passed.values()) == len(made) - len(stored)
    assert event_id == "fc6d8c0c43fc4630ad850ee518f1b9d0"
    assert kept == sum(len(payload) for _, payload in stored)


parts_of_envelopes = st.sampled_from(
    [b"{}", b"\n", b"\r\n", b'{"type":"event"}', b'{"type":"log","length":3}', b"abc", b"[", b'"', b"\xff", b" "]
)
nonsense = st.binary(max_size=300) | st.lists(parts_of_envelopes, max_size=12).map(b"".join)


@given(nonsense, st.lists(st.integers(0, 300), max_size=8))
@settings(deadline=None, max_examples=400)
def test_arbitrary_bytes_are_refused_or_read_the_same_in_any_pieces(body, places):
    whole = read([body])
    parts = read(cut(body, places))
    if whole[0] and isinstance(whole[0], list) and whole[2] != parts[2]:
        assert b"event_id" not in body  # an id made up for an event is new each time
        whole, parts = whole[:2] + whole[3:], parts[:2] + parts[3:]
    assert whole == parts


@given(st.text() | st.integers() | st.floats() | st.none() | st.lists(st.integers()) | st.datetimes().map(str))
def test_no_event_id_and_no_time_is_too_odd_to_be_looked_at(value):
    found = normal_event_id(value)
    assert found is None or (len(found) == 32 and int(found, 16) >= 0)
    moment = unix_time(value)
    assert moment is None or isinstance(moment, float)


def test_a_number_given_as_time_is_unix_seconds_and_a_text_without_zone_is_utc():
    assert unix_time(1.5) == 1.5
    assert unix_time("1970-01-01T00:02:03") == 123
    assert unix_time("1970-01-01T01:02:03+01:00") == 123
    assert unix_time("0001-01-01T00:00:00+14:00") == -62_135_647_200, "before the first day that a date can be"


def test_a_framer_leaves_memory_without_waiting_for_the_garbage_collector():
    gc.disable()
    try:
        framer = Framer(LIMITS)
        framer.feed(b'{}\n{"type":"event"}\n{"a"')
        gone = weakref.ref(framer)
        del framer
        assert gone() is None
    finally:
        gc.enable()
