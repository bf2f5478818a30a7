"""Reading a request's body: bounded in size and time."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from daytwo_server.flags.app.answers import Gone, Receive, Refused

PATIENCE_S = 20.0
_decode = msgspec.json.Decoder().decode


async def read(receive: Receive, headers: Mapping[bytes, bytes], *, most: int) -> bytes:
    """All of it. Raises `Refused` 408, 413, 415, and `Gone`."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refused(415, "Send the body without a content encoding.")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length[:18]) > most:
        raise _too_large(most)
    found = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Gone
                found += message.get("body", b"")
                if len(found) > most:
                    raise _too_large(most)
                if not message.get("more_body", False):
                    return bytes(found)
    except TimeoutError:
        raise Refused(408, "The body did not arrive in time.") from None


def parse(body: bytes) -> Any:
    """JSON. Raises `Refused` for what is none, however it is none."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"The body is not JSON: {error}", code="PARSE_ERROR") from None


def _too_large(most: int) -> Refused:
    return Refused(413, f"The body has more than {most} bytes.")
