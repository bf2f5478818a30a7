"""The client library against a started Daytwo: what it sends arrives, and is told where people look."""

import re
import subprocess
import sys
import textwrap

import pytest
import sites
from storm import eventually, signed_in


@pytest.fixture(scope="module")
def site(tmp_path_factory, furnished):
    site = sites.copy(furnished, tmp_path_factory.mktemp("client") / "data")
    site.start()
    yield site
    site.stop()


def run(script, **env):
    done = subprocess.run(
        [sys.executable, "-c", "import daytwo\n" + textwrap.dedent(script)],
        env={"PATH": "/usr/bin:/bin", "APP_VERSION": "1.4.2", **env}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def kinds_on(page):
    """What the ingest-health page says arrived: number by kind."""
    rows = re.findall(r'<tr><td class="cell-title">([^<]+)</td><td class="numeric">(.*?)</td>', page, re.DOTALL)
    return {kind: int(re.sub(r"<[^>]+>|\D", "", number)) for kind, number in rows}


def test_an_error_its_release_and_a_log_item_arrive(site):
    token = site.keys["api_token"]
    run(
        """
        assert daytwo.init(logs=True)
        with daytwo.scope.request(request_id="r-77"):
            daytwo.set_user("u1", email="jane@example.com", plan="pro")
            daytwo.get_logger("shop").info("order placed", order_id=5)
            daytwo.capture_exception(ValueError("no stock"), order_id=5, password="hunter2")
        """,
        SENTRY_DSN=site.keys["dsn"],
    )
    issue = eventually(lambda: site.get("/api/v1/issues", token=token)["results"])[0]
    event_id = site.get(f"/api/v1/issues/{issue['id']}/events", token=token)["results"][0]["eventId"]
    event = site.get(f"/api/v1/events/{event_id}", token=token)["event"]
    assert (event["release"], event["user"]["id"]) == ("1.4.2", "u1")
    assert event["contexts"]["additional"] == {"order_id": 5, "password": "[Filtered]"}
    assert site.query("SELECT version FROM catalog_release") == [("1.4.2",)]
    counted = "SELECT sum(count) FROM ingest_itemcount WHERE item_type = 'log' AND outcome = 'arrived'"
    assert eventually(lambda: site.query(counted)[0][0]) >= 1
    with signed_in(site) as browser:
        # The page is known by its address; where it leads may change.
        kinds = eventually(lambda: (found := kinds_on(browser.get("/operate/ingest").text)).get("Logs") and found)
    assert (kinds["Errors and messages"], kinds["Logs"]) == (1, 1)
