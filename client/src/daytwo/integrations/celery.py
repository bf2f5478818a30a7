"""Celery: `daytwo.integrations.celery.install()` in the module that makes the app, for senders and workers alike."""

from __future__ import annotations

import time
from typing import Any

from celery import signals

from daytwo import reporting, scope
from daytwo.logs.logger import get_logger
from daytwo.logs.values import merge

HEADER = "daytwo_scope"
_MAX_FIELDS = 20  # of the sender's scope; a message is no place for more
_log = get_logger("daytwo.task")
_running: dict[str, tuple[Any, dict[str, object], float]] = {}


def install() -> None:
    """Carry the scope of whoever sends a task (request id, trace, user, own fields) to where it runs.

    There each task has a scope with these, `task` and `task_id`, leaves one line with its state and duration, and its
    failure is reported.
    """
    signals.celeryd_init.connect(_keep_stdout, dispatch_uid="daytwo.stdout")
    signals.before_task_publish.connect(_pack, dispatch_uid="daytwo.pack")
    signals.task_prerun.connect(_begin, dispatch_uid="daytwo.begin")
    signals.task_failure.connect(_fail, dispatch_uid="daytwo.fail")
    signals.task_postrun.connect(_end, dispatch_uid="daytwo.end")


def _keep_stdout(conf: Any = None, **_: Any) -> None:
    # A worker makes stdout a logger of its own, which would put text before each of our lines.
    conf.worker_redirect_stdouts = False


def _pack(headers: dict[str, Any] | None = None, **_: Any) -> None:
    fields = scope.current()
    if not fields or headers is None:
        return
    known: dict[str, Any] = {}
    merge(known, dict(list(fields.items())[:_MAX_FIELDS]))
    plain = {name: value for name, value in known.items() if isinstance(value, (str, int, float, bool))}
    headers[HEADER] = {name: value for name, value in plain.items() if name not in {"task", "task_id"}}


def _begin(task_id: str = "", task: Any = None, **_: Any) -> None:
    sent = getattr(task.request, HEADER, None) or (task.request.headers or {}).get(HEADER)
    fields = {str(name): value for name, value in sent.items()} if isinstance(sent, dict) else {}
    manager = scope.request(**fields | {"task": task.name, "task_id": task_id})
    _running[task_id] = (manager, manager.__enter__(), time.perf_counter())


def _fail(exception: BaseException | None = None, **_: Any) -> None:
    # With the SDK's own integration for Celery it is recognised and not sent twice.
    if exception is not None:
        reporting.capture_unhandled(exception)


def _end(task_id: str = "", state: str | None = None, **_: Any) -> None:
    manager, _opened, began = _running.pop(task_id, (None, {}, 0.0))
    if manager is None:
        return
    took = round((time.perf_counter() - began) * 1000, 1)
    # Not an error here: the exception is reported by itself.
    _log.info("task", state=(state or "UNKNOWN").lower(), duration_ms=took)
    manager.__exit__(None, None, None)
