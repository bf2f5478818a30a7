"""Too large: what is refused, what is dropped, and what is kept beside it."""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import pytest
from intake import EVENT, EVENT_ID, KEY, Intake, envelope, running

from daytwo_server.ingest.limits import KIB, MIB, Limits

AUTH = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}


def event_of(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


@pytest.mark.parametrize("lengths", [True, False])
def test_an_event_of_one_mebibyte_is_stored_and_one_byte_more_is_413(intake: Intake, lengths: bool):
    assert intake.post(envelope(("event", event_of(MIB)), lengths=lengths)).status_code == 200
    answer = intake.post(envelope(("event", event_of(MIB + 1)), lengths=lengths))
    assert answer.status_code == 413
    assert "event" in answer.json()["detail"]
    assert [len(stored.items[0][1]) for stored in intake.envelopes()] == [MIB]
    assert intake.dropped() == {("event", "too_large"): 1}


@pytest.mark.parametrize("lengths", [True, False])
def test_another_item_that_is_too_large_is_dropped_and_the_event_beside_it_kept(intake: Intake, lengths: bool):
    body = envelope(("check_in", event_of(100 * KIB + 1)), ("event", EVENT), ("check_in", b"{}"), lengths=lengths)
    assert intake.post(body).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]
    assert intake.dropped() == {("check_in", "too_large"): 1, ("check_in", "not_stored_yet"): 1}
    assert intake.arrived() == {("check_in"): 2, "event": 1}


def test_a_stored_item_that_turns_out_too_large_is_let_go_of(spool: Path):
    with running(spool, limits=Limits(stored=frozenset({"event", "check_in"}))) as intake:
        body = envelope(("check_in", event_of(2 * MIB)), ("event", EVENT), lengths=False)
        assert intake.post(body).status_code == 200
        assert intake.envelopes()[0].items == [("event", EVENT)]
        assert intake.guards.held_bytes == 0


def test_an_attachment_past_its_limit_is_413(spool: Path):
    with running(spool, limits=Limits(item_bytes={"attachment": 1000, "event": MIB})) as intake:
        assert intake.post(envelope(("event", EVENT), ("attachment", bytes(1001)))).status_code == 413
        assert intake.post(envelope(("event", EVENT), ("attachment", bytes(1000)))).status_code == 200


def test_a_compressed_body_over_20_mib_is_413_by_its_stated_length_alone(intake: Intake):
    head = f"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nX-Sentry-Auth: Sentry sentry_key={KEY}\r\n"
    answer = intake.raw(f"{head}Content-Encoding: gzip\r\nContent-Length: {20 * MIB + 1}\r\n\r\n".encode())
    assert b" 413 " in answer.split(b"\r\n")[0]
    assert intake.dropped() == {("request", "too_large"): 1}


def test_a_compressed_body_that_does_not_state_its_length_is_413_once_it_is_too_long(spool: Path):
    with running(spool, limits=Limits(wire_bytes=100_000)) as intake:
        body = gzip.compress(envelope(("attachment", random.Random(1).randbytes(200_000))))
        pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
        assert intake.post(pieces, headers=AUTH | {"Content-Encoding": "gzip"}).status_code == 413


def test_the_wire_limit_is_for_compressed_bodies_only(spool: Path):
    with running(spool, limits=Limits(wire_bytes=1000)) as intake:
        body = envelope(("attachment", bytes(5000)), ("event", EVENT))
        assert intake.post(body).status_code == 200
        assert intake.post(body, headers=AUTH | {"Content-Encoding": "identity"}).status_code == 200


def test_more_than_the_decoded_limit_is_413(spool: Path):
    with running(spool, limits=Limits(decoded_bytes=50_000)) as intake:
        body = envelope(("attachment", bytes(50_000)))
        assert intake.post(body).status_code == 413
        assert intake.post(gzip.compress(body), headers=AUTH | {"Content-Encoding": "gzip"}).status_code == 413


def test_a_header_line_over_64_kib_is_413(intake: Intake):
    assert intake.post(envelope(("event", EVENT), header={"event_id": EVENT_ID, "x": "y" * 65536})).status_code == 413
    assert intake.post(b"{}\n" + b" " * 66000 + b'{"type":"event"}\n{}').status_code == 413


def test_more_than_a_thousand_items_are_413(intake: Intake):
    assert intake.post(envelope(*[("session", b"")] * 1000)).status_code == 200
    assert intake.post(envelope(*[("session", b"")] * 1001)).status_code == 413


def test_a_body_that_never_comes_is_given_up_with_408(spool: Path):
    with running(spool, limits=Limits(body_timeout_s=0.2)) as intake:
        head = f"POST /api/42/envelope/?sentry_key={KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        started = time.monotonic()
        assert b" 408 " in intake.raw(head.encode()).split(b"\r\n")[0]
        assert time.monotonic() - started < 5
