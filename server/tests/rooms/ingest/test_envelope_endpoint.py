"""What an SDK posts to the envelope endpoint, and what it is answered."""

from __future__ import annotations

import json
import time

import pytest
from intake import EVENT, EVENT_ID, KEY, PROJECT, Intake, envelope

AUTH = f"X-Sentry-Auth: Sentry sentry_key={KEY}\r\n"


def test_an_event_is_in_the_spool_once_it_is_answered(intake: Intake):
    before = time.time()
    header = {
        "event_id": EVENT_ID,
        "sent_at": "2026-11-23T04:58:00.500Z",
        "sdk": {"name": "sentry.python", "version": "2.75.0"},
    }
    answer = intake.post(envelope(("event", EVENT), header=header))
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT_ID})
    [stored] = intake.envelopes()
    assert (stored.project, stored.key, stored.event_id) == (PROJECT, KEY, EVENT_ID)
    assert (stored.client_ip, stored.sdk, stored.items) == ("127.0.0.1", "sentry.python/2.75.0", [("event", EVENT)])
    assert stored.sent_at == 1795409880.5
    assert before <= stored.received <= time.time()


@pytest.mark.parametrize("path", ["/api/42/envelope/", "/api/42/envelope"])
def test_the_trailing_slash_is_optional(intake: Intake, path: str):
    assert intake.post(envelope(("event", EVENT)), path).status_code == 200


def test_a_dashed_event_id_is_answered_undashed(intake: Intake):
    header = {"event_id": "FC6D8C0C-43FC-4630-AD85-0EE518F1B9D0"}
    assert intake.post(envelope(("event", EVENT), header=header)).json() == {"id": EVENT_ID}


def test_an_event_without_an_id_in_the_header_keeps_the_one_in_its_payload(intake: Intake):
    payload = json.dumps({"event_id": EVENT_ID}).encode()
    assert intake.post(envelope(("event", payload), header={})).json() == {"id": EVENT_ID}


def test_an_event_without_any_id_gets_one(intake: Intake):
    made = intake.post(envelope(("event", EVENT), header={})).json()["id"]
    assert len(made) == 32
    assert intake.envelopes()[0].event_id == made


def test_an_envelope_without_an_event_is_answered_with_an_empty_object(intake: Intake):
    answer = intake.post(envelope(("session", b"{}"), header={}))
    assert (answer.status_code, answer.json()) == (200, {})


def test_items_without_length_and_without_a_last_newline_are_read(intake: Intake):
    body = envelope(("event", EVENT), ("attachment", b"one line"), lengths=False).rstrip(b"\n")
    assert intake.post(body).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]
    assert intake.arrived() == {"event": 1, "attachment": 1}


def test_item_types_that_are_not_stored_are_counted_and_their_neighbours_kept(intake: Intake):
    body = envelope(("from_the_future", b"\x00\x01"), ("event", EVENT), ("profile", b"{}"), ("profile", b"{}"))
    assert intake.post(body).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]
    assert intake.arrived() == {"from_the_future": 1, "event": 1, "profile": 2}
    assert intake.dropped() == {("from_the_future", "not_stored_yet"): 1, ("profile", "not_stored_yet"): 2}


def test_header_lines_may_end_in_crlf_but_a_carriage_return_after_a_payload_is_its_own(intake: Intake):
    body = b'{"event_id":"%b"}\r\n{"type":"event"}\r\n%b\r\n' % (EVENT_ID.encode(), EVENT)
    assert intake.post(body).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT + b"\r")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "envelope header"),
        (b"not json\n", "envelope header"),
        (b"[]\n", "envelope header"),
        (b'{"event_id":"nonsense"}\n', "envelope header"),
        (b'{"event_id":7}\n', "envelope header"),
        (b"{}\n[]\n", "item header"),
        (b'{}\n{"length":2}\n{}', "item header"),
        (b'{}\n{"type":"event","length":-1}\n{}', "item header"),
        (b'{}\n{"type":"event","length":100}\n{}', "truncated"),
        (b'{}\n{"type":"event","length":100}', "truncated"),
        (b'{}\n{"type":"event","length":2}\n{}{"type":"event"}\n{}', "malformed"),
        (b'{}\n{"type":"event"}\n{}\n{"type":"event"}\n{}', "more than one event"),
        (b'{}\n{"type":"event"}\n{}\n{"type":"transaction"}\n{}', "more than one event"),
        (b'{}\n{"type":"event"}\n[1]', "not a JSON object"),
        (b'{}\n{"type":"event"}\n{"a":', "not a JSON object"),
        (b'{}\n{"type":"event"}\n', "not a JSON object"),
        (b'{}\n{"type":"event"}\n' + b'{"a":' * 100_000, "not a JSON object"),
    ],
)
def test_a_malformed_envelope_is_refused_with_400_and_the_reason(intake: Intake, body: bytes, words: str):
    answer = intake.post(body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert answer.headers["x-sentry-error"] == answer.json()["detail"]
    assert intake.envelopes() == []
    assert intake.dropped() == {("request", "malformed"): 1}


def test_a_clock_that_cannot_be_read_does_not_lose_the_event(intake: Intake):
    for sent_at in ("yesterday", True, [], None, 10**400):
        assert intake.post(envelope(("event", EVENT), header={"sent_at": sent_at})).status_code == 200
    assert [stored.sent_at for stored in intake.envelopes()] == [None] * 5


def test_a_chunked_body_without_a_length_is_read(intake: Intake):
    body = envelope(("event", EVENT))
    chunks = (body[start : start + 7] for start in range(0, len(body), 7))
    assert intake.post(chunks).status_code == 200
    assert intake.envelopes()[0].items == [("event", EVENT)]


def test_a_client_that_hangs_up_leaves_nothing_behind(intake: Intake, caplog: pytest.LogCaptureFixture):
    intake.raw(
        f"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Length: 1000\r\n\r\n".encode()
        + envelope(("event", EVENT)),
        then_close=True,
    )
    deadline = time.monotonic() + 5
    while not intake.dropped() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert intake.dropped() == {("request", "client_gone"): 1}
    assert intake.envelopes() == []
    assert [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_answered_with_405_and_what_is_allowed(intake: Intake, method: str):
    answer = intake.http.request(method, "/api/42/envelope/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["/api/abc/envelope/", "/api/0/envelope/", "/api/-1/store/", "/api/4%322x/envelope/"])
def test_a_path_that_names_no_project_is_answered_with_404_in_json(intake: Intake, path: str):
    answer = intake.post(envelope(("event", EVENT)), path)
    assert answer.status_code == 404
    assert "project" in answer.json()["detail"]


def test_a_request_in_flight_is_finished_when_the_server_stops(intake: Intake):
    body = envelope(("event", EVENT))
    head = f"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Length: {len(body)}\r\n\r\n".encode()

    def stop_then_send():
        yield b""
        intake.server.should_exit = True
        time.sleep(0.3)
        yield body[20:]

    assert b" 200 " in intake.raw(head + body[:20], more=stop_then_send())
    intake.stop()
    assert [stored.event_id for stored in intake.envelopes()] == [EVENT_ID]


def test_a_defect_of_ours_is_logged_and_answered_400_not_500(intake: Intake, caplog: pytest.LogCaptureFixture):
    intake.app._keep = None  # any defect will do
    answer = intake.post(envelope(("event", EVENT)))
    assert (answer.status_code, answer.json()["detail"]) == (400, "Internal error.")
    assert "Intake failed" in caplog.text
    assert intake.dropped() == {("request", "internal_error"): 1}
