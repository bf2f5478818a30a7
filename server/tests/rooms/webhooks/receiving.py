"""A receiver of webhooks on a socket, which checks the signature of each call as the specification says."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Receiver:
    """Answers `status`; what it took stands in `taken`, as (id, type, data). `secrets` are those it believes."""

    def __init__(self) -> None:
        self.status, self.taken, self.refused = 200, [], []  # type: ignore[var-annotated]
        self.secrets: list[str] = []
        self.delay_s = 0.0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks?token=1"

    def _handler(receiver) -> Any:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.delay_s)
                why = receiver.problem(self.path, self.headers, body)
                if why:
                    receiver.refused.append(why)
                elif receiver.status == 200:
                    said = json.loads(body)
                    receiver.taken.append((self.headers["webhook-id"], said["type"], said["data"]))
                self.send_response(400 if why else receiver.status)
                if 300 <= receiver.status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def problem(self, path: str, headers: Any, body: bytes) -> str:
        """Why this is no call of ours; empty when it is one."""
        if path != "/hooks?token=1" or headers["Content-Type"] != "application/json":
            return f"{path} {headers['Content-Type']}"
        if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
            return "It is old."
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        keys = [base64.b64decode(one.removeprefix("whsec_")) for one in self.secrets]
        proofs = {f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys}
        return "" if proofs & set(headers["webhook-signature"].split()) else "Nobody we know has signed it."


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join(10)
