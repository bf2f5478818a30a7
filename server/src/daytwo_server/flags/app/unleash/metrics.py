"""What Unleash's clients counted, as exposures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from daytwo.flags import Ruleset
from daytwo.flags.definition import KEY
from daytwo_server.flags.app.answers import Refused
from daytwo_server.flags.app.batches import Batch, Count, Exposure, Missing, printable, tidy

_MOST_FLAGS = 10_000
_MOST_MISSING = 100


class _Toggle(msgspec.Struct):
    yes: Count = 0
    no: Count = 0
    variants: dict[str, Count] = {}


class _Bucket(msgspec.Struct):
    start: datetime
    stop: datetime
    toggles: Annotated[dict[str, _Toggle], msgspec.Meta(max_length=_MOST_FLAGS)] = {}


class _Sent(msgspec.Struct, rename="camel"):
    bucket: _Bucket
    app_name: str = ""


_decode = msgspec.json.Decoder(_Sent).decode


def counts(sent: bytes, ruleset: Ruleset, environment: int) -> Batch:
    """One batch. A delivery that comes again is counted again: it has no number. Raises `Refused` 400."""
    try:
        found = _decode(sent)
        since, until = found.bucket.start.timestamp(), found.bucket.stop.timestamp()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
        raise Refused(400, f"These are no metrics of an Unleash client: {error}") from None
    exposures: list[Exposure] = []
    missing: list[Missing] = []
    for key, toggle in found.bucket.toggles.items():
        written = ruleset.written.get(key)
        if written is not None:
            exposures += _of_flag(key, toggle, written)
        elif KEY.fullmatch(key) and len(missing) < _MOST_MISSING:
            missing.append(Missing(key, toggle.yes + toggle.no))
    return Batch(
        environment=environment, service=printable(found.app_name, 100), since=since, until=until,
        exposures=tidy(exposures), missing=missing,
    )  # fmt: skip


def _of_flag(key: str, toggle: _Toggle, written: Mapping[str, Any]) -> list[Exposure]:
    """Asking for a variant counts as asking whether it is on, too; what is left is the variant of each."""
    off = written.get("offVariant") or "off"
    named = {variant: count for variant, count in toggle.variants.items() if variant != "disabled"}
    rest = max(0, toggle.yes - sum(named.values()))
    revision = int(written.get("revision") or 0)
    on = written.get("defaultVariant") or "on"
    found = [Exposure(key, count, revision, variant, variant != off) for variant, count in named.items()]
    return [*found, Exposure(key, rest, revision, on, True), Exposure(key, toggle.no, revision, off, False)]
