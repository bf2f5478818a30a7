"""Live pages: a topic changes in a transaction, and every page that listens to it hears so within a moment.

`bump` and `versions` use the database from any process; `Hub` is plain ASGI and asyncio and holds the open streams.
A stream carries names of topics only; the page asks for what changed, with its own permissions.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

MAX_TOPICS = 20
MAX_TOPIC_LENGTH = 100
# A page that was made up to three seconds before its stream opened still hears of changes in between. It also covers
# transactions that commit a little after the time they stamped, and clocks of several machines.
SLACK_US = 3_000_000
AFTER_STORE_ERROR_S = 5.0

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

_BUMP = (
    "INSERT INTO core_topic (name, version) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET version = "
    "CASE WHEN core_topic.version < excluded.version THEN excluded.version ELSE core_topic.version + 1 END"
)


def bump(*topics: str) -> None:
    """Tell the pages that listen to these topics, when the current transaction commits, that something changed.

    Best called last: on PostgreSQL, whoever bumps the same topic meanwhile waits for this transaction to end.
    """
    from daytwo_server.core import clock, sql
    from daytwo_server.core.stores import DEFAULT

    now_us = int(clock.now().timestamp() * 1_000_000)
    # Sorted, so that two transactions take the rows in the same order and neither waits for the other.
    sql.execute_many(DEFAULT, _BUMP, [(topic[:MAX_TOPIC_LENGTH], now_us) for topic in sorted(set(topics))])


def versions(topics: Collection[str]) -> dict[str, int]:
    """The version of each of these topics that ever changed. Blocks; the hub calls it on a thread of its own."""
    from django.db import Error, close_old_connections

    from daytwo_server.core import sql
    from daytwo_server.core.models import Topic

    try:
        rows = (Topic.objects.filter(name__in=some) for some in sql.batches(list(topics), sql.MAX_PARAMETERS))
        return {name: version for some in rows for name, version in some.values_list("name", "version")}
    except Error:
        close_old_connections()
        raise


@dataclass(eq=False)
class _Client:
    topics: tuple[str, ...]
    since_us: int
    # At most one entry a topic, so a slow client costs no more than what it asked for.
    pending: dict[str, int] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    def tell(self, topic: str, version: int) -> None:
        self.pending[topic] = version
        self.wake.set()


class Hub:
    """The open streams of one process, and one poller that runs only while somebody listens.

    `versions` is the function above. `authorize(scope, topics)` decides whether a request may listen to its topics;
    False answers 404. Streams end after `max_age_s` and browsers open them again, so that a lost permission counts.
    """

    def __init__(
        self,
        *,
        versions: Callable[[Collection[str]], Mapping[str, int]],
        authorize: Callable[[Scope, tuple[str, ...]], Awaitable[bool]],
        poll_s: float = 0.25,
        heartbeat_s: float = 15.0,
        max_age_s: float = 600.0,
        max_clients: int = 2000,
    ) -> None:
        self._versions = versions
        self._authorize = authorize
        self._poll_s = poll_s
        self._heartbeat_s = heartbeat_s
        self._max_age_s = max_age_s
        self._max_clients = max_clients
        self._listeners: dict[str, set[_Client]] = defaultdict(set)
        self._clients: set[_Client] = set()
        self._new: list[_Client] = []
        self._last: dict[str, int] = {}
        self._poller: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._closing = False

    def __len__(self) -> int:
        return len(self._clients)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET ?topic=a&topic=b: an event `changed` for each change, the topic's name as data, until one side leaves."""
        if scope["method"] != "GET":
            await _answer(send, 405, "Only GET.")
            return
        query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        topics = tuple(dict.fromkeys(query.get("topic", ())))
        if not 1 <= len(topics) <= MAX_TOPICS or not all(map(_is_name, topics)):
            await _answer(send, 400, f"Name 1 to {MAX_TOPICS} topics: ?topic=a&topic=b.")
            return
        if self._closing or len(self._clients) >= self._max_clients:
            await _answer(send, 503, "Too many live pages, or stopping. Pages still work without.")
            return
        try:
            allowed = await self._authorize(scope, topics)
        except Exception:
            log.exception("Nobody can be let in to the live stream now; browsers try again by themselves.")
            await _answer(send, 503, "The database does not answer. Pages are told what changed once it does.")
            return
        if not allowed:
            await _answer(send, 404, "Not found.")
            return
        await self._serve(_Client(topics, _since_us(scope)), receive, send)

    async def close(self) -> None:
        """End all streams and refuse new ones."""
        self._closing = True
        for client in self._clients:
            client.wake.set()
        if self._poller is not None:
            self._poller.cancel()
        self._thread.shutdown(wait=False)

    async def _serve(self, client: _Client, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would hold events back
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._add(client)
        watcher = asyncio.create_task(_watch(client, receive))
        try:
            await self._stream(client, send)
            if not client.gone:
                await send({"type": "http.response.body", "body": b""})
        except OSError:
            log.debug("A live page left while it was being told something.")
        finally:
            watcher.cancel()
            self._remove(client)

    async def _stream(self, client: _Client, send: Send) -> None:
        ends = time.monotonic() + self._max_age_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads reconnects
        # The time to wait before a reconnect differs for each page: after a restart they do not all come at once.
        await _send(send, f"retry: {random.randint(500, 3000)}\nid: {client.since_us}\n\n")  # noqa: S311 - as above
        while not (client.gone or self._closing or time.monotonic() > ends):
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await client.wake.wait()
            except TimeoutError:
                await _send(send, ":\n\n")
                continue
            client.wake.clear()
            pending, client.pending = client.pending, {}
            if pending and not client.gone:
                events = (f"event: changed\nid: {version}\ndata: {topic}\n\n" for topic, version in pending.items())
                await _send(send, "".join(events))

    def _add(self, client: _Client) -> None:
        self._clients.add(client)
        self._new.append(client)
        for topic in client.topics:
            self._listeners[topic].add(client)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    def _remove(self, client: _Client) -> None:
        self._clients.discard(client)
        for topic in client.topics:
            self._listeners[topic].discard(client)
            if not self._listeners[topic]:
                del self._listeners[topic]
                self._last.pop(topic, None)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while self._clients:
            new, self._new = self._new, []
            topics = list(self._listeners)
            try:
                now = await loop.run_in_executor(self._thread, self._versions, topics)
            except Exception as error:  # noqa: BLE001 - whatever it is, open pages must hear of changes after it
                reason = str(error).partition("\n")[0]
                log.error("Live pages cannot read what changed (%s); they try again.", reason)
                self._new += new
                await asyncio.sleep(AFTER_STORE_ERROR_S)
                continue
            self._tell(topics, now, new)
            await asyncio.sleep(self._poll_s)

    def _tell(self, topics: Collection[str], now: Mapping[str, int], new: Collection[_Client]) -> None:
        for client in new:
            for topic in client.topics:
                if now.get(topic, 0) > client.since_us - SLACK_US:
                    client.tell(topic, now[topic])
        for topic in self._listeners.keys() & topics:
            version = now.get(topic, 0)
            # Compared with what this topic was, not with the time: a slow transaction commits an older stamp.
            if version > self._last.setdefault(topic, version):
                for client in self._listeners[topic]:
                    client.tell(topic, version)
            self._last[topic] = version


def _is_name(topic: str) -> bool:
    # A line break would end the event, and PostgreSQL takes no NUL.
    return len(topic) <= MAX_TOPIC_LENGTH and topic.isprintable()


def _since_us(scope: Scope) -> int:
    """The stamp a reconnecting browser has seen, else now."""
    seen = next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")
    return int(seen) if seen.isdigit() and len(seen) < 20 else time.time_ns() // 1000


async def _watch(client: _Client, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client.gone = True
    client.wake.set()


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"30"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
