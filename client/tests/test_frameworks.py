"""The same promises in every framework: real apps, each in a process of its own, behind a real server."""

import json
import subprocess
import sys

import pytest
from receiver import Receiver
from served import APPS, Served

FRAMEWORKS = {
    "fastapi": (["fastapi_app.py"], "/orders/{number}"),
    "starlette": (["starlette_app.py"], "/orders/{number}"),
    "flask": (["flask_app.py"], "/orders/<int:number>"),
    "django-wsgi": (["django_app.py", "wsgi"], "/orders/<int:number>"),
    "django-asgi": (["django_app.py", "asgi"], "/orders/<int:number>"),
}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_request_has_an_id_a_scope_one_line_and_its_failure_one_report(name, receiver):
    script, route = FRAMEWORKS[name]
    name, *arguments = script
    app = Served(name, "PORT", *arguments, SENTRY_DSN=receiver.dsn, APP_VERSION="1.4.2")
    try:
        headers = {"X-Request-ID": "abc-1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        status, answered, body = app.get("/orders/5", **headers)
        assert (status, json.loads(body)) == (200, {"number": 5})
        assert answered.get_all("X-Request-ID") == ["abc-1"]
        forged = app.get("/orders/6", **{"X-Request-ID": "a b" * 60})[1]["X-Request-ID"]
        assert len(forged) == 32
        assert app.get("/nowhere/secret-token")[0] == 404
        assert app.get("/fail")[0] == 500
        status, _, body = app.get("/health")
        assert (status, json.loads(body)["status"]) == (200, "healthy")
        assert app.get("/health/ready")[0] == 200
    finally:
        lines = app.end()
    shown, first, *_ = (line for line in lines if line.get("request_id") == "abc-1")
    assert (shown["message"], shown["number"], shown["trace_id"]) == ("order shown", 5, TRACE)
    # What a sync view added is in the line of the middleware around it.
    assert {k: first[k] for k in ("message", "method", "route", "status", "plan", "trace_id")} == {
        "message": "request", "method": "GET", "route": route, "status": 200, "plan": "pro", "trace_id": TRACE,
    }  # fmt: skip
    assert first["duration_ms"] >= 0
    assert first["bytes"] > 0
    access = [line for line in lines if line["message"] == "request"]
    assert [line["status"] for line in access] == [200, 200, 404, 500]
    assert access[2]["route"] == "unmatched"
    assert "secret-token" not in json.dumps(lines)
    failures = [event for event in receiver.wait() if "exception" in event]
    assert len(failures) == 1, "reported once, whoever saw it first"
    assert failures[0]["exception"]["values"][-1]["value"] == "no stock"
    assert failures[0]["tags"]["request_id"] == access[3]["request_id"]
    assert failures[0]["user"]["id"] == "u1"
    assert failures[0]["tags"]["plan"] == "pro"


def test_a_task_carries_the_scope_of_whoever_sent_it(receiver):
    done = subprocess.run(
        [sys.executable, "-u", str(APPS / "celery_app.py")],
        env={"PATH": "/usr/bin:/bin", "SENTRY_DSN": receiver.dsn}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    shipped, task, lost = (line for line in lines if "request_id" in line)
    assert (shipped["message"], shipped["request_id"], shipped["user_id"], shipped["number"]) == (
        "shipped",
        "r-1",
        "u1",
        5,
    )
    assert (task["message"], task["state"], task["task"]) == ("task", "success", "shop.ship")
    assert (lost["state"], lost["task"]) == ("failure", "shop.lose")
    assert "hunter2" not in done.stdout
    failed = [event for event in receiver.wait() if "exception" in event]
    assert [event["exception"]["values"][-1]["value"] for event in failed] == ["lost"]
    assert failed[0]["tags"]["request_id"] == "r-1"
