"""The released Node SDK against a started server: every request of it is chunked, without Content-Length."""

import json
import shutil
import subprocess
import time

import httpx
import pytest

NODE = shutil.which("node")
NPM = shutil.which("npm")
VERSION = "11.12.0"
APP = """
const Sentry = require("@sentry/node");
Sentry.init({ dsn: process.argv[2], release: "web@2.0.1", environment: "staging", tracesSampleRate: 1.0 });
function pay(order) { throw new TypeError(`order ${order} failed`); }
Sentry.startSpan({ name: "checkout" }, () => {
  try { pay(5); } catch (error) { console.log(Sentry.captureException(error)); }
});
Sentry.flush(5000).then(() => process.exit(0));
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    if not (NODE and NPM):
        pytest.skip("node and npm are not installed; `apt-get install nodejs npm` enables the Node SDK's contract test")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text("{}")
    done = subprocess.run(
        [NPM, "install", "--no-audit", "--no-fund", "--silent", f"@sentry/node@{VERSION}"],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"@sentry/node could not be installed: {done.stderr.strip()[:200]}")
    return folder


def test_an_error_of_the_node_sdk_is_stored_and_its_spans_are_counted(modules, shop, store_env):
    (modules / "app.js").write_text(APP)
    site = shop(env=store_env("node"))
    site.start()
    sent = subprocess.run(
        [NODE, "app.js", site.keys["dsn"]], cwd=modules, capture_output=True, text=True, check=True, timeout=60
    )
    event = _event(site, site.keys["api_token"], sent.stdout.strip())
    exception = event["exception"]["values"][-1]
    assert (exception["type"], exception["value"]) == ("TypeError", "order 5 failed")
    assert event["release"] == "web@2.0.1"
    assert any(frame["function"].endswith("pay") for frame in exception["stacktrace"]["frames"])
    assert "password" not in json.dumps(event)


def _event(site, token, event_id):
    deadline = time.monotonic() + 15
    while True:
        try:
            return site.get(f"/api/v1/events/{event_id}", token=token)["event"]
        except httpx.HTTPStatusError:
            assert time.monotonic() < deadline, "the event did not become visible"
            time.sleep(0.1)
