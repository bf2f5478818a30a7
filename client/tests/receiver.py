"""A server that takes what SDKs send, answers 200, and remembers it.

`stalls` makes it accept and never answer, `keeps_alive` take many requests on one connection; `status` is its answer.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class Receiver:
    def __init__(self, *, stalls: bool = False, keeps_alive: bool = False, status: int = 200) -> None:
        self.items: list[tuple[str, Any]] = []  # type and payload
        self.refused = 0  # requests that were none
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if keeps_alive else "HTTP/1.0"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if stalls:
                    outer.stopped.wait(30)
                    self.close_connection = True
                    return
                outer.items += envelope_items(unpacked(body, self.headers.get("Content-Encoding")))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_error(self, *_: object) -> None:
                outer.refused += 1

            def log_message(self, *_: object) -> None:
                pass

        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, kind: str) -> list[Any]:
        return [payload for found, payload in self.items if found == kind]

    @property
    def events(self) -> list[Any]:
        return self.of("event")

    def wait(self, kind: str = "event", count: int = 1) -> list[Any]:
        deadline = time.monotonic() + 10
        while len(self.of(kind)) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.of(kind)

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The SDK takes brotli where it is installed."""
    if encoding == "br":
        import brotli

        return brotli.decompress(body)
    return gzip.decompress(body) if encoding == "gzip" else body


def envelope_items(body: bytes) -> list[tuple[str, Any]]:
    _, _, rest = body.partition(b"\n")
    found = []
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        head = json.loads(line)
        length = head.get("length", rest.find(b"\n") if b"\n" in rest else len(rest))
        payload, rest = rest[:length], rest[length + 1 :]
        try:
            found.append((head["type"], json.loads(payload)))
        except ValueError:
            found.append((head["type"], payload))
    return found


class Answers:
    """A server whose answers are given: (status, headers, body), or None to hang up without one."""

    def __init__(self, *answers: tuple[int, dict[str, str], Any] | None) -> None:
        self.asked: list[dict[str, Any]] = []
        outer, left = self, list(answers)

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append({
                    "method": self.command, "path": self.path, "headers": dict(self.headers),
                    "json": json.loads(body) if body else None,
                })  # fmt: skip
                given = left.pop(0) if left else (500, {}, {"error": "nothing more was expected"})
                if given is None:
                    self.close_connection = True
                    return
                status, headers, found = given
                raw = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - names of the base class

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
