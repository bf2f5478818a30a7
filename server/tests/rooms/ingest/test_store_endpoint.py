"""The endpoint of older SDKs: one event as plain JSON."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import pytest
from intake import EVENT, EVENT_ID, KEY, PROJECT, Intake, running

from daytwo_server.ingest.limits import MIB, Limits

WITH_ID = json.dumps({"event_id": EVENT_ID, "message": "hello"}).encode()
AUTH = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}


@pytest.mark.parametrize("path", ["/api/42/store/", "/api/42/store", "/api/store/"])
def test_an_event_is_stored_and_answered_with_its_id(intake: Intake, path: str):
    answer = intake.post(WITH_ID, path)
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT_ID})
    [stored] = intake.envelopes()
    assert (stored.project, stored.event_id, stored.items) == (PROJECT, EVENT_ID, [("event", WITH_ID)])


def test_an_event_without_an_id_gets_one(intake: Intake):
    made = intake.post(EVENT, "/api/42/store/").json()["id"]
    assert intake.envelopes()[0].event_id == made


@pytest.mark.parametrize(
    "encoded",
    [base64.b64encode(zlib.compress(WITH_ID)), base64.b64encode(WITH_ID)],
)
def test_the_base64_of_very_old_clients_is_undone(intake: Intake, encoded: bytes):
    assert intake.post(encoded, "/api/42/store/").json() == {"id": EVENT_ID}
    assert intake.envelopes()[0].items == [("event", WITH_ID)]


def test_a_content_encoding_is_undone(intake: Intake):
    assert (
        intake.post(gzip.compress(WITH_ID), "/api/42/store/", headers=AUTH | {"Content-Encoding": "gzip"}).status_code
        == 200
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"AAAA", b"{", base64.b64encode(zlib.compress(b"[1]"))])
def test_what_is_no_event_is_refused_with_400(intake: Intake, body: bytes):
    assert intake.post(body, "/api/42/store/").status_code == 400


def test_an_event_that_is_too_large_is_413_also_inside_base64(intake: Intake):
    large = b'{"a":"' + b"x" * MIB + b'"}'
    assert intake.post(large, "/api/42/store/").status_code == 413
    assert intake.post(large * 3, "/api/42/store/").status_code == 413
    assert intake.post(base64.b64encode(zlib.compress(large)), "/api/42/store/").status_code == 413
    assert intake.post(base64.b64encode(zlib.compress(large * 9)), "/api/42/store/").status_code == 413
    assert intake.envelopes() == []


def test_a_transaction_is_counted_as_one(intake: Intake):
    assert intake.post(b'{"type":"transaction"}', "/api/42/store/").status_code == 200
    assert intake.dropped() == {("transaction", "not_stored_yet"): 1}


def test_a_transaction_is_stored_as_one_where_transactions_are(spool: Path):
    with running(spool, limits=Limits(stored=frozenset({"event", "transaction"}))) as intake:
        intake.post(b'{"type":"transaction"}', "/api/42/store/")
        assert intake.envelopes()[0].items == [("transaction", b'{"type":"transaction"}')]


def test_the_key_has_to_be_in_the_request(intake: Intake):
    assert intake.post(EVENT, "/api/42/store/", headers={}).status_code == 401
    assert intake.post(EVENT, f"/api/store/?sentry_key={KEY}", headers={}).status_code == 200
