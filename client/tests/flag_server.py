"""Daytwo as an app's flags see it: a small server over a socket that gives a snapshot and takes counts."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "server-key"


def flag(key="new-checkout", **given):
    """A boolean flag that is on, unless told otherwise."""
    return {"key": key, "revision": 1, "enabled": True, **given}


def snapshot(*flags, revision=1, **more):
    return {"format": 1, "revision": revision, "environment": "production", "flags": list(flags), **more}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # several processes come at once

    def handle_error(self, *_):
        pass  # clients that hang up


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        flags = self.server.flags
        if self.path == "/flags/v1/stream":
            self.stream(flags)
            return
        flags.asked.append(("GET", self.path, dict(self.headers)))
        if flags.misbehaves(self):
            return
        body = json.dumps(flags.snapshot).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.answer(304, b"", etag)
        else:
            self.answer(200, gzip.compress(body), etag, encoding="gzip")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        flags = self.server.flags
        flags.asked.append(("POST", self.path, dict(self.headers)))
        if not flags.misbehaves(self):
            flags.take(body)
            self.answer(202, b"{}", "")

    def stream(self, flags):
        """One event for each change, in chunks, until the client leaves or `streams` is over."""
        known = flags.snapshot  # before anybody is told that somebody listens
        flags.streaming += 1
        if not flags.streams or self.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer(404, b"{}", "")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        while flags.streams and not flags.stopped.wait(0.01):
            if flags.snapshot is not known:
                known = flags.snapshot
                now = known["revision"]
                event = f': ping\n\nid: {now}\nevent: message\ndata: {{"revision": {now}}}\n\n'.encode()
                self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def answer(self, status, body, etag, *, encoding=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (("ETag", etag), ("Content-Encoding", encoding)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class FlagServer:
    """Answers as docs/reference/flag-snapshot.md says. `trouble` makes it misbehave: a status, or a word."""

    def __init__(self) -> None:
        self.snapshot = snapshot()
        self.trouble = None
        self.streams, self.streaming = False, 0  # whether it does, and how often it was asked to
        self.asked: list[tuple[str, str, dict]] = []  # method, path, headers
        self.batches: list[dict] = []
        self.stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.flags = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def take(self, batch: dict) -> None:
        """Count it once, however often it comes."""
        known = {one["sequence"] for one in self.batches if one["instance"] == batch["instance"]}
        if batch["sequence"] not in known:
            self.batches.append(batch)

    def misbehaves(self, request) -> bool:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            request.answer(401, b"{}", "")
        elif isinstance(self.trouble, int):
            request.answer(self.trouble, b"{}", "")
        elif self.trouble == "takes no counts":
            if request.command == "GET":
                return False
            request.answer(500, b"{}", "")
        elif self.trouble == "garbage":
            request.answer(200, b"<html>Welcome to the hotel's network</html>", '"garbage"')
        elif self.trouble == "another document":
            request.answer(200, b'{"flags": "none", "format": 1}', '"other"')
        elif self.trouble == "hangs up halfway":
            body = json.dumps(self.snapshot).encode()
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body[: len(body) // 2])
            request.close_connection = True
        elif self.trouble == "silent":
            self.stopped.wait(20)
            request.close_connection = True
        else:
            return False
        return True

    def counts(self) -> dict[tuple[str, bool], int]:
        """How often each flag was on and off, of all that was delivered."""
        found: dict[tuple[str, bool], int] = {}
        for batch in list(self.batches):
            for one in batch["exposures"]:
                found[one["flag"], one["enabled"]] = found.get((one["flag"], one["enabled"]), 0) + one["count"]
        return found

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


def until(true, seconds=10.0):
    """Wait for something to become true, and give it."""
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found, "it did not happen"
    return found
