"""The connection to Daytwo: one question at a time, each with an end to its patience."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import urllib3

from daytwo._wire import dump

_PATIENCE = urllib3.Timeout(connect=3.0, read=10.0)
_QUIET = urllib3.Timeout(connect=3.0, read=75.0)  # on a stream something comes at least every 30 s
_LONGEST_S = 30.0  # for a whole answer, also one that comes byte by byte
_LARGEST = 64 << 20
_LONGEST_LINE = 4096
_AGENT = "daytwo-python"
_REVISION = re.compile(rb"id: ?([0-9]{1,18})\s*$")


class Failed(Exception):
    """No use came of asking; the text says why, for the log. `status` is 0 without an answer."""

    def __init__(self, words: str, *, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(words)
        self.status, self.retry_after = status, retry_after


class Answer(NamedTuple):
    """`body` is None where nothing has changed."""

    body: bytes | None
    etag: str


class Link:
    """Speaks to one server with one key, which goes nowhere else."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": _AGENT, "Accept": "application/json"}
        # Redirects are not followed: whoever answers there would be given the key.
        self._stream: Any = None
        self._pool = urllib3.PoolManager(timeout=_PATIENCE, retries=False, maxsize=3)

    def snapshot(self, etag: str, revision: int = 0) -> Answer:
        """The definitions, unless they are those of that ETag. `revision` is one of which `changes` has told: of
        several servers the one that answers may not have it yet. `Failed`.
        """
        asked = {"Accept-Encoding": "gzip", **({"If-None-Match": etag} if etag else {})}
        path = f"/flags/v1/snapshot?revision={revision}" if revision else "/flags/v1/snapshot"
        answer = self._ask("GET", path, headers=asked)
        try:
            if answer.status == 304:
                return Answer(None, etag)
            if answer.status != 200:
                raise _failure("snapshot", answer)
            return Answer(_body(answer), answer.headers.get("ETag", ""))
        finally:
            answer.release_conn()

    def tell(self, exposures: dict[str, Any], *, patience_s: float | None = None) -> None:
        """Deliver counts. `Failed`."""
        patience = _PATIENCE if patience_s is None else urllib3.Timeout(total=patience_s)
        answer = self._ask(
            "POST", "/flags/v1/exposures", body=dump(exposures), timeout=patience,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        try:
            if not 200 <= answer.status < 300:
                raise _failure("exposures", answer)
            answer.drain_conn()
        finally:
            answer.release_conn()

    def changes(self) -> Iterator[int]:
        """Yield 0 when it is connected and then at each change its revision, 0 if that is not said, until the
        connection ends. `Failed`.
        """
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        answer = self._ask("GET", "/flags/v1/stream", headers=headers, timeout=_QUIET)
        self._stream = answer
        try:
            if answer.status != 200 or not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise Failed("there is no stream", status=404 if answer.status == 200 else answer.status)
            yield 0
            line, revision = b"", 0
            for byte in answer.stream(1):  # any more and it would wait until so many are there
                line = (line + byte)[-_LONGEST_LINE:]
                if byte == b"\n":
                    if found := _REVISION.match(line):
                        revision = int(found[1])
                    elif line.startswith(b"data:"):
                        yield revision
                    line = b""
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Failed(f"the stream broke off: {type(error).__name__}") from error
        finally:
            self._stream = None
            answer.close()

    def close(self) -> None:
        """Hang up, also where somebody waits for a change."""
        self._pool.clear()
        stream = self._stream
        with contextlib.suppress(AttributeError, OSError):  # a part that another version of urllib3 may not have
            stream._connection.sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - closing alone wakes nobody

    def _ask(self, method: str, path: str, *, headers: dict[str, str], **more: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method, self.url + path, headers=self._headers | headers, redirect=False, preload_content=False, **more
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Failed(f"{self.url}{path} gave no answer: {type(error).__name__}") from error


def _body(answer: urllib3.BaseHTTPResponse) -> bytes:
    until, found, size = time.monotonic() + _LONGEST_S, [], 0
    try:
        for piece in answer.stream(1 << 16, decode_content=True):
            size += len(piece)
            if size > _LARGEST or time.monotonic() > until:
                answer.close()  # or the rest of it would be the next answer on this connection
                raise Failed(f"the definitions have more than {_LARGEST >> 20} MB, or take over {_LONGEST_S:.0f} s")
            found.append(piece)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        answer.close()
        raise Failed(f"the definitions broke off: {type(error).__name__}") from error
    return b"".join(found)


def _failure(what: str, answer: urllib3.BaseHTTPResponse) -> Failed:
    status = answer.status
    hint = {
        401: "; is DAYTWO_KEY the server key of this project and environment?",
        403: "; is DAYTWO_KEY the server key of this project and environment?",
        404: "; is DAYTWO_URL where Daytwo is?",
    }.get(status, "")
    try:
        waits = float(answer.headers.get("Retry-After", 0))
    except ValueError:  # a date: the usual pause will do
        waits = 0.0
    answer.close()
    return Failed(f"{what}: the server answered {status}{hint}", status=status, retry_after=waits)


def parse(body: bytes) -> Any:
    """JSON; ValueError for what is none, however it is none."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
