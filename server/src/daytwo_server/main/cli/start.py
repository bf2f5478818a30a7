"""What most verbs begin with."""

import contextlib
import ctypes
import gc
import logging
import sys
from typing import IO

import daytwo
from daytwo import logs
from daytwo_server.core import conf

log = daytwo.get_logger("daytwo")

# From glibc's malloc.h. Each thread would otherwise get a heap of its own that is never given back: with a dozen
# threads that is tens of megabytes which nobody uses.
_M_ARENA_MAX, _ARENAS = -8, 2
_M_TRIM_THRESHOLD, _TRIM_BYTES = -1, 1024 * 1024
SWITCH_S = 0.0005  # for how long a thread that computes keeps others from doing so


class Unusable(Exception):
    """The stores cannot be used; the text says why."""


def start_django(*, log_to: IO[str] | None = None) -> conf.Conf:
    """Data directory, logging (to stdout unless a stream is given), Django. Returns the settings in force."""
    configured = conf.current()
    from daytwo_server.main import stores
    from daytwo_server.operate.backup import restoring

    if unfinished := restoring.finish(configured.data_dir):
        sys.exit(unfinished)
    _keep_heap_small()
    stores.prepare_data_dir(configured.data_dir)
    logs.configure(level=configured.log_level, stream=log_to)
    logs.install().addFilter(_with_route)
    # Django names every 4xx answer, and at debug level prints all that a page knows for each name that it does not:
    # the token that was just made among it. Our own access line is enough.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.template").setLevel(logging.INFO)
    import django

    django.setup()
    return configured


def settle() -> None:
    """Call when everything that stays is loaded, and what is left is to serve.

    The garbage collector passes over it from now on: to walk a loaded Django takes it 80 ms, which the pages with the
    most rows would have on top every thirty requests or so.
    """
    gc.collect()
    _return_freed()
    gc.freeze()
    # Each statement of SQLite lets go of the interpreter, and has to wait for it afterwards: by default up to 5 ms, for
    # statements that take 0.05. With this, 100 mails a second are read while they come; without, 60 are.
    sys.setswitchinterval(SWITCH_S)


def migrate_stores() -> list[str]:
    """Bring both stores to this version's schema; returns what was applied. Raises `Unusable`."""
    from django.db import OperationalError

    from daytwo_server.main import stores

    try:
        return stores.migrate()
    except (stores.NewerSchema, stores.MigrationFailed) as problem:
        raise Unusable(str(problem)) from problem
    except OperationalError as problem:
        reason = " ".join(str(problem).split())
        raise Unusable(f"The database cannot be used; `daytwo doctor` tells more. It says: {reason}") from problem


def _with_route(record: logging.LogRecord) -> bool:
    """Name the route in Django's own lines instead of the path, which can hold a one-time link."""
    request = vars(record).pop("request", None)
    path = getattr(request, "path", None)
    if path and isinstance(record.args, tuple):
        match = request.resolver_match
        route = match.route if match else "unmatched"
        record.args = tuple(route if value == path else value for value in record.args)
    return True


def _keep_heap_small() -> None:
    with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)


def _return_freed() -> None:
    """What starting has used and freed goes back to the system."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
