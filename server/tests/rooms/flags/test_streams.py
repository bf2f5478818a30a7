"""Who listens hears of each change within a second, and costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
from doors import CLIENT_KEY, PRODUCTION, SERVER_KEY, running, until
from flag_server import flag

from daytwo_server.flags.app import environments

FLAG = flag(clientExposed=True)


@contextmanager
def listening(doors, path, **headers):
    """Lines of a stream."""
    with doors.http.stream("GET", path, headers=headers, timeout=5) as answer:
        yield answer


def events(answer):
    """What each event says."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def address(doors, key=CLIENT_KEY):
    """Where a bulk evaluation says that changes are heard of."""
    [stream] = doors.evaluate("", key=key).json()["eventStreams"]
    return stream["endpoint"]["requestUri"]


@pytest.fixture
def doors():
    with running(FLAG) as doors:
        yield doors


def test_a_server_hears_the_revision(doors):
    with listening(doors, "/flags/v1/stream", Authorization=f"Bearer {SERVER_KEY}") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        until(lambda: len(doors.door._streams) == 1)
        doors.put(flag(killed=True))
        assert next(events(answer)) == {"revision": 2}


@pytest.mark.parametrize("key", [CLIENT_KEY, SERVER_KEY])
def test_a_browser_hears_that_it_should_ask_again(doors, key):
    with listening(doors, address(doors, key)) as answer:
        assert answer.headers["access-control-allow-origin"] == "*"
        until(lambda: len(doors.door._streams) == 1)
        doors.put(flag(killed=True))
        event = next(events(answer))
    assert (event["type"], event["etag"]) == ("refetchEvaluation", "2")
    assert abs(event["lastModified"] - time.time()) < 60


def test_a_change_between_the_answer_and_the_stream_is_not_missed(doors):
    where = address(doors)
    doors.put(flag(killed=True))
    until(lambda: doors.evaluate("new-checkout").json()["reason"] == "DISABLED")
    with listening(doors, where) as answer:
        assert next(events(answer))["type"] == "refetchEvaluation"
    with listening(doors, where, **{"Last-Event-ID": "1"}) as answer:
        assert next(events(answer))["etag"] == "2"


def test_who_knows_the_last_event_is_told_of_the_next_only(doors):
    where = address(doors)
    doors.put(flag(killed=True))
    until(lambda: doors.evaluate("new-checkout").json()["reason"] == "DISABLED")
    with listening(doors, where, **{"Last-Event-ID": "2"}) as answer:
        until(lambda: len(doors.door._streams) == 1)
        doors.put(flag(killed=True, enabled=False))
        assert next(events(answer))["etag"] == "3"


@pytest.mark.parametrize(
    "query", ["", "?ticket=", "?ticket=dtc_x.y", f"?ticket={CLIENT_KEY}.", "?ticket=%00.%ff&since=x"]
)
def test_an_address_that_nobody_was_given_is_refused(doors, query):
    assert doors.http.get(f"/ofrep/v1/stream{query}").status_code == 401


def test_a_revoked_key_hears_no_more(doors):
    doors.door._streams._heartbeat_s = 0.1
    with listening(doors, address(doors)) as answer:
        until(lambda: len(doors.door._streams) == 1)
        del doors.keys[CLIENT_KEY]
        doors.version += 1
        assert list(events(answer)) == []  # and it ends
    until(lambda: len(doors.door._streams) == 0)


def test_who_leaves_is_forgotten_and_too_many_are_refused(doors):
    doors.door._streams._most = 1
    with listening(doors, "/flags/v1/stream", Authorization=f"Bearer {SERVER_KEY}"):
        until(lambda: len(doors.door._streams) == 1)
        refused = doors.ask("/flags/v1/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    until(lambda: len(doors.door._streams) == 0)


def test_a_comment_comes_when_nothing_else_does(doors):
    doors.door._streams._heartbeat_s = 0.05
    with listening(doors, "/flags/v1/stream", Authorization=f"Bearer {SERVER_KEY}") as answer:
        lines = answer.iter_lines()
        assert until(lambda: next(lines) == ":")


@asynccontextmanager
async def _one(client, path):
    async with client.stream("GET", path, headers={"Authorization": f"Bearer {SERVER_KEY}"}) as answer:
        yield answer.aiter_lines()


def test_two_hundred_hear_of_a_change_within_a_second(doors):
    async def listen(client, ready, heard):
        async with _one(client, "/flags/v1/stream") as lines:
            ready.append(1)
            async for line in lines:
                if line.startswith("data: "):
                    heard.append(time.monotonic())
                    return

    async def all_of_them():
        ready, heard = [], []
        limits = httpx.Limits(max_connections=250)
        async with httpx.AsyncClient(base_url=doors.url, limits=limits, timeout=20) as client:
            tasks = [asyncio.create_task(listen(client, ready, heard)) for _ in range(200)]
            while len(ready) < 200 or len(doors.door._streams) < 200:
                await asyncio.sleep(0.01)
            begun = time.monotonic()
            doors.put(flag(killed=True))
            await asyncio.gather(*tasks)
        return [at - begun for at in heard]

    took = asyncio.run(all_of_them())
    assert len(took) == 200
    assert max(took) < 1


# ---- Several processes ----


@contextmanager
def slow(monkeypatch):
    """A door that looks for changes once an hour, as one that is behind the others."""
    monkeypatch.setattr(environments.Environments.__init__, "__kwdefaults__", {"poll_s": 3600.0})
    with running(FLAG) as doors:
        assert doors.evaluate("new-checkout").json()["value"] is True
        yield doors


@pytest.mark.parametrize("path", ["/flags/v1/snapshot?revision=2", "/ofrep/v1/evaluate/flags?flagConfigEtag=2"])
def test_a_process_that_is_behind_catches_up_with_what_another_one_told(monkeypatch, path):
    with slow(monkeypatch) as doors:
        method, body = ("GET", None) if "snapshot" in path else ("POST", {})
        etag = doors.ask(path.partition("?")[0], method=method, json=body).headers["etag"]
        doors.put(flag(clientExposed=True, killed=True))
        begun = time.monotonic()
        fresh = doors.ask(path, method=method, json=body, headers={"If-None-Match": etag})
        assert time.monotonic() - begun < 0.9
        assert fresh.status_code == 200
        assert ('"killed":true' if method == "GET" else "DISABLED") in fresh.text


def test_whoever_invents_a_revision_waits_a_second_and_the_store_is_not_asked_without_end(monkeypatch):
    with slow(monkeypatch) as doors:
        looks = []
        monkeypatch.setattr(doors.door._environments, "_revisions", lambda: looks.append(1) or {PRODUCTION: 1})
        begun = time.monotonic()
        answer = doors.ask(f"/ofrep/v1/evaluate/flags?flagConfigEtag={10**17}", method="POST", key=CLIENT_KEY, json={})
        assert answer.status_code == 200
        assert 0.9 < time.monotonic() - begun < 3
        assert 1 < len(looks) < 25
        for odd in ("x", "-1", "9" * 30):
            begun = time.monotonic()
            doors.ask(f"/ofrep/v1/evaluate/flags?flagConfigEtag={odd}", method="POST", json={})
            assert time.monotonic() - begun < 0.9


def test_what_this_process_knows_is_answered_at_once_also_while_the_store_is_away(monkeypatch):
    with slow(monkeypatch) as doors:
        doors.is_away = True
        begun = time.monotonic()
        assert doors.ask("/flags/v1/snapshot?revision=1").status_code == 200
        assert time.monotonic() - begun < 0.5
