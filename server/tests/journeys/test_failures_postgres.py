"""PostgreSQL goes away in the middle of a storm and comes back."""

import threading
import time

import httpx
import pytest
from storm import Storm, check_nothing_lost, eventually, health, press, signed_in


@pytest.fixture
def site(shop, database):
    return shop(env={"DATABASE_URL": database})


class Listener:
    """A page that listens to its live stream, as browsers do: it connects again when the stream ends."""

    def __init__(self, browser):
        self.heard = []
        self._browser = browser
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        with (
            httpx.Client(base_url=self._browser.base_url, cookies=self._browser.cookies) as client,
            client.stream("GET", "/live?topic=errors", timeout=60) as stream,
        ):
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    self.heard.append(time.monotonic())

    def hears(self, *, since):
        return any(at > since for at in self.heard)


def test_a_restart_of_postgres_in_a_storm_loses_nothing_and_everything_connects_again(site, postgres):
    site.start()
    with signed_in(site) as alice, Storm(site, 900, rate_per_s=180) as storm:
        live = Listener(alice)
        eventually(lambda: storm.outcome.codes["200"] > 100)
        eventually(lambda: live.heard)
        postgres.stop()
        try:
            check_the_outage_is_told(site, alice)
        finally:
            postgres.start()
        back = time.monotonic()
        eventually(lambda: alice.get("/errors/").status_code == 200)
        eventually(lambda: health(site)["status"] == "healthy")
        eventually(lambda: live.hears(since=back))
    assert storm.outcome.codes == {"200": 900}
    check_nothing_lost(site, storm.acked)
    site.keys = site.setup("Second")
    with Storm(site, 5, rate_per_s=100) as new_key:
        pass
    assert new_key.outcome.codes == {"200": 5}
    with signed_in(site) as alice:
        assert press(alice, "/errors/1/", do="resolve").status_code == 200
    eventually(lambda: site.query("SELECT count(*) FROM core_job WHERE state <> 'dead' AND run_at < now()") == [(0,)])
    assert "Traceback" not in site.log.read_text()


def check_the_outage_is_told(site, browser):
    began = time.monotonic()
    told = httpx.get(f"{site.url}/api/health", timeout=5)
    assert time.monotonic() - began < 5
    # What was asked in the last seconds may still be known; then it is asked again.
    told = eventually(lambda: (now := health(site))["status"] == "unhealthy" and now)
    assert told["checks"]["database"]["message"]
    eventually(lambda: "the digest cannot write" in health(site)["checks"]["digest"].get("message", ""))
    for path in ("/errors/", "/errors/1/", "/settings/ingest/", "/login/"):
        began = time.monotonic()
        page = browser.get(path)
        assert time.monotonic() - began < 5
        if path != "/login/":
            assert page.status_code == 503
            assert "The database cannot be used now" in page.text
    metrics = httpx.get(f"{site.url}/metrics", timeout=5).text
    assert "daytwo_database_up 0" in metrics
    assert "daytwo_spool_bytes" in metrics
    assert httpx.get(f"{site.url}/api/health/live", timeout=5).status_code == 200
