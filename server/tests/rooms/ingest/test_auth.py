"""Who may send: four places for the key, one answer for each way to get it wrong."""

from __future__ import annotations

import pytest
from intake import EVENT, EVENT_ID, KEY, PROJECT, Intake, envelope

from daytwo_server.ingest.keys import Key

OTHER = "f" * 32
BODY = envelope(("event", EVENT))
DSN = f"https://{KEY}@errors.example.com/prefix/{PROJECT}"


def with_dsn(dsn: str) -> bytes:
    return envelope(("event", EVENT), header={"event_id": EVENT_ID, "dsn": dsn})


def test_the_key_is_taken_from_the_query_as_browsers_send_it(intake: Intake):
    path = f"/api/42/envelope/?sentry_version=7&sentry_key={KEY}&sentry_client=sentry.javascript.browser%2F11.12.0"
    assert intake.post(BODY, path, headers={}).status_code == 200
    assert intake.envelopes()[0].sdk == "sentry.javascript.browser/11.12.0"


@pytest.mark.parametrize("name", ["X-Sentry-Auth", "Authorization"])
def test_the_key_is_taken_from_either_header(intake: Intake, name: str):
    header = f"Sentry sentry_version=7, sentry_key={KEY}, sentry_client=sentry.python/2.75.0"
    assert intake.post(BODY, headers={name: header}).status_code == 200
    assert intake.envelopes()[0].sdk == "sentry.python/2.75.0"


def test_the_key_is_taken_from_the_dsn_in_the_envelope_as_tunnels_send_it(intake: Intake):
    assert intake.post(with_dsn(DSN), headers={}).status_code == 200
    assert intake.envelopes()[0].key == KEY


def test_a_dsn_in_a_header_line_that_never_ends_is_still_looked_at(intake: Intake):
    assert intake.post(with_dsn(DSN).split(b"\n")[0], headers={}).status_code == 200
    assert intake.post(b"{}", headers={}).status_code == 401


def test_a_bearer_token_beside_the_key_is_none_of_our_business(intake: Intake):
    headers = {"Authorization": "Bearer token-of-sentry-cli", "X-Sentry-Auth": f"Sentry sentry_key={KEY}"}
    assert intake.post(BODY, headers=headers).status_code == 200


def test_all_places_may_name_the_same_key(intake: Intake):
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}", "Authorization": f"Sentry sentry_key={KEY}"}
    assert intake.post(with_dsn(DSN), f"/api/42/envelope/?sentry_key={KEY}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        (f"/api/42/envelope/?sentry_key={OTHER}", {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}, BODY),
        (f"/api/42/envelope/?sentry_key={KEY}&sentry_key={OTHER}", {}, BODY),
        (
            "/api/42/envelope/",
            {"X-Sentry-Auth": f"Sentry sentry_key={KEY}", "Authorization": f"Sentry sentry_key={OTHER}"},
            BODY,
        ),
        ("/api/42/envelope/", {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}, with_dsn(DSN.replace(KEY, OTHER))),
    ],
)
def test_places_that_disagree_are_refused_with_403(intake: Intake, path: str, headers: dict[str, str], body: bytes):
    intake.keys[OTHER] = Key(public_key=OTHER, project=PROJECT)
    answer = intake.post(body, path, headers=headers)
    assert answer.status_code == 403
    assert "different keys" in answer.json()["detail"]
    assert intake.envelopes() == []


def test_no_key_anywhere_is_401(intake: Intake):
    answer = intake.post(BODY, headers={})
    assert answer.status_code == 401
    assert answer.json()["causes"]
    assert answer.headers["x-sentry-error"] == "The request carries no key."
    assert intake.dropped() == {("request", "missing_key"): 1}


def test_a_key_nobody_knows_is_403(intake: Intake):
    for key in (OTHER, "x" * 500, "\u00e9"):
        answer = intake.http.post(f"/api/42/envelope/?sentry_key={key}", content=BODY)
        assert (answer.status_code, answer.json()["detail"]) == (403, "The key is not known here.")


def test_a_disabled_key_is_403_and_its_project_sees_the_loss(intake: Intake):
    intake.keys[OTHER] = Key(public_key=OTHER, project=7, active=False)
    answer = intake.post(BODY, "/api/7/envelope/", headers={"X-Sentry-Auth": f"Sentry sentry_key={OTHER}"})
    assert (answer.status_code, answer.json()["detail"]) == (403, "The key is disabled.")
    intake.stop()
    assert [row[:2] + row[3:] for row in intake.counted()] == [("7", "request", "dropped", "disabled_key")]


def test_the_key_of_another_project_is_403(intake: Intake):
    answer = intake.post(BODY, "/api/43/envelope/")
    assert (answer.status_code, answer.json()["detail"]) == (403, "The key does not belong to project 43.")


def test_a_dsn_of_another_project_is_403(intake: Intake):
    assert intake.post(with_dsn(DSN.replace("/42", "/43"))).status_code == 403
    assert intake.post(with_dsn(DSN.replace("/42", "/43")), headers={}).status_code == 403


@pytest.mark.parametrize(
    "dsn", ["", "nonsense", "https://host/42", f"https://{KEY}@host/", f"https://{KEY}@host/x", "http://[/42"]
)
def test_a_dsn_that_is_none_is_400(intake: Intake, dsn: str):
    assert intake.post(with_dsn(dsn), headers={}).status_code == 400


def test_a_user_agent_names_the_sdk_when_nothing_else_does(intake: Intake):
    intake.post(BODY, headers={"X-Sentry-Auth": f"Sentry sentry_key={KEY}", "User-Agent": "my.sdk/3 (odd <stuff>)"})
    assert intake.envelopes()[0].sdk == "my.sdk/3"
