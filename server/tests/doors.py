"""The doors of flags as apps meet them: a real uvicorn with uvloop and httptools on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
import uvloop

from daytwo_server.core.keytable import KeyTable
from daytwo_server.flags.app.batches import Batch
from daytwo_server.flags.app.door import Door
from daytwo_server.flags.app.keys import Key

SERVER_KEY = "dts_0a1b2c3d_" + "s" * 43
CLIENT_KEY = "dtc_" + "c" * 32
PRODUCTION = 7


def server_key(text: str = SERVER_KEY, *, environment: int = PRODUCTION) -> Key:
    return Key(id=text[:12], environment=environment, digest=hashlib.sha256(text.encode()).hexdigest())


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(0.01)


class Doors:
    """A running door. What it is given may be changed: `keys`, and by `put` the flags of its one environment.

    `batches` are those that were written. While `is_away`, the store raises whatever is asked of it.
    """

    def __init__(self, *flags: Mapping[str, Any], **document: Any) -> None:
        self.keys = {key.id: key for key in (server_key(), Key(id=CLIENT_KEY, environment=PRODUCTION))}
        self.version = 0
        self.document: dict[str, Any] = {"format": 1, "environment": "production", "revision": 1, "segments": {}}
        self.document |= {"flags": list(flags), **document}
        self.batches: list[Batch] = []
        self.loads = 0
        self.is_away = False
        self.uses: list[set[str]] = []
        self.door = Door(
            keys=KeyTable(lambda: dict(self.keys), version=lambda: self.version, check_every_ms=50, miss_every_ms=10),
            load=self._load, revisions=self._revisions, record=self._record,
            note_uses=self.uses.append, secret=b"of the installation",
        )  # fmt: skip
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            self.door, loop="uvloop", http="httptools", lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=5,
        )  # fmt: skip
        self.server = _Server(config)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def put(self, *flags: Mapping[str, Any], **document: Any) -> None:
        """Another document, of the next revision."""
        changed = {"flags": list(flags), "revision": self.document["revision"] + 1, **document}
        self.document = self.document | changed

    def ask(self, path: str, *, key: str = SERVER_KEY, method: str = "GET", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def evaluate(self, flag: str = "", context: Any = None, *, key: str = SERVER_KEY, **options: Any) -> httpx.Response:
        """OFREP, one flag or all."""
        path = f"/ofrep/v1/evaluate/flags{'/' if flag else ''}{flag}"
        body = {} if context is None else {"context": context}
        return self.ask(path, key=key, method="POST", json=body, **options)

    def counted(self) -> Counter[tuple[str, str | None, bool]]:
        """(flag, variant, enabled) -> how often, of all that was written."""
        found: Counter[tuple[str, str | None, bool]] = Counter()
        for batch in list(self.batches):
            for one in batch.exposures:
                found[one.flag, one.variant, one.enabled] += one.count
        return found

    def stop(self) -> None:
        self.http.close()
        self.door.close_streams()
        self.server.should_exit = True
        self._thread.join()

    def _load(self, environment: int) -> Mapping[str, Any]:
        self._check()
        self.loads += 1
        return self.document

    def _revisions(self) -> Mapping[int, int]:
        self._check()
        return {PRODUCTION: self.document["revision"]}

    def _record(self, batches: list[Batch]) -> None:
        self._check()
        self.batches += batches

    def _check(self) -> None:
        if self.is_away:
            raise OSError("the store is away")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self.door.start()
        await self.server.serve(sockets=[self._socket])
        await self.door.stop()


@contextmanager
def running(*flags: Mapping[str, Any], **document: Any) -> Iterator[Doors]:
    """A door for the length of a block, with these flags."""
    doors = Doors(*flags, **document)
    try:
        yield doors
    finally:
        doors.stop()


def until(true: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait for something to become true, and give it."""
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found, "it did not happen"
    return found
