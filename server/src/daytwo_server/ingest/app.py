"""The Sentry-compatible intake: a raw ASGI application that answers an event once it is on disk.

It never answers 5xx, because SDKs do not send again. What happens to a request:

- 200: every stored item is durable. Items that are not stored yet are counted.
- 400, 401, 403, 404, 405, 408, 413, 415: the client has to change something.
- 429 with categories: a guard is shut, or the disk refused this batch.
- A defect of ours is logged and answered 400: that loses this one request. A 429 would make the SDK throw away
  everything else for a while too, although the defect most likely needs this very payload.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from daytwo_server.core.groupcommit import Closed, CommitFailed, QueueFull
from daytwo_server.ingest import answers, auth
from daytwo_server.ingest.answers import Answer, Headers, Receive, Scope, Send
from daytwo_server.ingest.body import BodyReader, ClientGone, Discard, Pacer, Whole, plain_event
from daytwo_server.ingest.counts import ItemCounts, clean_sdk
from daytwo_server.ingest.decode import Decoder
from daytwo_server.ingest.envelope import NOT_STORED_YET, Framer, one_event
from daytwo_server.ingest.guards import Guards, write_failed
from daytwo_server.ingest.keys import Key, KeyTable
from daytwo_server.ingest.limits import Limits
from daytwo_server.ingest.refused import Refused, too_large, try_later
from daytwo_server.ingest.routes import ENVELOPE, STORE, Route, matches, route
from daytwo_server.ingest.spool import Envelope, Writer

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 1.0

_WANTED = frozenset(
    {
        b"content-encoding",
        b"content-length",
        b"x-sentry-auth",
        b"authorization",
        b"origin",
        b"user-agent",
    },
)


class _Request:
    """One request on its way: what is known of it so far."""

    def __init__(self, scope: Scope, where: Route, *, client_ip: str, received: float) -> None:
        self.headers: dict[bytes, bytes] = {name: value for name, value in scope["headers"] if name in _WANTED}
        self.where = where
        self.client_ip = client_ip
        self.received = received
        self.origin = self.headers.get(b"origin", b"").decode("latin-1")
        self.key: Key | None = None
        self.project = where.project
        self.counted_project = 0  # until a key is known: what a path says, anyone can invent
        self.cors: Headers = answers.cors()
        self.claims = auth.claims(
            scope.get("query_string", b""),
            self.headers.get(b"x-sentry-auth", b""),
            self.headers.get(b"authorization", b""),
            where.path_key,
        )
        self.sdk = clean_sdk(self.claims.client or _product(self.headers.get(b"user-agent", b"")))

    def content_length(self) -> int:
        value = self.headers.get(b"content-length", b"")
        return int(value) if value.isdigit() else 0

    def encoding(self) -> str:
        return self.headers.get(b"content-encoding", b"").decode("latin-1")


def _product(user_agent: bytes) -> str:
    return user_agent.partition(b" ")[0].decode("latin-1")


class IngestApp:
    """The intake of one process. `clock` gives unix seconds, `client_address` the resolved address of a scope.

    Call `start` before the first request and `stop` after the last one. The key table is started and stopped by its
    owner, and the writer closed, after `stop`.
    """

    def __init__(
        self,
        *,
        keys: KeyTable,
        writer: Writer,
        guards: Guards,
        counts: ItemCounts,
        client_address: Callable[[Scope], str],
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
    ) -> None:
        self._keys = keys
        self._writer = writer
        self._guards = guards
        self._counts = counts
        self._clock = clock
        self._client_address = client_address
        self._limits = limits or Limits()
        self._pacer = Pacer()
        self._stopping = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None

    @staticmethod
    def matches(path: str) -> bool:
        """Whether a path belongs to this application, for the dispatcher in front. Without the `root_path`."""
        return matches(path)

    async def start(self) -> None:
        self._flushing = asyncio.create_task(self._flush_counts())

    async def stop(self) -> None:
        """Write the last counts. Requests must have ended."""
        self._stopping.set()
        if self._flushing is not None:
            await self._flushing

    async def _flush_counts(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), FLUSH_EVERY_S)
            await self._counts.flush(self._writer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        where = route(_path(scope))
        if where is None:
            answer = answers.not_found("There is nothing here.")
        elif where.project == 0:
            answer = answers.not_found("The path names no project: a project id is a positive whole number.")
        else:
            request = _Request(scope, where, client_ip=self._client_address(scope), received=self._clock())
            try:
                answer = await self._answer(request, scope["method"], receive)
            except ClientGone:
                self._counts.dropped(request.counted_project, "request", request.sdk, "client_gone")
                return
        await answers.send_answer(send, answer)

    async def _answer(self, request: _Request, method: str, receive: Receive) -> Answer:
        """The edge: every refusal and every unexpected error becomes an answer here."""
        try:
            return await self._dispatch(request, method, receive)
        except Refused as refusal:
            self._counts.dropped(request.counted_project, refusal.item, request.sdk, refusal.reason)
            return answers.refused(refusal, request.cors)
        except ClientGone:
            raise
        except Exception:
            log.exception("Intake failed on a request to %s.", request.where.endpoint)
            self._counts.dropped(request.counted_project, "request", request.sdk, "internal_error")
            return answers.refused(Refused(400, "Internal error.", reason="internal_error"), request.cors)

    async def _dispatch(self, request: _Request, method: str, receive: Receive) -> Answer:
        if method == "OPTIONS":
            return await self._preflight(request)
        if method != "POST" and not (method == "GET" and request.where.item == "check_in"):
            return answers.not_allowed(b"GET, POST, OPTIONS" if request.where.item == "check_in" else b"POST, OPTIONS")
        await self._admit(request, auth.agreed_key(request.claims.keys))
        if request.key is None and request.where.endpoint != ENVELOPE:
            raise auth.missing_key()
        body = BodyReader(receive, self._limits, self._guards, self._pacer)
        try:
            if request.where.endpoint == ENVELOPE:
                return await self._take_envelope(request, body)
            if request.where.endpoint == STORE:
                return await self._take_event(request, body)
            return await self._take_other(request, body)
        finally:
            body.release()

    async def _preflight(self, request: _Request) -> Answer:
        """Browsers send no headers of ours here; a key in the query is enough to tell a page that it may not send."""
        named = auth.agreed_key(request.claims.keys)
        key = self._keys.get(named) if named else None
        if key is not None:
            self._check_origin(request, key)
        return answers.preflight(request.cors)

    async def _admit(self, request: _Request, named: str | None) -> None:
        """Find the key, if the request names one so far, and ask the guards. Raises 403, 429."""
        if named is None:
            return
        key = self._keys.get(named)
        if key is None and auth.known_form(named):
            key = await self._keys.find(named)
            if key is None and not self._keys.knows:
                raise try_later("The keys cannot be read now.", reason="starting", retry_after_s=2)
        request.counted_project = key.project if key else 0
        request.key = self._checked(request, key)
        request.project = request.key.project
        self._check_origin(request, request.key)
        self._guards.check(request.key)

    def _checked(self, request: _Request, key: Key | None) -> Key:
        """The key, if it lets this request in; a use of it is noted either way. Raises 403."""
        try:
            checked = auth.check(key, project=request.where.project, now=request.received)
        except Refused:
            if key is not None:
                self._counts.used(key.public_key, let_in=False)
            raise
        self._counts.used(checked.public_key, let_in=True)
        return checked

    def _check_origin(self, request: _Request, key: Key) -> None:
        if not request.origin or not key.allowed_origins:
            return
        if not auth.origin_allowed(key, request.origin):
            request.cors = []  # the page shall not even read why
            raise auth.denied("The origin of the page is not allowed for this key.", reason="origin")
        request.cors = answers.cors(request.origin, restricted=True)

    def _decoder(self, request: _Request, encoding: str) -> Decoder:
        """The decoder of the body, unless its stated length alone is too much already."""
        decoder = Decoder(encoding, self._limits)
        if request.content_length() > decoder.wire_cap:
            raise too_large(f"The request has more than {decoder.wire_cap} bytes.")
        return decoder

    async def _take_envelope(self, request: _Request, body: BodyReader) -> Answer:
        framer = Framer(self._limits)

        async def header_seen() -> bool:
            if framer.header is None:
                return False
            await self._admit_by_header(request, framer.header.dsn)
            return True

        await body.read(self._decoder(request, request.encoding()), framer, header_seen)
        framer.finish()
        if request.key is None and framer.header is not None:  # a body whose only line has no newline
            await self._admit_by_header(request, framer.header.dsn)
        return await self._keep(request, framer)

    async def _admit_by_header(self, request: _Request, dsn: str | None) -> None:
        """Compare the header's dsn with what the request said before, or let it be the key. Raises 401, 403."""
        named = request.claims.keys
        if dsn is not None:
            stated = auth.parse_dsn(dsn)
            named = (*named, stated.public_key)
            if request.project is not None and stated.project != request.project:
                raise auth.denied("The dsn in the envelope header is of another project.", reason="wrong_project")
        key = auth.agreed_key(named)
        if request.key is None:
            await self._admit(request, key)
        if request.key is None:
            raise auth.missing_key()

    async def _take_event(self, request: _Request, body: BodyReader) -> Answer:
        cap = self._limits.item_bytes["event"]
        whole = Whole(2 * cap)  # base64 makes the old form a third longer
        await body.read(self._decoder(request, request.encoding()), whole)
        return await self._keep(request, one_event(plain_event(whole.take(), 2 * cap), self._limits))

    async def _take_other(self, request: _Request, body: BodyReader) -> Answer:
        """Endpoints whose content is not stored yet: read, counted, and answered as if it were."""
        await body.read(self._decoder(request, ""), Discard())
        item = request.where.item
        self._counts.arrived(request.counted_project, item, request.sdk)
        self._counts.dropped(request.counted_project, item, request.sdk, NOT_STORED_YET)
        status = {"check_in": answers.CRON_STATUS, "attachment": answers.ATTACHMENTS_STATUS}.get(item, 200)
        return answers.accepted(None, request.cors, status=status)

    async def _keep(self, request: _Request, framer: Framer) -> Answer:
        """Count everything that came, store what is stored, and answer when it is durable."""
        key, header = request.key, framer.header
        assert key is not None
        if header is not None and header.sdk:
            request.sdk = clean_sdk(header.sdk)
        for item, _ in framer.items:
            self._counts.arrived(key.project, item, request.sdk)
        for (item, reason), n in framer.passed.items():
            self._counts.arrived(key.project, item, request.sdk, n)
            self._counts.dropped(key.project, item, request.sdk, reason, n)
        if framer.items:
            envelope = Envelope(
                project=key.project,
                key=key.public_key,
                received=request.received,
                sent_at=header.sent_at if header else None,
                event_id=framer.event_id,
                client_ip=request.client_ip,
                sdk=request.sdk,
                items=framer.items,
            )
            try:
                # Shielded: a client that hangs up now does not make the write undone.
                await asyncio.shield(self._writer.submit(envelope))
            except (CommitFailed, QueueFull, Closed) as error:
                raise self._lost(request, framer, error) from error
        return answers.accepted(framer.event_id, request.cors)

    def _lost(self, request: _Request, framer: Framer, error: Exception) -> Refused:
        """Count the items of an envelope that could not be written. The refusal itself stands for the first of them."""
        refusal = write_failed(str(error))
        for item, _ in framer.items[1:]:
            self._counts.dropped(request.counted_project, item, request.sdk, refusal.reason)
        refusal.item = framer.items[0][0]
        return refusal


def _path(scope: Scope) -> str:
    """The path below the installation's own prefix. Servers differ on whether `path` repeats `root_path`."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
