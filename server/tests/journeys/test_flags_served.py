"""From `daytwo setup` to an app that hears of a change: a started server, its API, and its doors for flags."""

from __future__ import annotations

import threading
import time

import httpx
import pytest
from doors import until

from daytwo.flags import Client, State


@pytest.fixture
def site(shop, store_env, request):
    name = "_".join(request.node.originalname.split("_")[:6])  # a database of its own
    site = shop(env=store_env(name))
    site.start()
    return site


def put(site, key, **body):
    answer = httpx.put(
        f"{site.url}/api/v1/flags/{key}", json=body, headers={"Authorization": f"Bearer {site.keys['api_token']}"}
    )
    assert answer.status_code in {200, 201}, answer.text
    return answer


def evaluate(site, flag, key, **context):
    return httpx.post(
        f"{site.url}/ofrep/v1/evaluate/flags/{flag}",
        json={"context": context},
        headers={"Authorization": f"Bearer {key}"},
    )


def test_a_flag_that_is_made_by_the_api_is_answered_by_every_door(site):
    server, client = site.keys["flags_server_key"], site.keys["flags_client_key"]
    assert server == site.keys["server_key"]
    put(site, "new-checkout", enabled=True, allowedPlans=["pro"], clientExposed=True)
    put(site, "hidden", enabled=True)
    until(lambda: evaluate(site, "hidden", server).status_code == 200)
    for key in (server, client):
        found = evaluate(site, "new-checkout", key, targetingKey="dana", plan="pro").json()
        assert (found["value"], found["reason"]) == (True, "TARGETING_MATCH")
        assert evaluate(site, "new-checkout", key, targetingKey="dana").json()["value"] is False
    assert evaluate(site, "hidden", client).status_code == 404
    headers = {"Authorization": f"Bearer {server}"}
    flags = httpx.get(f"{site.url}/flags/v1/snapshot", headers=headers).json()["flags"]
    assert [one["key"] for one in flags] == ["hidden", "new-checkout"]
    features = httpx.get(f"{site.url}/unleash/api/client/features", headers={"Authorization": server}).json()[
        "features"
    ]
    assert [one["name"] for one in features] == ["hidden", "new-checkout"]


def test_of_each_key_that_let_an_app_in_it_is_noted_when(site):
    put(site, "new-checkout", enabled=True, clientExposed=True)
    of_keys = [f"SELECT COUNT(last_used_at) FROM catalog_{kind}" for kind in ("clientkey", "serverkey")]
    assert [site.query(one) for one in of_keys] == [[(0,)], [(0,)]]
    for key in (site.keys["flags_client_key"], site.keys["flags_server_key"]):
        until(lambda key=key: evaluate(site, "new-checkout", key).status_code == 200)
    site.stop()  # it is written once a minute, and when the server stops
    assert [site.query(one) for one in of_keys] == [[(1,)], [(1,)]]


def test_our_library_hears_of_a_change_within_a_second_and_the_server_still_stops_at_once(site):
    put(site, "new-checkout", enabled=True)
    client = Client()
    client.configure(url=site.url, key=site.keys["flags_server_key"], poll_seconds=60)
    try:
        client.wait_ready(5)
        assert client.state() is State.READY
        until(lambda: client.enabled("new-checkout", user="dana"))
        until(lambda: any("stream" in one.name for one in threading.enumerate()))
        time.sleep(0.5)  # until its stream is open
        put(site, "new-checkout", enabled=False)
        begun = time.monotonic()
        until(lambda: not client.enabled("new-checkout", user="dana"))
        assert time.monotonic() - begun < 1
        begun = time.monotonic()
        site.stop()
        assert time.monotonic() - begun < 5
        assert client.enabled("new-checkout", user="dana") is False  # what it knows, it goes on knowing
    finally:
        client.close()


def test_what_apps_asked_for_is_counted_by_the_time_it_has_stopped(site):
    put(site, "new-checkout", enabled=True)
    answers = [evaluate(site, "new-checkout", site.keys["flags_server_key"]) for _ in range(5)]
    site.stop()
    assert [one.status_code for one in answers] == [200] * 5
    assert site.query("SELECT SUM(count) FROM flags_exposurecount") == [(5,)]
    assert site.query("SELECT COUNT(*) FROM flags_state WHERE last_asked_at IS NOT NULL") == [(1,)]
