"""How often a flag answered what, as Daytwo is told."""

import json
import time

import pytest
from flag_server import KEY, flag, snapshot, until

from daytwo import flags
from daytwo.flags import Client, refreshed


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(refreshed, "_FLUSH_S", 0.05)


@pytest.fixture
def ready(server, client, quick):
    server.snapshot = snapshot(flag(revision=3, allowedPlans=["pro"]), flag("other"), revision=9)
    client.configure(server.url, KEY, poll_seconds=0.1)
    assert client.wait_ready(5)
    return client


def test_counts_are_summed_up(ready, server, monkeypatch):
    monkeypatch.setenv("DAYTWO_SERVICE", "billing")
    for number in range(10):
        ready.enabled("new-checkout", user=f"u{number}", plan="pro")
        ready.variant("new-checkout", user=f"u{number}", plan="free")
    ready.enabled("missing-one")
    until(lambda: sum(server.counts().values()) == 20 and any(batch["missing"] for batch in server.batches))
    batch = server.batches[0]
    assert batch.keys() == {"instance", "sequence", "service", "from", "to", "exposures", "missing"}
    assert (batch["service"], batch["sequence"]) == ("billing", 1)
    assert batch["from"] <= batch["to"]
    found = {
        (one["variant"], one["enabled"], one["revision"], one["reason"])
        for b in server.batches
        for one in b["exposures"]
    }
    assert found == {("on", True, 3, "TARGETING_MATCH"), ("off", False, 3, "TARGETING_MATCH")}
    assert [one for b in server.batches for one in b["missing"]] == [{"flag": "missing-one", "count": 1}]


def test_without_anything_to_tell_nothing_is_sent(ready, server):
    time.sleep(0.3)
    assert [method for method, _, _ in server.asked if method == "POST"] == []


def test_explanations_and_tests_are_no_exposures(ready, server):
    ready.evaluate("new-checkout", plan="pro", explain=True)
    with ready.overriding({"new-checkout": True}):
        assert ready.enabled("new-checkout")
    ready.enabled("other")
    until(server.counts)
    assert server.counts() == {("other", True): 1}


def test_what_may_have_arrived_is_sent_again_as_it_was(ready, server):
    server.trouble = 500
    ready.enabled("other")
    until(lambda: sum(method == "POST" for method, _, _ in server.asked) > 2)
    ready.enabled("other")
    server.trouble = None
    until(lambda: sum(server.counts().values()) == 2)
    time.sleep(0.15)
    assert sum(server.counts().values()) == 2
    assert [batch["sequence"] for batch in server.batches] == [1, 2]


def test_what_is_refused_for_good_is_not_sent_again(ready, server):
    server.trouble = 400
    ready.enabled("other")
    until(lambda: any(method == "POST" for method, _, _ in server.asked))
    time.sleep(0.2)
    server.trouble = None
    ready.enabled("other")
    until(server.counts)
    assert (server.counts(), server.batches[0]["sequence"]) == ({("other", True): 1}, 2)


def test_the_end_of_a_client_delivers_what_is_left_within_a_second(server):
    server.snapshot = snapshot(flag())
    client = Client()
    client.configure(server.url, KEY, poll_seconds=0.1)
    assert client.wait_ready(5)
    client.enabled("new-checkout")
    client.close()
    assert server.counts() == {("new-checkout", True): 1}
    server.trouble = "silent"
    client.configure(server.url, KEY, poll_seconds=0.1)
    client._ruleset = flags.Ruleset(snapshot(flag()))
    client._show()
    client.enabled("new-checkout")
    begun = time.monotonic()
    client.close()
    assert time.monotonic() - begun < 1.6


@pytest.mark.slow
def test_counts_are_there_within_five_seconds(server, client):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=60)
    assert client.wait_ready(5)
    client.enabled("new-checkout")
    until(server.counts, 5)


def test_keys_that_no_flag_has_do_not_pile_up(ready, server):
    for number in range(5000):
        ready.enabled(f"made-up-{number}")
    until(lambda: any(batch["missing"] for batch in server.batches))
    assert max(len(batch["missing"]) for batch in server.batches) <= 100


def test_what_was_counted_with_replaced_rules_waits_as_long_as_the_batch_before_it(ready, server):
    server.trouble = "takes no counts"
    ready.enabled("other")
    until(lambda: posts(server) > 1)
    ready.enabled("other")  # after the batch that waits was made
    server.snapshot = snapshot(flag("other", revision=10), revision=10)
    until(lambda: ready._ruleset.revision == 10)
    known = posts(server)
    until(lambda: posts(server) > known + 4)
    server.trouble = None
    until(lambda: sum(server.counts().values()) == 2)


def posts(server):
    """How often counts came, whether they were taken or not."""
    return sum(method == "POST" for method, _, _ in list(server.asked))


@pytest.mark.parametrize(("number", "key", "variant"), [(10_050, 20, "on"), (3500, 200, "\U0001f600" * 100)])
def test_no_batch_is_larger_than_a_server_takes_and_the_rest_comes_with_the_next(
    server, client, quick, number, key, variant
):
    keys = [f"{one:0{key}}" for one in range(number)]
    variants = [{"name": variant, "value": True}, {"name": "off", "value": False}]
    server.snapshot = snapshot(*(flag(one, variants=variants, defaultVariant=variant) for one in keys))
    client.configure(server.url, KEY, poll_seconds=60)
    assert client.wait_ready(20)
    for one in keys:
        client.enabled(one)
    until(lambda: sum(server.counts().values()) == number)
    assert len(server.batches) > 1
    for batch in server.batches:
        assert len(batch["exposures"]) <= 10_000
        assert len(json.dumps(batch, ensure_ascii=False, separators=(",", ":")).encode()) <= 2 << 20
