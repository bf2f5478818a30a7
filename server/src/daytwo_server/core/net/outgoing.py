"""HTTP to targets that users name (webhooks, integrations), so that nobody reaches inside through us.

A name is resolved once, here; the connection goes to the very address that was checked, and TLS still checks the name.
Every redirect is a new target. No proxy of the environment, no cookies, no credentials in addresses.
"""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
import msgspec

from daytwo_server.core import conf
from daytwo_server.core.net.addresses import Policy

USER_AGENT = "Daytwo"
_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_LATER = {408, 425, 429}
# What another host may see of a request that was meant for the first one.
_HARMLESS_HEADERS = {"accept", "user-agent"}


class OutgoingRefused(Exception):
    """We do not connect there. The message says why, and what an operator can change."""

    permanent = True


class OutgoingFailed(Exception):
    """The other side could not be reached or did not accept. `permanent` when trying again would change nothing."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class Answer:
    """What came back. `body` holds at most the bytes asked for; `truncated` tells when there was more."""

    status: int
    headers: httpx.Headers
    body: bytes
    truncated: bool
    url: str

    def expect_success(self) -> Answer:
        """Itself, or `OutgoingFailed`: permanent for 4xx, except those that ask to come back later."""
        if 200 <= self.status < 300:
            return self
        host = httpx.URL(self.url).host
        permanent = 300 <= self.status < 500 and self.status not in _TRY_LATER
        raise OutgoingFailed(f"{host} answered {self.status}.", permanent=permanent)

    def json(self) -> Any:
        """The decoded body. Raises `OutgoingFailed` when it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise OutgoingFailed(f"{httpx.URL(self.url).host} did not answer with JSON.", permanent=False) from None


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    timeout_s: float = 10.0,
    max_bytes: int = 1_000_000,
    max_redirects: int = 3,
) -> Answer:
    """Send one request and read the answer, whatever its status.

    `timeout_s` bounds all of it, redirects included, except the name lookup, which the system's resolver bounds.
    Raises `OutgoingRefused` for a target that is not allowed and `OutgoingFailed` when the network fails.
    """
    content_type = ""
    if json is not None:
        content, content_type = msgspec.json.encode(json), "application/json"
    request = httpx.Request(method, _target(url), headers=_with_defaults(headers, content_type), content=content)
    deadline = time.monotonic() + timeout_s
    for _ in range(max_redirects + 1):
        answer = _send(request, content or b"", deadline=deadline, max_bytes=max_bytes)
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return answer
        request, content = _redirected(request, content, answer)
    raise OutgoingFailed(f"{request.url.host} redirected more than {max_redirects} times.", permanent=True)


def policy() -> Policy:
    """Which addresses the settings allow."""
    current = conf.current()
    return Policy(current.allow_private_addresses, current.allowed_addresses)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of the host that we may connect to, best first. Raises `OutgoingRefused` when there is none.

    Names and every way to write an address (`2130706433`, `0x7f.1`) go through the system's resolver, so that what is
    checked is what would be connected to.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutgoingFailed(f"The name {host} has no address.", permanent=False) from None
    allowed = policy()
    permitted = [str(place[4][0]) for place in found if allowed.permits(str(place[4][0]))]
    if not permitted:
        raise OutgoingRefused(
            f"{host} is not a public address. An operator can allow it with DAYTWO_ALLOWED_ADDRESSES."
        )
    return permitted


def _target(url: str | httpx.URL) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise OutgoingRefused("This is no usable address; it must look like https://example.com/path.") from None
    if target.scheme not in {"http", "https"} or not target.host:
        raise OutgoingRefused("Only addresses that start with https:// or http:// and name a host can be used.")
    if target.userinfo:
        raise OutgoingRefused("An address must not hold a user name or password.")
    return target


def _with_defaults(headers: Mapping[str, str] | None, content_type: str = "") -> httpx.Headers:
    full = httpx.Headers({"user-agent": USER_AGENT, "accept": "*/*"})
    if content_type:
        full["content-type"] = content_type
    full.update(headers)
    full["accept-encoding"] = "identity"  # so that a small answer cannot unfold into a big one
    return full


def _send(request: httpx.Request, content: bytes, *, deadline: float, max_bytes: int) -> Answer:
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    # A pool for each request: a kept connection would outlive the check that allowed it.
    with httpcore.ConnectionPool(network_backend=_Guarded(deadline), ssl_context=_tls()) as pool:
        try:
            with pool.stream(request.method, target, headers=request.headers.raw, content=content) as response:
                body, truncated = _read(response.iter_stream(), max_bytes)
                return Answer(response.status, httpx.Headers(response.headers), body, truncated, str(url))
        except httpcore.TimeoutException:
            raise OutgoingFailed(f"{url.host} did not answer in time.", permanent=False) from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise OutgoingFailed(f"{url.host} could not be reached: {_words(error)}.", permanent=False) from error


def _read(chunks: Iterable[bytes], max_bytes: int) -> tuple[bytes, bool]:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            return body[:max_bytes], True
    return body, False


def _words(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({cause.verify_message})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error) or type(error).__name__


def _redirected(request: httpx.Request, content: bytes | None, answer: Answer) -> tuple[httpx.Request, bytes | None]:
    """The next request, as browsers do it; another host gets neither headers nor body of the caller."""
    try:
        target = _target(request.url.join(answer.headers["location"]))
    except (httpx.InvalidURL, ValueError):
        raise OutgoingFailed(f"{request.url.host} redirected to no usable address.", permanent=True) from None
    method = request.method
    if (answer.status == 303 and method != "HEAD") or (answer.status in {301, 302} and method == "POST"):
        method, content = "GET", None
    headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
    if content is None:
        headers.pop("content-type", None)
    if _origin(target) != _origin(request.url):
        if content is not None:
            raise OutgoingFailed(f"{request.url.host} moved to {target.host}; enter the new address.", permanent=True)
        headers = {name: value for name, value in headers.items() if name in _HARMLESS_HEADERS}
    return httpx.Request(method, target, headers=_with_defaults(headers), content=content), content


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _Guarded(httpcore.NetworkBackend):
    """Connects to permitted addresses only, and lets nothing last past the deadline (`time.monotonic()`)."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in resolve(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Deadlined(stream, self._deadline)
        raise failure or httpcore.ConnectError("no address")


class _Deadlined(httpcore.NetworkStream):
    """A connection on which every step gets what is left of the time: a slow drip of bytes ends as well."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Deadlined(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("The time for this request is over.")
    return left
