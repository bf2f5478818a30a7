"""The released OFREP providers for servers and for browsers, run by node against the doors."""

from __future__ import annotations

import threading

import npm
import pytest
from doors import CLIENT_KEY, SERVER_KEY, running, until
from flag_server import flag

PACKAGES = [
    "@openfeature/server-sdk@1.23.0", "@openfeature/ofrep-provider@0.1.3", "@openfeature/web-sdk@1.10.0",
    "@openfeature/ofrep-web-provider@0.4.3", "eventsource@4.1.0",
]  # fmt: skip
SERVER = """
const { OpenFeature } = require("@openfeature/server-sdk");
const { OFREPProvider } = require("@openfeature/ofrep-provider");
const [url, key] = process.argv.slice(2);
(async () => {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers: [["Authorization", `Bearer ${key}`]] }));
  const client = OpenFeature.getClient();
  const say = async (kind, flag, preset, context) => {
    const found = await client[`get${kind}Details`](flag, preset, context);
    console.log(JSON.stringify([found.value, found.reason, found.variant ?? null, found.errorCode ?? null]));
  };
  await say("Boolean", "plain", false, {});
  await say("Boolean", "pro", false, { targetingKey: "dana", plan: "pro" });
  await say("Boolean", "pro", true, { targetingKey: "dana", plan: "free" });
  await say("String", "string", "", {});
  await say("Number", "float", 0, {});
  await say("Object", "object", {}, {});
  await say("Boolean", "off", true, {});
  await say("Boolean", "nope", false, {});
  await say("Boolean", "half", false, {});
})();
"""
# In a browser, EventSource is there; the key goes with the address that the bulk evaluation gave.
WEB = """
const { EventSource } = require("eventsource");
globalThis.EventSource = EventSource;
globalThis.localStorage = { getItem: () => null, setItem() {}, removeItem() {}, key: () => null, length: 0 };
const { OpenFeature, ClientProviderEvents } = require("@openfeature/web-sdk");
const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");
const [url, key] = process.argv.slice(2);
const say = (...what) => console.log(JSON.stringify(what));
const provider = new OFREPWebProvider({ baseUrl: url, headers: [["Authorization", `Bearer ${key}`]], cacheMode: "disabled" });
(async () => {
  await OpenFeature.setContext({ targetingKey: "dana", plan: "free" });
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  say("first", client.getBooleanValue("pro", true), client.getBooleanDetails("hidden", false).errorCode);
  await OpenFeature.setContext({ targetingKey: "dana", plan: "pro" });
  say("other plan", client.getBooleanValue("pro", false));
  client.addHandler(ClientProviderEvents.ConfigurationChanged, () => {
    say("changed", client.getBooleanValue("pro", true), Date.now());
    process.exit(0);
  });
  setTimeout(() => process.exit(3), 10000);
})();
"""
FLAGS = [
    flag("plain"),
    flag("pro", allowedPlans=["pro"], clientExposed=True),
    flag("off", enabled=False),
    flag("hidden"),
    flag("half", rolloutPercentage=50),
    *(
        flag(
            kind,
            type=kind,
            defaultVariant="a",
            variants=[{"name": "a", "value": value}, {"name": "off", "value": none}],
        )
        for kind, value, none in (("string", "blue", ""), ("float", 3, 0), ("object", {"a": [1]}, {}))
    ),
]


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return npm.installed(tmp_path_factory.mktemp("ofrep"), *PACKAGES)


def test_the_provider_for_servers_understands_every_answer(modules):
    with running(*FLAGS) as doors:
        said = npm.run(modules, SERVER, doors.url, SERVER_KEY)
    assert said == [
        [True, "STATIC", "on", None], [True, "TARGETING_MATCH", "on", None], [False, "TARGETING_MATCH", "off", None],
        ["blue", "STATIC", "a", None], [3, "STATIC", "a", None], [{"a": [1]}, "STATIC", "a", None],
        [False, "DISABLED", "off", None], [False, "ERROR", None, "FLAG_NOT_FOUND"],
        [False, "ERROR", None, "TARGETING_KEY_MISSING"],
    ]  # fmt: skip


def test_the_provider_for_browsers_follows_the_plan_and_hears_of_a_change_within_a_second(modules):
    with running(*FLAGS) as doors:
        changed_at: list[float] = []

        def change() -> None:
            import time

            until(lambda: len(doors.door._streams) == 1, 30)
            changed_at.append(time.time())
            doors.put(flag("pro", allowedPlans=["pro"], clientExposed=True, killed=True))

        thread = threading.Thread(target=change)
        thread.start()
        said = npm.run(modules, WEB, doors.url, CLIENT_KEY)
        thread.join()
    assert said[:2] == [["first", False, "FLAG_NOT_FOUND"], ["other plan", True]]
    assert said[2][:2] == ["changed", False]
    assert said[2][2] / 1000 - changed_at[0] < 1
