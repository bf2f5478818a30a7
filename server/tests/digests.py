"""A digest in this process, on the stores of the test run. Import it within tests: it needs Django to be set up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from daytwo_server.catalog.models import Project
from daytwo_server.ingest import status
from daytwo_server.ingest.digest import Digester, node_of
from daytwo_server.ingest.spool import Envelope, Reader, Writer


class Node:
    """One data directory's spool and the digest of it."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.folder = folder
        self._project = project
        self.reader = Reader(folder)
        self.digester = self.fresh()

    def fresh(self) -> Digester:
        """The digest as after a restart."""
        return Digester(self.reader, node=node_of(self.folder), folder=self.folder)

    def write(self, *messages: str) -> None:
        """An event for each message, as intake accepts them."""

        async def write() -> None:
            writer = Writer(self.folder)
            await asyncio.gather(*(writer.submit(self._envelope(message)) for message in messages))
            await asyncio.to_thread(writer.close)

        asyncio.run(write())

    def _envelope(self, message: str) -> Envelope:
        event_id = uuid.uuid4().hex
        payload = json.dumps({"event_id": event_id, "message": message}).encode()
        return Envelope(self._project.pk, "k" * 32, time.time(), None, event_id, "", "test/1", [("event", payload)])

    def digest(self) -> None:
        """Everything that waits."""
        while self.digester.run_once():
            pass

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Digest on a thread of its own, as in a server."""
        over = threading.Event()

        def run() -> None:
            try:
                self.digester.run(over.is_set)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(20)

    def told(self) -> str:
        """What the digest says is wrong."""
        return status.read(self.folder / "digest.json").error

    def quarantined(self) -> int:
        return len(list(self.folder.glob("quarantine/*.record")))
