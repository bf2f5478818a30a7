"""The intake as customers meet it: a real uvicorn with uvloop and httptools on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import uvloop

from daytwo_server.ingest.app import IngestApp
from daytwo_server.ingest.counts import ItemCounts
from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.keys import Key, KeyTable
from daytwo_server.ingest.limits import Limits
from daytwo_server.ingest.spool import START, Counts, Envelope, Reader, Record, Writer

KEY = "0123456789abcdef0123456789abcdef"
PROJECT = 42
EVENT_ID = "fc6d8c0c43fc4630ad850ee518f1b9d0"
EVENT = b'{"message":"hello","level":"error"}'


def envelope(*items: tuple[str, bytes], header: dict[str, Any] | None = None, lengths: bool = True) -> bytes:
    """An envelope as an SDK makes it; `header` defaults to one with an event id."""
    lines = [json.dumps({"event_id": EVENT_ID} if header is None else header).encode()]
    for type_, payload in items:
        lines += [json.dumps({"type": type_} | ({"length": len(payload)} if lengths else {})).encode(), payload]
    return b"\n".join(lines) + b"\n"


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(0.01)  # the original looks ten times a second, which is most of a short test


class Intake:
    """A running intake. `keys` is its source of keys and may be changed; `version` is what it compares."""

    def __init__(
        self,
        spool: Path,
        *,
        limits: Limits | None = None,
        writer: dict[str, Any] | None = None,
        guards: dict[str, Any] | None = None,
        load: Callable[[], dict[str, Key]] | None = None,
    ) -> None:
        self.spool = spool
        self.keys = {KEY: Key(public_key=KEY, project=PROJECT)}
        self.version = 0
        self.loads = 0
        self.writer = Writer(spool, **(writer or {}))
        # The disk guard would look at the machine the tests run on.
        self.guards = Guards(self.writer, **({"min_free_bytes": 0} | (guards or {})))
        self.counts = ItemCounts()
        self.table = KeyTable(load or self._load, version=lambda: self.version)
        self.app = IngestApp(
            keys=self.table, writer=self.writer, guards=self.guards, counts=self.counts,
            client_address=lambda scope: scope["client"][0], limits=limits,
        )  # fmt: skip
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self.app, loop="uvloop", http="httptools", lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=10,
        )  # fmt: skip
        self.server = _Server(config)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        self._reader: Reader | None = None

    def _load(self) -> dict[str, Key]:
        self.loads += 1
        return dict(self.keys)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self.table.start()
        await self.app.start()
        await self.server.serve(sockets=[self._socket])
        await self.app.stop()
        await self.table.stop()
        await asyncio.to_thread(self.writer.close)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join()
        self.http.close()
        if self._reader:
            self._reader.close()
            self._reader = None

    def post(self, body: bytes, path: str = f"/api/{PROJECT}/envelope/", **options: Any) -> httpx.Response:
        """POST with the key in X-Sentry-Auth, unless `headers` are given."""
        headers = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_client=test.sdk/1.0"}
        return self.http.post(path, content=body, **({"headers": headers} | options))

    def raw(self, data: bytes, *, more: list[bytes] | None = None, then_close: bool = False) -> bytes:
        """Send bytes over one connection and return the first answer, or b"" if the connection is given up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            for part in more or []:
                connection.sendall(part)
            if then_close:
                return b""
            answer = b""
            while b"\r\n\r\n" not in answer:
                received = connection.recv(65536)
                if not received:
                    break
                answer += received
            return answer

    def records(self) -> list[Record]:
        """Everything in the spool, from its beginning."""
        if self._reader is None:
            self._reader = Reader(self.spool)
        found: list[Record] = []
        while records := self._reader.read(found[-1].position if found else START):
            found += records
        return found

    def envelopes(self) -> list[Envelope]:
        return [record.content for record in self.records() if isinstance(record.content, Envelope)]

    def dropped(self) -> Counter[tuple[str, str]]:
        """(item, reason) -> number, in memory."""
        totals = self.counts.totals().items()
        return Counter({(item, reason): n for (item, outcome, reason), n in totals if outcome == "dropped"})

    def arrived(self) -> Counter[str]:
        return Counter({item: n for (item, outcome, _), n in self.counts.totals().items() if outcome == "arrived"})

    def counted(self) -> Counter[tuple[str, ...]]:
        """(project, item, sdk, outcome, reason) -> number, durable in the spool."""
        sums: Counter[tuple[str, ...]] = Counter()
        for record in self.records():
            if isinstance(record.content, Counts):
                for row in record.content.rows:
                    sums[str(row.project), row.item, row.sdk, row.outcome, row.reason] += row.n
        return sums


@contextmanager
def running(spool: Path, **options: Any) -> Iterator[Intake]:
    """An intake for the length of a block; `options` are those of `Intake`."""
    intake = Intake(spool, **options)
    try:
        yield intake
    finally:
        intake.stop()
