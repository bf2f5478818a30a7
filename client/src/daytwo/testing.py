"""For an app's own tests: what it logs, what it reports, health answers and feature flags on demand.

with testing.captured_logs() as lines:
place_order()
assert lines[0]["message"] == "order placed"
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daytwo import health, reporting, scope
from daytwo.health.registry import Registry
from daytwo.logs.output import output


@contextmanager
def captured_logs(level: str = "debug") -> Iterator[list[dict[str, Any]]]:
    """Everything that Daytwo's loggers write down to that level, as mappings, instead of being written."""
    lines = _Lines()
    with output.aside(level, lines):  # type: ignore[arg-type]  # a stream as far as it is used
        yield lines.found


class _Lines(io.RawIOBase):
    """A stream that takes lines apart as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []

    def writable(self) -> bool:
        return True

    def write(self, line: Any) -> int:
        self.found.append(json.loads(bytes(line)))
        return len(line)


@contextmanager
def captured_events(**options: Any) -> Iterator[list[dict[str, Any]]]:
    """Every event that would be sent, as a mapping, and nothing is. `options` as in `daytwo.init`."""
    import sentry_sdk
    from sentry_sdk.transport import Transport

    events: list[dict[str, Any]] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(item.payload.json for item in envelope.items if item.type == "event")

    before, isolate, taps = sentry_sdk.get_client(), scope.isolate, output.taps
    given: dict[str, Any] = {"dsn": "http://key@127.0.0.1/1", "environment": "production", "transport": Kept} | options
    try:
        with sentry_sdk.isolation_scope():
            reporting.init(**given)
            yield events
    finally:
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.get_global_scope().set_client(before)
        scope.isolate, output.taps = isolate, taps


@contextmanager
def forced_health(name: str, *, fail: str = "", skip: str = "", registry: Registry = health.default) -> Iterator[None]:
    """The check of that name passes, fails with these words, or is skipped with those. KeyError for an unknown name."""
    check = registry.checks[name]

    def look() -> None:
        if skip:
            raise health.Skip(skip)
        if fail:
            raise RuntimeError(fail)

    with check.instead(look):
        yield


@contextmanager
def override(given: Mapping[str, Any] | None = None, /, **flags: Any) -> Iterator[None]:
    """Feature flags answer so, to everybody: `override(new_checkout=True)`, `override({"new-checkout": "blue"})`.

    True and False are on and off, a text the name of a variant, anything else a value. An underscore in a name stands
    for itself and for `-`. No server is needed; other flags answer as before. It also decorates a function.
    """
    from daytwo.flags import default

    named = {spelled: value for name, value in flags.items() for spelled in (name, name.replace("_", "-"))}
    with default.overriding(named | dict(given or {})):
        yield
