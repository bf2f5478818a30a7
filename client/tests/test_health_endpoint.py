import json
import re

import pytest

from daytwo import health
from daytwo.health import CheckResult, Report, respond
from daytwo.health.endpoint import kind_of

DATABASE = CheckResult(name="database", required=True, status="pass", latency_ms=1.5, message="42 connections")
CACHE_DOWN = CheckResult(name="cache", required=False, status="fail", latency_ms=3.0, message="OSError: cache-1 gone")
DATABASE_DOWN = CheckResult(name="database", required=True, status="fail", latency_ms=800.0, message="timeout")
SLOW = CheckResult(name="search", required=True, status="pass", latency_ms=900.0, message="slow", slow=True)
STALE = CheckResult(name="queue", required=True, status="pass", latency_ms=2.0, stale=True)
SKIPPED = CheckResult(name="mailer", required=False, status="skipped", latency_ms=0.1, message="not configured")


def report(*checks: CheckResult, draining: bool = False) -> Report:
    return Report(
        checks=checks,
        time=1772357400.25,
        version="1.4.0",
        service_id="shop",
        release_id="shop@1.4.0",
        uptime=61.04,
        draining=draining,
    )


def body(response):
    return json.loads(response.body)


def test_the_privileged_see_the_whole_reference_form():
    response = respond("all", report(DATABASE, CACHE_DOWN, SKIPPED, STALE), privileged=True)
    assert response.status == 200
    assert body(response) == {
        "status": "degraded",
        "timestamp": "2026-03-01T09:30:00.250Z",
        "version": "1.4.0",
        "serviceId": "shop",
        "releaseId": "shop@1.4.0",
        "uptime": 61.0,
        "checks": {
            "database": {"status": "pass", "latency": 1.5, "required": True, "message": "42 connections"},
            "cache": {"status": "fail", "latency": 3.0, "required": False, "message": "OSError: cache-1 gone"},
            "mailer": {"status": "skipped", "latency": 0.1, "required": False, "message": "not configured"},
            "queue": {"status": "pass", "stale": True, "latency": 2.0, "required": True},
        },
    }


@pytest.mark.parametrize("accept", ["", "application/health+json", "text/plain", "application/openmetrics-text"])
@pytest.mark.parametrize("kind", ["all", "ready"])
def test_the_public_sees_names_and_states_and_nothing_that_helps_an_attacker(kind, accept):
    response = respond(kind, report(DATABASE, CACHE_DOWN, SLOW), accept=accept)
    text = response.body.decode()
    assert "database" in text
    for detail in ("cache-1", "42 connections", "900", "0.9", "shop", "61"):
        assert detail not in text


def test_the_public_answer_is_status_and_names():
    assert body(respond("all", report(DATABASE, CACHE_DOWN))) == {
        "status": "degraded",
        "timestamp": "2026-03-01T09:30:00.250Z",
        "version": "1.4.0",
        "checks": {"database": {"status": "pass"}, "cache": {"status": "fail"}},
    }


@pytest.mark.parametrize(
    ("checks", "status", "code"),
    [
        ((DATABASE,), "healthy", 200),
        ((DATABASE, CACHE_DOWN), "degraded", 200),
        ((DATABASE, SLOW), "degraded", 200),
        ((DATABASE, STALE), "degraded", 200),
        ((DATABASE, SKIPPED), "healthy", 200),
        ((DATABASE_DOWN, CACHE_DOWN), "unhealthy", 503),
    ],
)
def test_only_a_failing_required_check_is_503(checks, status, code):
    response = respond("all", report(*checks))
    assert (body(response)["status"], response.status) == (status, code)


@pytest.mark.parametrize(
    ("found", "status", "code"),
    [
        (report(DATABASE), "ready", 200),
        (report(STALE), "ready", 200),
        (report(DATABASE_DOWN), "not ready", 503),
        (report(DATABASE, draining=True), "not ready", 503),
    ],
)
def test_ready_fails_with_a_required_check_or_while_draining(found, status, code):
    response = respond("ready", found)
    assert (body(response)["status"], response.status) == (status, code)
    assert body(response).get("draining", False) == found.draining


def test_details_are_shown_to_the_privileged_only():
    queue = CheckResult(name="queue", required=True, status="pass", latency_ms=1.0, details={"lag": 3})
    assert body(respond("all", report(queue), privileged=True))["checks"]["queue"]["details"] == {"lag": 3}
    assert body(respond("all", report(queue)))["checks"]["queue"] == {"status": "pass"}


def test_draining_does_not_make_the_whole_unhealthy():
    assert respond("all", report(DATABASE, draining=True)).status == 200


def test_live_looks_at_the_loop_alone():
    assert body(respond("live", report(DATABASE_DOWN, draining=True))) == {"status": "ok"}
    assert respond("live", report(), loop_age=29).status == 200
    assert respond("live", report(), loop_age=31).status == 503


def test_health_json_maps_states_as_the_draft_says():
    response = respond(
        "all", report(DATABASE, CACHE_DOWN, SLOW, SKIPPED), accept="application/health+json", privileged=True
    )
    assert dict(response.headers)["content-type"] == "application/health+json"
    answer = body(response)
    assert answer["status"] == "warn"
    assert (answer["serviceId"], answer["releaseId"], answer["version"]) == ("shop", "shop@1.4.0", "1.4.0")
    time = "2026-03-01T09:30:00.250Z"
    assert answer["checks"] == {
        "database:responseTime": [
            {"componentId": "database", "time": time, "status": "pass", "observedValue": 1.5, "observedUnit": "ms"}
        ],
        "cache:responseTime": [
            {
                "componentId": "cache",
                "time": time,
                "status": "fail",
                "observedValue": 3.0,
                "observedUnit": "ms",
                "output": "OSError: cache-1 gone",
            }
        ],
        "search:responseTime": [
            {
                "componentId": "search",
                "time": time,
                "status": "warn",
                "observedValue": 900.0,
                "observedUnit": "ms",
                "output": "slow",
            }
        ],
        "mailer:responseTime": [{"componentId": "mailer", "time": time, "output": "not configured"}],
    }
    failed = respond("all", report(DATABASE_DOWN), accept="application/health+json")
    assert (failed.status, body(failed)["status"]) == (503, "fail")
    assert body(respond("ready", report(DATABASE), accept="application/health+json"))["status"] == "pass"


def test_metrics_are_valid_lines_and_always_200():
    named = CheckResult(name='a "b"\\\n', required=False, status="pass", latency_ms=250.0)
    response = respond("all", report(DATABASE_DOWN, named, SKIPPED), accept="text/plain", privileged=True)
    assert response.status == 200
    assert dict(response.headers)["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.body.decode().split("\n")
    assert lines.pop() == ""
    line = re.compile(r'# (HELP|TYPE) \w+ .+|\w+({\w+="(\\.|[^"\\])*"(,\w+="(\\.|[^"\\])*")*})? [0-9.]+')
    assert [text for text in lines if not line.fullmatch(text)] == []
    assert 'daytwo_health_status{status="unhealthy"} 1' in lines
    assert 'daytwo_health_status{status="healthy"} 0' in lines
    assert 'daytwo_health_check_up{check="database",required="true"} 0' in lines
    assert r'daytwo_health_check_latency_seconds{check="a \"b\"\\\n",required="false"} 0.25' in lines
    assert "mailer" not in response.body.decode()


def test_openmetrics_ends_as_it_must():
    response = respond("all", report(DATABASE), accept="application/openmetrics-text")
    assert dict(response.headers)["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert response.body.endswith(b"\n# EOF\n")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("image/png", "application/json"),
        ("application/health+json, application/json;q=0.9", "application/health+json"),
        ("application/json, application/health+json", "application/json"),
        ("application/health+json;q=0", "application/json"),
        ("application/health+json;q=nonsense", "application/json"),
        ("TEXT/PLAIN", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ],
)
def test_the_form_follows_the_accept_header(accept, content_type):
    assert dict(respond("all", report(DATABASE), accept=accept).headers)["content-type"] == content_type


def test_a_probe_for_a_check_that_does_not_exist_is_told_so():
    response = respond("all", report(DATABASE), query="only=database,databse")
    assert response.status == 400
    assert body(response) == {"detail": "no such check here", "fields": {"only": ["databse"]}}


@pytest.mark.parametrize("kind", ["live", "ready", "all"])
def test_no_answer_may_be_stored(kind):
    headers = dict(respond(kind, report(DATABASE)).headers)
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/health/live", "live"),
        ("/health/live/", "live"),
        ("/live", "live"),
        ("/internal/health/ready", "ready"),
        ("/health", "all"),
        ("/", "all"),
        ("", "all"),
        ("/alive", "all"),
    ],
)
def test_the_end_of_the_path_says_what_is_asked(path, kind):
    assert kind_of(path) == kind


def test_the_names_users_rely_on_are_there():
    for name in ("check", "asgi", "wsgi", "draining", "Skip", "Registry"):
        assert hasattr(health, name)
