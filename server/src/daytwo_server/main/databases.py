"""Django's DATABASES from the two store addresses."""

import urllib.parse
from pathlib import Path
from typing import Any

from daytwo_server.core.conf import Conf

# For every connection, so none of them may write: that would wait for locks and fail on a full disk, also to read.
# FULL costs nothing when commits are grouped and is what lets "acknowledged" mean durable. What is deleted is
# overwritten: an erased customer must not be readable in the file.
SQLITE_PRAGMAS = (
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; "
    "PRAGMA mmap_size=0; PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON;"
)
# Kept in the file. auto_vacuum only takes effect before there is a table, and before the journal mode is set.
SQLITE_CREATION = "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
# How long a person who pressed a button waits for another writer, before the page says that it cannot be done now.
LOCK_PATIENCE_S = 5
# A server that is gone without a word is noticed in 15 to 30 s instead of after hours. The address can say otherwise.
_POSTGRES_PATIENCE = {
    "connect_timeout": "5", "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}  # fmt: skip


def databases(conf: Conf) -> dict[str, dict[str, Any]]:
    """The aliases `default` and `telemetry`. On one PostgreSQL database, telemetry is a schema of its own."""
    default = _database(conf.database_url or f"sqlite://{conf.data_dir.absolute() / 'daytwo.db'}")
    if conf.telemetry_url:
        telemetry = _database(conf.telemetry_url)
    elif conf.database_url.startswith("postgres"):
        telemetry = _database(conf.database_url)
        telemetry["OPTIONS"]["options"] = "-c search_path=telemetry"
    else:
        telemetry = _database(f"sqlite://{conf.data_dir.absolute() / 'telemetry.db'}")
    return {"default": default, "telemetry": telemetry}


def _database(url: str) -> dict[str, Any]:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(urllib.parse.unquote(f"{parts.netloc}{parts.path}")))
    return _postgres(parts)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "daytwo_server.core.sqlite",
        "NAME": path,
        # IMMEDIATE: a transaction that will write asks for the lock at once and waits its turn, instead of failing
        # half way with "database is locked".
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": LOCK_PATIENCE_S, "init_command": SQLITE_PRAGMAS},
        "CONN_MAX_AGE": None,
        "ATOMIC_REQUESTS": False,
    }


def _postgres(parts: urllib.parse.SplitResult) -> dict[str, Any]:
    query = dict(urllib.parse.parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": urllib.parse.unquote(parts.path.lstrip("/")),
        "USER": urllib.parse.unquote(parts.username or ""),
        "PASSWORD": urllib.parse.unquote(parts.password or ""),
        "HOST": urllib.parse.unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": {**_POSTGRES_PATIENCE, **query},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
