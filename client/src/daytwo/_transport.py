"""How reports leave. Imports sentry-sdk, and is imported when it is started."""

from __future__ import annotations

# With its first connection a thread would import this; a process forked in that moment could never import it again.
import encodings.idna  # noqa: F401
import os
import threading
import weakref
from collections import defaultdict
from contextlib import suppress
from multiprocessing import util
from typing import Any

import sentry_sdk
from sentry_sdk.transport import HttpTransport

from daytwo import losses

_PARTS = {"log_byte", "trace_metric_byte", "span"}  # what the SDK counts once more beside the item they belong to


class CountingTransport(HttpTransport):
    """The SDK's transport over HTTP, which counts what it drops and survives a fork."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._waiting: dict[int, int] = {}  # items of each envelope on its way
        self._here = threading.local()
        if hasattr(os, "register_at_fork"):
            begin_anew = weakref.WeakMethod(self._begin_anew)
            os.register_at_fork(after_in_child=lambda: (found := begin_anew()) and found())
        # Its children leave without what atexit runs, but not without its own finalizers.
        util.register_after_fork(self, lambda _: util.Finalize(None, _end_child, exitpriority=-100))

    def capture_envelope(self, envelope: Any) -> None:
        self._waiting[id(envelope)] = _weight(envelope)
        self._here.refused = False
        super().capture_envelope(envelope)
        if self._here.refused:
            self._waiting.pop(id(envelope), None)

    def _send_envelope(self, envelope: Any) -> None:
        self._here.sending = envelope
        try:
            super()._send_envelope(envelope)
        finally:
            self._waiting.pop(id(envelope), None)

    def on_dropped_event(self, _reason: str) -> None:
        if _reason == "full_queue":
            self._here.refused = True
        elif _reason == "status_429":  # the server knows, and the SDK leaves it at that
            losses.count("rate_limited", _weight(self._here.sending))
        super().on_dropped_event(_reason)

    def record_lost_event(self, reason: str, data_category: Any = None, item: Any = None, *, quantity: int = 1) -> None:
        if item is not None:
            losses.count(reason, _items(item))
        elif data_category not in _PARTS:
            losses.count(reason, quantity)
        super().record_lost_event(reason, data_category, item, quantity=quantity)

    def kill(self) -> None:
        """What still waits now, after the flush of the process's end, is lost."""
        losses.count("process_ended", sum(list(self._waiting.values())))
        self._waiting.clear()
        super().kill()

    def _begin_anew(self) -> None:
        """In a forked child: what waits is the parent's to send and to count, and so are its connections.

        Two processes that write to one connection garble it; a lock that was held at the fork is held for ever.
        """
        losses.forget()
        self._waiting = {}
        with suppress(Exception):  # parts that another version of the SDK may not have
            self._worker = self._create_worker(self.options)
            self._pool = self._make_pool()
            self._discarded_events = defaultdict(int)


def _weight(envelope: Any) -> int:
    return sum(map(_items, envelope.items))


def _items(item: Any) -> int:
    """How many things of the app's an item stands for. Log lines travel together; the SDK's own reports are none."""
    if item.data_category == "internal":
        return 0
    count = item.headers.get("item_count")
    return count if isinstance(count, int) and count > 0 else 1


def _end_child() -> None:
    with suppress(Exception):
        sentry_sdk.get_client().close()  # waits for `shutdown_timeout` at most
        losses.tell()
