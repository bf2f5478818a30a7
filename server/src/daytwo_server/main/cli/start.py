"""What most verbs begin with."""

import contextlib
import ctypes
import logging

import daytwo
from daytwo import logs
from daytwo_server.core import conf

log = daytwo.get_logger("daytwo")

# From glibc's malloc.h. Each thread would otherwise get a heap of its own that is never given back: with a dozen
# threads that is tens of megabytes which nobody uses.
_M_ARENA_MAX, _ARENAS = -8, 2
_M_TRIM_THRESHOLD, _TRIM_BYTES = -1, 1024 * 1024


class Unusable(Exception):
    """The stores cannot be used; the text says why."""


def start_django() -> conf.Conf:
    """Data directory, logging, Django. Returns the settings in force."""
    configured = conf.current()
    from daytwo_server.main import stores

    _keep_heap_small()
    stores.prepare_data_dir(configured.data_dir)
    logs.configure(level=configured.log_level)
    logs.install()
    # Django names the path of every 4xx answer, and paths can hold one-time links; our own access line names routes.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    import django

    django.setup()
    return configured


def migrate_stores() -> list[str]:
    """Bring both stores to this version's schema; returns what was applied. Raises `Unusable`."""
    from django.db import OperationalError

    from daytwo_server.main import stores

    try:
        return stores.migrate()
    except stores.NewerSchema as newer:
        raise Unusable(str(newer)) from newer
    except OperationalError as problem:
        reason = " ".join(str(problem).split())
        raise Unusable(f"The database cannot be used; `daytwo doctor` tells more. It says: {reason}") from problem


def _keep_heap_small() -> None:
    with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
