"""Errors and messages on their way to whatever SENTRY_DSN names: Daytwo, or any server that Sentry's SDKs can talk to.

Everything here is built on sentry-sdk, which is imported by `init` and not before. Nothing here raises into the app.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from daytwo import scope
from daytwo.logs.levels import ERROR, NAMES
from daytwo.logs.logger import get_logger
from daytwo.logs.output import output
from daytwo.logs.stdlib import is_ours
from daytwo.logs.values import LIMIT, merge, plain
from daytwo.losses import lost, tell, watch_the_end

__all__ = ["CANCELLED", "capture_exception", "capture_message", "end", "flush", "init", "lost", "set_user"]

DEVELOPMENT = frozenset({"development", "dev", "local", "test"})
PRODUCTION = frozenset({"production", "prod"})
# Someone changed their mind: no fault of the app. Named, so that no framework is imported for them. Broken pipes and
# resets are not among them: between servers these are outages.
CANCELLED: tuple[type[BaseException] | str, ...] = (
    KeyboardInterrupt,
    "asyncio.exceptions.CancelledError",
    "concurrent.futures._base.CancelledError",
    "starlette.requests.ClientDisconnect",
    "starlette.websockets.WebSocketDisconnect",
    "uvicorn.protocols.utils.ClientDisconnected",
    "django.http.request.UnreadablePostError",
    "django.core.exceptions.RequestAborted",
    "werkzeug.exceptions.ClientDisconnected",
)
_PRODUCTION_TRACES, _OTHER_TRACES = 0.1, 1.0
_EXIT_S = 1.0  # how long a process that ends may wait for its last events; it is to be gone within 2 s
_MOST_FLAGS = 100  # as the SDK's own buffer
_LEVELS = frozenset({"debug", "info", "warning", "error", "fatal"})

log = get_logger("daytwo")


def init(
    dsn: str | None = None,
    *,
    environment: str | None = None,
    release: str | None = None,
    traces_sample_rate: float | None = None,
    send_in_development: bool | None = None,
    ignore: Iterable[type[BaseException] | str] = CANCELLED,
    logs: bool | None = None,
    log_errors: bool = True,
    **options: Any,
) -> bool:
    """Start reporting errors; True when they are sent. Without a DSN it does nothing, and so does everything else here.

    What is not given comes from the environment: `dsn` from SENTRY_DSN; `environment` from SENTRY_ENVIRONMENT, else
    "production"; `release` from SENTRY_RELEASE, else APP_VERSION, which is also the tag `app_version`;
    `traces_sample_rate` from SENTRY_TRACES_SAMPLE_RATE, else 0.1 in production and 1.0 elsewhere.

    In development (`development`, `dev`, `local`, `test`) nothing is sent unless `send_in_development` or
    DAYTWO_SEND_IN_DEVELOPMENT=1 says so. `ignore` holds exception classes, with their subclasses, and full names of
    classes that are nobody's fault; `[*daytwo.CANCELLED, MyTimeout]` adds to the default.

    `logs`, or DAYTWO_LOGS=1: every log line also leaves as a `log` item. `log_errors`: lines of level error and above
    become events. Further `options` go to `sentry_sdk.init` and win over what is decided here.
    """
    try:
        return _init(
            dsn if dsn is not None else os.environ.get("SENTRY_DSN", ""),
            environment or os.environ.get("SENTRY_ENVIRONMENT") or "production",
            release or os.environ.get("SENTRY_RELEASE") or os.environ.get("APP_VERSION") or None,
            _rate(traces_sample_rate),
            _asked(send_in_development, "DAYTWO_SEND_IN_DEVELOPMENT"),
            {"ignore_errors": list(ignore), "enable_logs": _asked(logs, "DAYTWO_LOGS")} | options,
            log_errors=log_errors,
        )
    except Exception as error:  # noqa: BLE001 - a wrong DSN or option must not keep the app from starting
        # The text of a BadDsn holds the DSN.
        log.error("errors are not reported: daytwo.init failed", reason=type(error).__name__)
        return False


def capture_exception(exc: BaseException | None = None, **context: object) -> str | None:
    """Report an exception, by default the one being handled; the event's id, or None when nothing was sent.

    `context` is shown beside the error; secrets are redacted, and each value is cut at 8 KB.
    """
    return _capture(lambda sdk: sdk.capture_exception(exc), "additional", context)


def capture_unhandled(exc: BaseException) -> None:
    """Report an exception that nobody caught. One that was reported already is recognised and not sent again."""
    sdk = _sdk()
    if sdk is None:
        return
    try:
        from sentry_sdk.utils import event_from_exception

        mechanism = {"type": "daytwo", "handled": False}
        event, hint = event_from_exception(exc, client_options=sdk.get_client().options, mechanism=mechanism)
        sdk.capture_event(event, hint=hint)
    except Exception as error:  # noqa: BLE001 - reporting never breaks what it reports about
        log.debug("nothing was reported", error)


def capture_message(message: str, /, level: str = "info", **context: object) -> str | None:
    """Report something that is no exception; the event's id, or None when nothing was sent.

    `level` is debug, info, warning, error or fatal; any other counts as info.
    """
    known = {"critical": "fatal"}.get(level, level)
    known = known if known in _LEVELS else "info"
    return _capture(lambda sdk: sdk.capture_message(str(plain(message)), known), "details", context)


def set_user(id: str | int, email: str | None = None, plan: str | None = None) -> None:  # noqa: A002 - the field's name
    """Say who the current request is for: in errors, in the tag `plan`, and as `user_id` and `plan` in log lines.

    Forgotten at the end of the request's scope. An e-mail is sent only if it is given.
    """
    user_id = str(plain(id))  # `str` is code of the caller and may raise
    known: dict[str, object] = {"user_id": user_id}
    if plan:
        known["plan"] = plan
    scope.set(**known)
    sdk = _sdk()
    if sdk is None:
        return
    try:
        here = sdk.get_isolation_scope()
        here.set_user({"id": user_id} | ({"email": email} if email else {}))
        if plan:
            here.set_tag("plan", plan)
        else:
            here.remove_tag("plan")
    except Exception as error:  # noqa: BLE001 - reporting never breaks what it reports about
        log.debug("the user could not be set", error)


def flush(timeout: float = 2.0) -> None:
    """Wait at most that many seconds until what was reported has been sent."""
    sdk = _sdk()
    if sdk is not None:
        sdk.flush(timeout=timeout)


def end() -> None:
    """Send what waits, for a second at most, and tell what was lost: for whoever is about to stop the process."""
    flush(_EXIT_S)
    tell()


def _init(
    dsn: str,
    environment: str,
    release: str | None,
    traces_sample_rate: float | None,
    send_in_development: bool,  # noqa: FBT001 - called from one place
    options: dict[str, Any],
    *,
    log_errors: bool,
) -> bool:
    if not dsn or (environment.lower() in DEVELOPMENT and not send_in_development):
        return False
    watch_the_end()
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration

    from daytwo._transport import CountingTransport

    usual = _PRODUCTION_TRACES if environment.lower() in PRODUCTION else _OTHER_TRACES
    quiet = AtexitIntegration(callback=lambda _pending, _timeout: None)
    decided: dict[str, Any] = {
        "environment": environment,
        "release": release,
        "traces_sample_rate": usual if traces_sample_rate is None else traces_sample_rate,
        "shutdown_timeout": _EXIT_S,
        "transport": CountingTransport,
        # A local variable may be an upload: shown whole, it would hold the app up and the server would not take it.
        "max_value_length": LIMIT,
        "custom_repr": _short_repr,
        "before_breadcrumb": _breadcrumb_filter(options.pop("before_breadcrumb", None)),
    } | options
    # The SDK writes to stderr when it waits at exit; an app's output is the app's.
    decided["integrations"] = [*decided.get("integrations", ()), quiet]
    sentry_sdk.init(dsn=dsn, **decided)
    everywhere = sentry_sdk.get_global_scope()
    version = os.environ.get("APP_VERSION") or release
    if version:
        everywhere.set_tag("app_version", version)
    everywhere.add_event_processor(_with_scope)  # type: ignore[arg-type]  # the SDK's Event is a dict of these
    scope.isolate = sentry_sdk.isolation_scope
    _tap(log_errors=log_errors)
    return True


def _sdk() -> Any:
    """sentry_sdk if anybody, not only `init`, has started it."""
    sdk = sys.modules.get("sentry_sdk")
    try:
        return sdk if sdk is not None and sdk.get_client().is_active() else None
    except Exception:  # noqa: BLE001 - half imported by another thread
        return None


def _capture(send: Callable[[Any], Any], name: str, context: Mapping[str, object]) -> str | None:
    sdk = _sdk()
    if sdk is None:
        return None
    try:
        with sdk.new_scope() as here:
            if context:
                shown: dict[str, Any] = {}
                merge(shown, context)
                here.set_context(name, shown)
            return send(sdk) or None
    except Exception as error:  # noqa: BLE001 - reporting never breaks what it reports about
        log.debug("nothing was reported", error)
        return None


def _rate(given: float | None) -> float | None:
    if given is not None:
        return given
    said = os.environ.get("SENTRY_TRACES_SAMPLE_RATE", "")
    try:
        return min(1.0, max(0.0, float(said))) if said else None
    except ValueError:
        log.warning("SENTRY_TRACES_SAMPLE_RATE is no number; using the default", given=said)
        return None


def _asked(given: bool | None, variable: str) -> bool:  # noqa: FBT001 - an answer, passed through
    return os.environ.get(variable, "").lower() in {"1", "true", "yes", "on"} if given is None else given


# ---- What events are told ----


def _short_repr(value: object) -> str | None:
    """The start of a long value, found without printing it all."""
    if isinstance(value, (str, bytes, bytearray)) and len(value) > LIMIT:
        return f"{value[:LIMIT]!r}…"
    shown = repr(value)
    return shown if len(shown) <= LIMIT else shown[:LIMIT] + "…"


def _with_scope(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    """The event with what is known about the request; None for a log line of ours that came in by stdlib logging."""
    if is_ours(hint.get("log_record")):
        return None
    fields = scope.current()
    if fields:
        known: dict[str, Any] = {}
        merge(known, fields.copy())
        if "request_id" in known:
            event.setdefault("tags", {}).setdefault("request_id", known["request_id"])
        event.setdefault("contexts", {}).setdefault("request_scope", known)
    answered = scope.evaluated.get()
    if answered:
        _add_flags(event, answered)
    return event


def _add_flags(event: dict[str, Any], answered: dict[str, Any]) -> None:
    """What flags answered before it happened, in the form of https://develop.sentry.dev/sdk/data-model/event-payloads/contexts/.

    The newest answers are kept; ours win over those that an integration of the SDK noted.
    """
    told = event.setdefault("contexts", {}).setdefault("flags", {}).setdefault("values", [])
    ours = answered.copy()
    others = [one for one in told if not (isinstance(one, dict) and one.get("flag") in ours)]
    told[:] = (others + [{"flag": key, "result": found.result} for key, found in ours.items()])[-_MOST_FLAGS:]


def _breadcrumb_filter(given: Callable[..., Any] | None) -> Callable[..., Any]:
    def keep(crumb: dict[str, Any], hint: dict[str, Any]) -> Any:
        if is_ours(hint.get("log_record")):
            return None  # `_tell` has left one already
        return given(crumb, hint) if given else crumb

    return keep


# ---- What log lines become ----


def _tap(*, log_errors: bool) -> None:
    def tell(record: dict[str, Any], number: int, exc: BaseException | None) -> None:
        _tell(record, number, exc, as_event=log_errors and number >= ERROR)

    tell.daytwo_reporting = True  # type: ignore[attr-defined]
    others = tuple(tap for tap in output.taps if not hasattr(tap, "daytwo_reporting"))
    output.taps = (*others, tell)


def _tell(record: dict[str, Any], number: int, exc: BaseException | None, *, as_event: bool) -> None:
    sdk = _sdk()
    if sdk is None:
        return
    head = {"timestamp", "level", "message", "logger", "exception"}
    fields = {name: value for name, value in record.items() if name not in head}
    level = "fatal" if NAMES[number] == "critical" else NAMES[number]
    if sdk.get_client().options.get("enable_logs"):
        _send_line(sdk, record, level, fields)
    if as_event:
        with sdk.new_scope() as here:
            here.set_level(level)
            here.set_context("log", {"logger": record["logger"], "message": record["message"], **fields})
            if exc is not None:
                sdk.capture_exception(exc)
            else:
                sdk.capture_event({"message": record["message"], "level": level, "logger": record["logger"]})
    sdk.add_breadcrumb(category=record["logger"], message=record["message"], level=level, type="log", data=fields)


def _send_line(sdk: Any, record: dict[str, Any], level: str, fields: dict[str, Any]) -> None:
    write = getattr(sdk.logger, level)
    # Only with parameters is the message a template; as attributes they leave braces in it alone.
    write(record["message"], attributes={"logger.name": record["logger"], **fields})
