"""From a stock SDK to the API and the page, through a started server."""

import json
import subprocess
import sys
import textwrap
import time

import httpx
import pytest
import sites

APP = """
import sys, sentry_sdk
sentry_sdk.init(dsn=sys.argv[1], release="shop@1.4.2", environment="staging", default_integrations=True)
sentry_sdk.set_user({"id": "42", "email": "dana@example.com"})
def charge(order):
    password = "hunter2"
    raise ValueError(f"card declined for order {order}")
try:
    charge(int(sys.argv[2]))
except ValueError as problem:
    print(sentry_sdk.capture_exception(problem))
sentry_sdk.flush(5)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, furnished, store_env):
    installation = sites.copy(furnished, tmp_path_factory.mktemp("shop") / "data", env=store_env("shop"))
    installation.start()
    yield installation
    installation.stop()


def run_app(dsn, order, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(textwrap.dedent(APP))
    done = subprocess.run([sys.executable, script, dsn, str(order)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def wait_for(look, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def event_of(shop, token, event_id):
    try:
        return shop.get(f"/api/v1/events/{event_id}", token=token)
    except httpx.HTTPStatusError as problem:
        assert problem.response.status_code == 404
        return None


def test_an_exception_of_a_stock_sdk_is_an_issue_within_a_second(shop, tmp_path):
    keys = shop.setup("First")
    event_id = run_app(keys["dsn"], 7, tmp_path)
    sent = time.monotonic()
    found = wait_for(lambda: event_of(shop, keys["api_token"], event_id))
    assert time.monotonic() - sent < 5  # the second itself is measured by `make bench`: test machines are noisy
    assert "hunter2" not in json.dumps(found)
    (issue,) = shop.get("/api/v1/issues?project=first", token=keys["api_token"])["results"]
    assert (issue["type"], issue["value"], issue["status"]) == ("ValueError", "card declined for order 7", "unresolved")
    assert (issue["count"], issue["users"], issue["project"]) == (1, 1, "first")
    assert found["issue"]["id"] == issue["id"]


def test_setup_prints_the_same_keys_again_and_a_running_server_takes_new_ones_at_once(shop, tmp_path):
    first, again, other = shop.setup("Keys"), shop.setup("Keys"), shop.setup("Other")
    assert first == again
    assert other["dsn"] != first["dsn"]
    assert other["api_token"] == first["api_token"]
    event_id = run_app(other["dsn"], 8, tmp_path)
    assert wait_for(lambda: event_of(shop, other["api_token"], event_id), seconds=5)


def test_a_resolved_issue_comes_back_when_it_happens_again(shop, tmp_path):
    keys = shop.setup("Regress")
    run_app(keys["dsn"], 1, tmp_path)
    issues = "/api/v1/issues?project=regress"
    (issue,) = wait_for(lambda: shop.get(issues, token=keys["api_token"])["results"])
    changed = httpx.patch(
        f"{shop.url}/api/v1/issues/{issue['id']}",
        json={"status": "resolved"},
        headers={"Authorization": f"Bearer {keys['api_token']}"},
    )
    assert changed.json()["status"] == "resolved"
    run_app(keys["dsn"], 2, tmp_path)
    back = wait_for(lambda: shop.get(issues + "&status=unresolved", token=keys["api_token"])["results"])
    assert back[0]["id"] == issue["id"]
    assert back[0]["count"] == 2


def test_an_outsider_reads_nothing_from_the_api(shop):
    keys = shop.setup("First")
    for token in ("", "dt_00000000_" + "x" * 43):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            shop.get("/api/v1/issues", token=token)
        assert refused.value.response.status_code == 401
    assert shop.get("/api/v1/openapi.json", token=keys["api_token"])["openapi"]


def test_health_answers_while_everything_runs(shop):
    assert shop.get("/api/health/live")["status"] == "ok"
    whole = shop.get("/api/health")
    assert whole["status"] == "healthy"
    assert set(whole["checks"]) >= {"database", "telemetry", "intake", "digest"}
    assert "daytwo_ingest_items_total" in httpx.get(f"{shop.url}/metrics").text
