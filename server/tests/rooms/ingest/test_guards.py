"""The guards: they answer 429 with categories before a body is read, and say why in words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from intake import EVENT, KEY, PROJECT, Intake, envelope, running

from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.keys import Key
from daytwo_server.ingest.limits import MIB
from daytwo_server.ingest.refused import Refused
from daytwo_server.ingest.spool import START, Writer

BODY = envelope(("event", EVENT))
NO_END_OF_DISK = 1 << 60


def limit(answer) -> tuple[str, list[str], str, str]:
    """(seconds, categories, scope, reason) of X-Sentry-Rate-Limits."""
    seconds, categories, scope, reason = answer.headers["x-sentry-rate-limits"].split(":")
    return seconds, categories.split(";"), scope, reason


def test_little_free_disk_shuts_intake_before_the_body_is_read(spool: Path):
    with running(spool, guards={"min_free_bytes": NO_END_OF_DISK}) as intake:
        head = f"POST /api/42/envelope/?sentry_key={KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
        assert b" 429 " in intake.raw(head.encode()).split(b"\r\n")[0]
        answer = intake.post(BODY)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        seconds, _, scope, reason = limit(answer)
        assert (seconds, scope, reason) == ("30", "organization", "disk_space")
        assert intake.guards.status().startswith("free disk ")
        assert intake.guards.status().endswith(f" MB is under the minimum of {NO_END_OF_DISK // MIB} MB")
        assert intake.dropped() == {("request", "disk_space"): 2}


def test_every_429_names_categories_but_not_the_sdks_own_reports(spool: Path):
    with running(spool, guards={"min_free_bytes": NO_END_OF_DISK}) as intake:
        _, categories, _, _ = limit(intake.post(BODY))
        assert {
            "error",
            "transaction",
            "span",
            "log_item",
            "session",
            "replay",
            "monitor",
            "attachment",
            "metric",
        } <= set(categories)
        assert not {"internal", "client_report", ""} & set(categories)


def test_a_spool_over_its_size_shuts_intake_until_it_is_digested(spool: Path):
    large = envelope(("event", b'{"a":"' + b"x" * 10_000 + b'"}'))
    with running(spool, guards={"spool_max_bytes": 5000}) as intake:
        assert intake.guards.status() == ""
        assert intake.post(large).status_code == 200
        answer = intake.post(BODY)
        assert (answer.status_code, limit(answer)[3]) == (429, "spool_full")
        assert intake.guards.status() == "the spool holds 0 MB, more than the 0 MB allowed"
        deadline = time.monotonic() + 20
        while answer.status_code == 429 and time.monotonic() < deadline:
            records = intake.records()  # what a digest does
            intake._reader.unlink_through(records[-1].position if records else START)
            time.sleep(0.2)
            answer = intake.post(BODY)
        assert answer.status_code == 200


def test_a_key_has_its_own_rate_and_is_told_how_long_to_wait(intake: Intake):
    slow = "b" * 32
    intake.keys[slow] = Key(public_key=slow, project=PROJECT, rate_per_s=0.5, burst=3)
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={slow}"}
    assert [intake.post(BODY, headers=headers).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = intake.post(BODY, headers=headers)
    seconds, _, scope, reason = limit(answer)
    assert (seconds, scope, reason) == ("2", "key", "rate_limit")
    assert answer.headers["retry-after"] == "2"
    assert intake.post(BODY).status_code == 200


@pytest.fixture
def writer(spool: Path):
    writer = Writer(spool)
    yield writer
    writer.close()


def allowed(guards: Guards, key: Key, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            guards.check(key)
        except Refused:
            continue
        count += 1
    return count


def test_a_bucket_fills_again_at_the_rate_and_never_over_the_burst(writer: Writer):
    now = [1000.0]
    guards = Guards(writer, rate_per_s=10, burst=20, min_free_bytes=0, monotonic=lambda: now[0])
    key = Key(public_key="k", project=1)
    assert allowed(guards, key, 50) == 20
    now[0] += 0.5
    assert allowed(guards, key, 50) == 5
    now[0] += 3600
    assert allowed(guards, key, 50) == 20


def test_a_key_with_rate_zero_may_send_its_burst_and_no_more(writer: Writer):
    guards = Guards(writer, min_free_bytes=0)
    assert allowed(guards, Key(public_key="k", project=1, rate_per_s=0, burst=2), 5) == 2


def test_too_many_bytes_at_once_are_refused_and_given_back(spool: Path):
    with running(spool, guards={"max_held_bytes": 1000}) as intake:
        large = envelope(("event", b'{"a":"' + b"x" * 2000 + b'"}'))
        answer = intake.post(large)
        assert (answer.status_code, limit(answer)[3], answer.headers["retry-after"]) == (429, "busy", "2")
        assert intake.guards.held_bytes == 0
        assert intake.post(BODY).status_code == 200
        assert intake.guards.held_bytes == 0


def test_a_full_queue_in_front_of_the_disk_is_429_not_500(spool: Path):
    with running(spool, writer={"max_queue": 0}) as intake:
        answer = intake.post(BODY)
        assert (answer.status_code, limit(answer)[3]) == (429, "busy")
        assert intake.guards.status() == "the queue in front of the disk is full"
