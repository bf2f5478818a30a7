"""Live pages: a change in any transaction reaches every page that listens, through a real HTTP server."""

import asyncio
import contextlib
import logging
import subprocess
import sys
import time

import httpx
import pytest
import uvicorn
from django.db import transaction

from daytwo_server.core import live
from daytwo_server.core.jobs import upkeep
from daytwo_server.core.models import Topic

US = 1_000_000


class Versions:
    """Stands in for the table, so that the hub is tested without a database; counts how often it is asked."""

    def __init__(self):
        self.now, self.asked, self.broken = {}, 0, False

    def __call__(self, topics):
        self.asked += 1
        if self.broken:
            raise ConnectionError("the store is away")
        return {topic: self.now[topic] for topic in topics if topic in self.now}

    def bump(self, topic):
        self.now[topic] = time.time_ns() // 1000


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is awaited belongs to uvicorn or the hub, which set no event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(**options):
    """A hub behind uvicorn, its versions, and a client of that server."""
    versions = Versions()

    async def authorize(scope, topics):
        return "secret" not in topics

    hub = live.Hub(versions=versions, authorize=authorize, **{"poll_s": 0.02, **options})
    config = uvicorn.Config(
        hub.app, port=0, lifespan="off", interface="asgi3", log_config=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    limits = httpx.Limits(max_connections=None)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, limits=limits) as client:
            yield hub, versions, client
    finally:
        await hub.close()
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def listening(client, *topics, **headers):
    """An open stream, and a function that waits for its next event and returns it as a dict."""
    async with client.stream("GET", "/live", params=[("topic", topic) for topic in topics], headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()

        async def next_event():
            event = {}
            async with asyncio.timeout(5):
                async for line in lines:
                    if line:
                        name, _, value = line.partition(":")
                        event[name or "comment"] = value.strip()
                    elif event:
                        return event
            return None

        hello = await next_event()
        assert 500 <= int(hello["retry"]) <= 3000
        yield next_event


async def quiet(next_event, seconds=0.3):
    """Nothing comes for a while. The stream is of no use afterwards."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(next_event(), seconds)


def running(test):
    """Run the coroutine of a test with its own loop."""

    def wrapper():
        asyncio.run(test())

    wrapper.__name__ = test.__name__
    return wrapper


@running
async def test_a_change_reaches_those_who_listen_to_its_topic_and_no_others():
    async with (
        serving() as (_, versions, client),
        listening(client, "errors", "errors.7") as one,
        listening(client, "errors.7") as two,
        listening(client, "tickets") as other,
    ):
        await asyncio.sleep(0.1)
        versions.bump("errors.7")
        first, second = await one(), await two()
        assert first == second == {"event": "changed", "id": str(versions.now["errors.7"]), "data": "errors.7"}
        versions.bump("errors")
        assert (await one())["data"] == "errors"
        await quiet(other)


@running
async def test_a_change_between_the_making_of_a_page_and_its_stream_is_told():
    async with serving() as (_, versions, client):
        versions.now = {"old": time.time_ns() // 1000 - 10 * US, "just": time.time_ns() // 1000 - US}
        async with listening(client, "old", "just") as events:
            assert (await events())["data"] == "just"
            await quiet(events)


@running
async def test_a_browser_that_comes_back_hears_what_it_missed():
    async with serving() as (_, versions, client):
        now = time.time_ns() // 1000
        versions.now = {"seen": now - 100 * US, "missed": now - 50 * US}
        async with listening(client, "seen", "missed", **{"Last-Event-ID": str(now - 60 * US)}) as events:
            assert (await events())["data"] == "missed"
            await quiet(events)


@running
async def test_a_slow_transaction_that_commits_an_older_stamp_is_told_all_the_same():
    async with serving() as (_, versions, client):
        versions.now = {"errors": time.time_ns() // 1000 - 500 * US}
        async with listening(client, "errors") as events:
            await asyncio.sleep(0.1)
            versions.now["errors"] += US
            assert (await events())["data"] == "errors"


@running
async def test_a_quiet_stream_is_kept_alive():
    async with serving(heartbeat_s=0.05) as (_, _versions, client), listening(client, "errors") as events:
        assert await events() == {"comment": ""}
        assert await events() == {"comment": ""}


@running
async def test_nobody_is_asked_while_nobody_listens():
    async with serving() as (hub, versions, client):
        await asyncio.sleep(0.1)
        assert versions.asked == 0
        async with listening(client, "errors"):
            await asyncio.sleep(0.2)
            assert versions.asked > 1
        await until(lambda: not len(hub))
        await asyncio.sleep(0.1)
        asked = versions.asked
        await asyncio.sleep(0.2)
        assert versions.asked == asked
        assert (hub._listeners, hub._last) == ({}, {})


@running
async def test_many_changes_while_a_client_is_slow_become_one_event_a_topic():
    async with serving(poll_s=0.01) as (hub, versions, client), listening(client, "a", "b") as events:
        await asyncio.sleep(0.1)
        [listener] = hub._clients
        for _ in range(100):
            listener.tell("a", 1)
            listener.tell("b", 2)
        assert [(await events())["data"], (await events())["data"]] == ["a", "b"]
        versions.bump("b")
        assert (await events())["data"] == "b"


@running
async def test_streams_end_in_time_so_that_a_lost_permission_counts():
    async with serving(max_age_s=0.2, heartbeat_s=0.1) as (hub, _, client), listening(client, "errors") as events:
        while await events():
            pass
        assert len(hub) == 0


@running
async def test_closing_ends_all_streams_and_refuses_new_ones():
    async with serving() as (hub, _, client), listening(client, "errors") as events:
        started = time.monotonic()
        await hub.close()
        assert await events() is None
        assert time.monotonic() - started < 5
        answer = await client.get("/live?topic=errors")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


@running
async def test_what_a_caller_may_not_hear_does_not_exist():
    async with serving() as (_, versions, client):
        assert (await client.get("/live?topic=errors&topic=secret")).status_code == 404
        assert versions.asked == 0


@running
async def test_a_request_that_makes_no_sense_is_refused():
    async with serving(max_clients=1) as (_, _versions, client):
        bad = ["", "?topic=", "?other=x", "?topic=" + "x" * 101, "?topic=a%0Adata:b", "?topic=%00"]
        bad.append("?" + "&".join(f"topic={n}" for n in range(21)))
        for query in bad:
            assert (await client.get(f"/live{query}")).status_code == 400, query
        assert (await client.post("/live?topic=a")).status_code == 405
        async with listening(client, "a"):
            assert (await client.get("/live?topic=a")).status_code == 503


def test_streams_outlive_a_store_that_is_away(monkeypatch, caplog):
    monkeypatch.setattr(live, "AFTER_STORE_ERROR_S", 0.1)

    async def story():
        async with serving() as (_, versions, client):
            versions.broken = True
            async with listening(client, "errors") as events:
                await asyncio.sleep(0.3)
                versions.bump("errors")
                versions.broken = False
                assert (await events())["data"] == "errors"

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "cannot read what changed" in caplog.text


@running
async def test_five_hundred_pages_are_told_at_once():
    async with serving() as (hub, versions, client), contextlib.AsyncExitStack() as stack:
        streams = await asyncio.gather(
            *(stack.enter_async_context(listening(client, "errors", f"errors.{n}")) for n in range(500))
        )
        await asyncio.sleep(0.1)
        assert len(hub) == 500
        versions.bump("errors")
        started = time.monotonic()
        told = await asyncio.gather(*(next_event() for next_event in streams))
        assert time.monotonic() - started < 3  # on a busy machine, both ends in this process; else some 0.1 s
        assert all(event["data"] == "errors" for event in told)


def test_the_module_can_be_imported_without_django():
    code = "import sys, daytwo_server.core.live; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- the table behind it


@pytest.mark.django_db
def test_every_bump_is_a_greater_version(monkeypatch):
    live.bump("a", "b", "a")
    before = live.versions(["a", "b", "c"])
    assert sorted(before) == ["a", "b"]
    live.bump("a")
    after = live.versions(["a", "b"])
    assert after["a"] > before["a"]
    assert after["b"] == before["b"]
    Topic.objects.filter(name="a").update(version=10**17)  # a clock that once was ahead
    live.bump("a")
    assert live.versions(["a"])["a"] == 10**17 + 1


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_is_not_told():
    def change():
        with transaction.atomic():
            live.bump("a")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert live.versions(["a"]) == {}


@pytest.mark.django_db
def test_topics_that_nothing_changed_for_a_week_are_forgotten():
    now = time.time_ns() // 1000
    Topic.objects.create(name="old", version=now - 8 * 86_400 * US)
    live.bump("new")
    upkeep.prune()
    assert [topic.name for topic in Topic.objects.all()] == ["new"]
