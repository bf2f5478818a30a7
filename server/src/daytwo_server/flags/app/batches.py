"""Counts of what flags answered, as they come: from the SDK, from Unleash's clients, and from OFREP's own answers."""

import re
from datetime import datetime
from typing import Annotated

import msgspec

from daytwo.flags.definition import KEY
from daytwo_server.flags.app.answers import Refused

_MOST_ROWS = 10_000
_MOST_MISSING = 100
_ODD = re.compile(r"[^\x20-\x7e\xa0-\uffff]")

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Exposure(msgspec.Struct, frozen=True):
    """How often a flag answered with a variant. `revision` is the flag's."""

    flag: str
    count: Count
    revision: Whole = 0
    variant: str | None = None
    enabled: bool = False


class Missing(msgspec.Struct, frozen=True):
    """How often a flag was asked for that there is none of."""

    flag: str
    count: Count = 1


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one process between two moments, in unix seconds by its clock; they are counted once.

    An empty `instance`: whoever sends it knows whether it was written.
    """

    environment: int
    instance: str = ""
    sequence: int = 0
    service: str
    since: float
    until: float
    exposures: list[Exposure]
    missing: list[Missing]


class _Sent(msgspec.Struct, rename={"since": "from", "until": "to"}):
    instance: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    since: Moment
    until: Moment
    service: str | None = None
    exposures: Annotated[list[Exposure], msgspec.Meta(max_length=_MOST_ROWS)] = []
    missing: Annotated[list[Missing], msgspec.Meta(max_length=_MOST_MISSING)] = []


_decode = msgspec.json.Decoder(_Sent).decode


def of_sdk(body: bytes, environment: int) -> Batch:
    """The batch of an SDK. Raises `Refused` 400 for what is none."""
    try:
        sent = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"This is no batch of exposures: {error}") from None
    return Batch(
        environment=environment, instance=printable(sent.instance, 64), sequence=sent.sequence,
        service=printable(sent.service or "", 100), since=sent.since.timestamp(), until=sent.until.timestamp(),
        exposures=tidy(sent.exposures), missing=[one for one in sent.missing if KEY.fullmatch(one.flag)],
    )  # fmt: skip


def tidy(exposures: list[Exposure]) -> list[Exposure]:
    """Those of keys that a flag can have, with what can be a variant's name."""
    return [
        one if one.variant and len(one.variant) <= 100 and not _ODD.search(one.variant)
        else msgspec.structs.replace(one, variant=printable(one.variant or "", 100))
        for one in exposures
        if one.count and KEY.fullmatch(one.flag)
    ]  # fmt: skip


def printable(text: str, most: int) -> str:
    """At most so many characters that every store takes."""
    return _ODD.sub("?", text[:most])
