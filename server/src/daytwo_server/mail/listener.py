"""Mail by SMTP, from the mail server in front or straight from the world: every answer of 250 stands for a stored mail.

It takes mail for DAYTWO_MAIL_INBOUND alone, with anything after a plus, and relays nothing. The event loop only moves
bytes: a thread stores what waits in one transaction, and a job reads it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession
from django.db import close_old_connections

from daytwo_server.core import conf
from daytwo_server.core.groupcommit import Closed, CommitFailed, GroupCommit, QueueFull
from daytwo_server.mail import intake, threads
from daytwo_server.mail.jobs import take
from daytwo_server.mail.letter import Envelope

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20  # each may hold a mail of the largest size in memory
MAX_RECIPIENTS = 50
MAX_WAITING = 100  # mails between the connections and the disk
SILENCE_S = 120
LATER = "451 4.3.0 The mail cannot be stored now; please try again later"


class Listener:
    """Serves SMTP on a bound socket, on the running event loop."""

    def __init__(self, bound: socket.socket) -> None:
        self._bound = bound
        self._server: asyncio.Server | None = None
        self._writer: GroupCommit[tuple[bytes, Envelope], int] | None = None
        self._open: set[_Connection] = set()

    async def start(self) -> None:
        self._writer = GroupCommit(_store, name="mail-in", max_batch=50, max_queue=MAX_WAITING)
        self._server = await asyncio.get_running_loop().create_server(self._connection, sock=self._bound, backlog=128)

    async def stop(self) -> None:
        """Take no further mail; what was received whole is stored and answered."""
        if self._server is None or self._writer is None:
            return
        self._server.close()
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # the answers
        for connection in list(self._open):
            connection.hang_up()

    def _connection(self) -> _Connection:
        return _Connection(self, self._open)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: SmtpSession, envelope: SmtpEnvelope, address: str, options: list[str]
    ) -> str:
        if not threads.is_inbound(address):
            return f"550 5.1.1 Mail is taken for {conf.current().mail_inbound} only"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, session: SmtpSession, envelope: SmtpEnvelope) -> str:  # noqa: N802
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        peer = str(session.peer[0]) if isinstance(session.peer, tuple) else ""
        around = Envelope(envelope.mail_from or "<>", tuple(envelope.rcpt_tos), "smtp", peer)
        assert self._writer is not None
        try:
            kept = await self._writer.submit((raw, around))
        except (QueueFull, Closed):
            return LATER
        except CommitFailed as failed:
            log.error("A mail was refused, because it cannot be stored: %s", failed)
            return LATER
        return f"250 2.0.0 OK, stored as {kept}"


class _Connection(SMTP):
    """One client. Real mail has longer lines than RFC 5321 allows, and nothing is gained by refusing it."""

    line_length_limit = 64 * 1024

    def __init__(self, listener: Listener, open_: set[_Connection]) -> None:
        super().__init__(
            listener, data_size_limit=intake.MAX_BYTES, enable_SMTPUTF8=True, ident="Daytwo", timeout=SILENCE_S,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._all = open_
        self._refused = False

    def connection_made(self, transport: Any) -> None:
        if len(self._all) >= MAX_CONNECTIONS:
            self._refused = True
            transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
            transport.close()
            return
        self._all.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._all.discard(self)
        if not self._refused:
            super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()


def _store(batch: list[tuple[bytes, Envelope]]) -> list[int]:
    """On the writer's thread: all of the batch, and the job that reads it, or nothing."""
    close_old_connections()
    return take(batch)
