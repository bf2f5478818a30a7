"""What a browser page may send and read."""

from __future__ import annotations

import pytest
from intake import EVENT, KEY, PROJECT, Intake, envelope

from daytwo_server.ingest.keys import Key

BODY = envelope(("event", EVENT))
PATH = f"/api/42/envelope/?sentry_key={KEY}"


def restrict(intake: Intake, *origins: str) -> None:
    intake.keys[KEY] = Key(public_key=KEY, project=PROJECT, allowed_origins=origins)
    intake.table._keys = dict(intake.keys)


def send(intake: Intake, origin: str, method: str = "POST"):
    return intake.http.request(method, PATH, content=BODY, headers={"Origin": origin})


def test_any_page_may_read_the_answer_and_the_headers_that_slow_it_down(intake: Intake):
    answer = send(intake, "https://shop.example.com")
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert set(exposed) == {"x-sentry-error", "x-sentry-rate-limits", "retry-after"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/42/envelope/", 401),
        ("POST", f"/api/43/envelope/?sentry_key={KEY}", 403),
        ("POST", "/api/x/envelope/", 404),
        ("GET", "/api/42/envelope/", 405),
    ],
)
def test_errors_can_be_read_by_pages_too(intake: Intake, method: str, path: str, status: int):
    answer = intake.http.request(method, path, content=BODY, headers={"Origin": "https://shop.example.com"})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_a_preflight_allows_what_sdks_send_for_an_hour(intake: Intake):
    answer = intake.http.options(
        PATH, headers={"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-max-age"] == "3600"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"x-sentry-auth", "content-type", "content-encoding", "authorization", "sentry-trace", "baggage"} <= set(
        allowed
    )


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com/", "https://Shop.Example.com"),
        ("shop.example.com", "http://shop.example.com:8080"),
        ("*.example.com", "https://a.b.example.com"),
        ("https://*.example.com", "https://a.b.example.com"),
        ("https://*.example.com:8443", "https://shop.example.com:8443"),
        ("*", "null"),
    ],
)
def test_an_allowed_page_is_named_in_the_answer(intake: Intake, entry: str, origin: str):
    restrict(intake, "https://other.example.net", entry)
    answer = send(intake, origin)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.net", "http://shop.example.com", "https://shop.example.com.evil.net", "null", "http://["],
)
def test_another_page_is_refused_and_may_not_read_why(intake: Intake, origin: str):
    restrict(intake, "https://shop.example.com", "*.example.org")
    for method in ("POST", "OPTIONS"):
        answer = send(intake, origin, method)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert intake.envelopes() == []


@pytest.mark.parametrize("entry", ["*.example.com", "https://*.example.com"])
def test_a_domain_entry_does_not_mean_names_that_only_end_alike(intake: Intake, entry: str):
    restrict(intake, entry)
    assert send(intake, "https://badexample.com").status_code == 403
    assert send(intake, "https://example.com").status_code == 403


def test_a_domain_entry_with_a_scheme_means_that_scheme(intake: Intake):
    restrict(intake, "https://*.example.com")
    assert send(intake, "http://shop.example.com").status_code == 403


def test_a_server_sends_no_origin_and_is_not_asked(intake: Intake):
    restrict(intake, "https://shop.example.com")
    assert intake.post(BODY).status_code == 200
