"""The door itself: which request is whose, who may ask, and every refusal as an answer."""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping

from daytwo_server.core.keytable import KeyTable
from daytwo_server.core.net import origins
from daytwo_server.flags.app import answers, body, ofrep, unleash
from daytwo_server.flags.app.answers import Answer, Gone, Headers, Receive, Refused, Scope, Send, later
from daytwo_server.flags.app.batches import of_sdk
from daytwo_server.flags.app.environment import Name
from daytwo_server.flags.app.environments import Environments, Load, Revisions
from daytwo_server.flags.app.exposures import Exposures, Record
from daytwo_server.flags.app.keys import Key, Keys, header_of
from daytwo_server.flags.app.streams import Streams, Tickets, to_ofrep, to_sdk

log = logging.getLogger(__name__)

MAX_COUNTS = 2 << 20
NOTED_EVERY_S = 60.0
EVALUATE = "/ofrep/v1/evaluate/flags"
_EVALUATE_ONE = EVALUATE + "/"
STREAM = "/ofrep/v1/stream"
_PREFIXES = ("/ofrep/", "/flags/v1/", "/unleash/api/")
_LONGEST_REVISION = 18  # digits


class Request:
    """One request on its way."""

    __slots__ = ("headers", "key", "method", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        self.path = path[len(root) :] if root and path.startswith(root) else path
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.key: Key | None = None

    def cors(self) -> Headers:
        """What lets the page that asked read the answer; nothing where its origin is not allowed."""
        allowed, origin = self.key.allowed_origins if self.key else (), self.headers.get(b"origin")
        if not allowed or not origin:
            return answers.ANY_ORIGIN
        is_allowed = origins.is_allowed(allowed, origin.decode("latin-1"))
        return answers.cors(origin, restricted=True) if is_allowed else []

    def query(self, name: str) -> str:
        """A parameter of the address, "" without."""
        found = urllib.parse.parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        return str(found.get(name, [""])[0])


Handler = Callable[[Request], Awaitable[Answer]]


class Door:
    """What apps ask for flags, in one process. `start` before the first request, `stop` after the last one.

    `keys` are all that are in force, by `Key.id`; the table is started and stopped here. `note_uses` is told once a
    minute which of them were used. It, `load`, `revisions` and `record` block, and run on threads. `secret` signs the
    addresses of streams.
    """

    def __init__(
        self,
        *,
        keys: KeyTable[Key],
        load: Load,
        revisions: Revisions,
        record: Record,
        note_uses: Callable[[set[str]], None],
        secret: bytes,
    ) -> None:
        self._keys = Keys(keys)
        self._streams = Streams()
        self._environments = Environments(load, revisions, changed=self._streams.tell)
        self._exposures = Exposures(record)
        self._tickets = Tickets(secret)
        self._note_uses = note_uses
        self._noting: asyncio.Task[None] | None = None
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/flags/v1/snapshot"): self._snapshot,
            ("POST", "/flags/v1/exposures"): self._take_exposures,
            ("GET", "/unleash/api/client/features"): self._unleash_features,
            ("POST", "/unleash/api/client/metrics"): self._unleash_metrics,
            ("POST", "/unleash/api/client/register"): self._unleash_register,
        }
        self._methods = {path: method for method, path in self._routes} | {
            "/flags/v1/stream": "GET", STREAM: "GET", EVALUATE: "POST",
        }  # fmt: skip

    @staticmethod
    def matches(path: str) -> bool:
        """Whether a path belongs here, for the dispatcher in front. Without the `root_path`."""
        return path.startswith(_PREFIXES)

    async def start(self) -> None:
        await self._keys.table.start()
        await self._environments.start()
        await self._exposures.start()
        self._noting = asyncio.create_task(self._note_now_and_then())

    def close_streams(self) -> None:
        """End the streams, which would otherwise hold up the stop."""
        self._streams.close()

    async def stop(self) -> None:
        """Write the last counts and uses. Requests must have ended."""
        if self._noting is not None:
            self._noting.cancel()
        await self._note()
        await self._exposures.stop()
        await self._environments.stop()
        await self._keys.table.stop()

    async def _note_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(NOTED_EVERY_S)
            await self._note()

    async def _note(self) -> None:
        used, self._keys.used = self._keys.used, set()
        if not used:
            return
        try:
            await asyncio.to_thread(self._note_uses, used)
        except Exception as error:  # noqa: BLE001 - the next use says it again
            log.warning("The last use of %d keys could not be noted: %s", len(used), error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, method = request.path, request.method
        is_ofrep = path.startswith("/ofrep/")
        try:
            if is_ofrep and method == "OPTIONS":
                answer = answers.preflight()
            elif method == "POST" and path.startswith(_EVALUATE_ONE):
                answer = await self._evaluate(request, path[len(_EVALUATE_ONE) :])
            elif method == "POST" and path == EVALUATE:
                answer = await self._evaluate(request, "")
            elif path in {"/flags/v1/stream", STREAM} and method == "GET":
                await self._stream(request, send)
                return
            else:
                answer = await self._route(request)
        except Gone:
            return
        except Refused as refusal:
            answer = self._refused(request, refusal, is_ofrep=is_ofrep)
        except Exception:
            log.exception("A request to %s failed.", path)
            answer = self._refused(request, Refused(500, "Internal error; the log says more."), is_ofrep=is_ofrep)
        await answers.send(send, answer, head=method == "HEAD")

    def _refused(self, request: Request, refusal: Refused, *, is_ofrep: bool) -> Answer:
        if not is_ofrep:
            return answers.plain(refusal)
        path = request.path
        key = path[len(_EVALUATE_ONE) :] if path.startswith(_EVALUATE_ONE) else ""
        return ofrep.refused(refusal, key, request.cors())

    async def _route(self, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._routes.get((method, request.path.rstrip("/")))
        if handler is not None:
            return await handler(request)
        allowed = "POST" if request.path.startswith(_EVALUATE_ONE) else self._methods.get(request.path)
        if allowed is None:
            raise Refused(404, "There is nothing here.")
        answer = self._refused(
            request, Refused(405, f"Ask with {allowed}."), is_ofrep=request.path.startswith("/ofrep/")
        )
        return answer._replace(headers=[*answer.headers, (b"allow", allowed.encode())])

    # ---- Who asks ----

    async def _admit(self, request: Request) -> Key:
        """The key of the request. Raises `Refused` 401, 403, 503."""
        given = header_of(request.headers)
        if not given:
            raise Refused(401, "Send a key of this environment: Authorization: Bearer <key>.")
        key = self._keys.known(given) or await self._keys.find(given)
        if key is None:
            if not self._keys.table.knows:
                raise later("The keys cannot be read now.")
            raise Refused(401, "The key is not in force here: it is unknown, or was revoked.")
        request.key = key
        if key.allowed_origins and b"origin" in request.headers and not request.cors():
            raise Refused(403, "The origin of the page is not among those that the key names.")
        return key

    async def _admit_server(self, request: Request) -> Key:
        key = await self._admit(request)
        if not key.is_server:
            raise Refused(403, "This is for the server key of an environment, and the key is a client key.")
        return key

    # ---- OFREP ----

    async def _evaluate(self, request: Request, flag: str) -> Answer:
        """That flag, or all without one."""
        key = await self._admit(request)
        most = ofrep.MAX_BODY if key.is_server else ofrep.MAX_PUBLIC_BODY
        given = ofrep.context_of(await body.read(request.receive, request.headers, most=most))
        # Who heard of a change, of all flags, comes with what OFREP's event called it.
        heard = 0 if flag else _revision_in(request.query("flagConfigEtag"))
        here = self._environments.get(key.environment)
        if here is None or here.revision < heard:
            here = await self._environments.reach(key.environment, heard)
        if flag:
            tally = self._exposures.tally(key.environment)
            return ofrep.answer_single(ofrep.single(here, tally, flag, given, is_server=key.is_server), request.cors())
        stream = f"{request.scope.get('root_path', '')}{STREAM}?ticket={self._tickets.of(key.id)}&since={here.revision}"
        return ofrep.answer_bulk(
            ofrep.bulk(here, given, is_server=key.is_server), here, stream,
            if_none_match=request.headers.get(b"if-none-match", b""), cors=request.cors(),
        )  # fmt: skip

    # ---- Streams ----

    async def _stream(self, request: Request, send: Send) -> None:
        self._streams.check()
        if request.path == STREAM:
            key, event = await self._ticket_holder(request), to_ofrep
        else:
            key, event = await self._admit_server(request), to_sdk
        here = await self._environments.find(key.environment)
        table, environments = self._keys.table, self._environments

        def revision() -> int:
            return (environments.get(key.environment) or here).revision

        await self._streams.serve(
            key.environment, request.receive, send, revision=revision, seen=_seen(request, here.revision), event=event,
            goes_on=lambda: table.get(key.id) is not None,
        )  # fmt: skip

    async def _ticket_holder(self, request: Request) -> Key:
        key_id = self._tickets.key_id(request.query("ticket"))
        key = await self._keys.table.find(key_id) if key_id else None
        if key is None:
            raise Refused(401, "The address of this stream is not in force; a bulk evaluation gives a new one.")
        return key

    # ---- What servers ask ----

    async def _snapshot(self, request: Request) -> Answer:
        key = await self._admit_server(request)
        return await self._document(request, key, "snapshot")

    async def _unleash_features(self, request: Request) -> Answer:
        key = await self._admit_server(request)
        return await self._document(request, key, "unleash")

    async def _document(self, request: Request, key: Key, name: Name) -> Answer:
        here = await self._environments.reach(key.environment, _revision_in(request.query("revision")))
        # Not on the thread that waits for the store: what is in memory is answered without that.
        found = here.ready(name)
        if found is None:
            found = await asyncio.to_thread(here.document_of, name)
        headers = [
            answers.JSON, (b"etag", found.etag.encode()), (b"cache-control", b"no-cache"),
            (b"vary", b"accept-encoding"),
        ]  # fmt: skip
        if answers.has(request.headers.get(b"if-none-match", b""), found.etag):
            return Answer(304, b"", headers)
        if b"gzip" in request.headers.get(b"accept-encoding", b""):
            return Answer(200, found.packed, [*headers, (b"content-encoding", b"gzip")])
        return Answer(200, found.plain, headers)

    async def _take_exposures(self, request: Request) -> Answer:
        key = await self._admit_server(request)
        sent = await body.read(request.receive, request.headers, most=MAX_COUNTS)
        await self._exposures.take(of_sdk(sent, key.environment))
        return Answer(202, b"{}", [answers.JSON])

    # ---- Unleash ----

    async def _unleash_metrics(self, request: Request) -> Answer:
        key = await self._admit_server(request)
        sent = await body.read(request.receive, request.headers, most=MAX_COUNTS)
        here = await self._environments.find(key.environment)
        await self._exposures.take(unleash.counts(sent, here.ruleset, key.environment))
        return Answer(202, b"{}", [answers.JSON])

    async def _unleash_register(self, request: Request) -> Answer:
        """What it says of itself is what its counts say again."""
        await self._admit_server(request)
        await body.read(request.receive, request.headers, most=MAX_COUNTS)
        return Answer(202, b"{}", [answers.JSON])


def _seen(request: Request, now: int) -> int:
    """The revision that the listener knows: of its last event, or of the answer that sent it here; else that of now."""
    came_with = _revision_in(request.query("since"), else_=now)
    return _revision_in(request.headers.get(b"last-event-id", b"").decode("latin-1"), else_=came_with)


def _revision_in(text: str, *, else_: int = 0) -> int:
    """A revision as a client sent it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_REVISION else else_
