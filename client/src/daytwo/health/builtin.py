"""Checks for what most apps lean on. Each function makes one, to be registered under a name:

    health.check("database")(builtin.sqlalchemy(engine))
    health.check("cache", required=False)(builtin.django_cache())

They import what they look at when they run, and raise in words when it fails.
"""

from __future__ import annotations

import os
import secrets
import shutil
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from typing import Any

from daytwo.health.checks import Skip

SyncCheck = Callable[[], Mapping[str, Any] | None]


def django_database(alias: str = "default") -> SyncCheck:
    """`SELECT 1` on a connection of its own thread, which is given back afterwards."""

    def look() -> None:
        from django.db import connections

        connection = connections[alias]
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchone()
        finally:
            connection.close()

    return look


def django_cache(alias: str = "default") -> SyncCheck:
    """Writes a value of its own and reads it again."""

    def look() -> None:
        from django.core.cache import caches

        key, value = f"daytwo-health-{secrets.token_hex(8)}", secrets.token_hex(8)
        cache = caches[alias]
        cache.set(key, value, 10)
        found = cache.get(key)
        cache.delete(key)
        if found != value:
            raise RuntimeError("what was written was not there when it was read")

    return look


def django_migrations(alias: str = "default") -> SyncCheck:
    """Fails while a migration is not applied: the code that runs expects another schema."""

    def look() -> None:
        from django.db import connections
        from django.db.migrations.executor import MigrationExecutor

        connection = connections[alias]
        try:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        finally:
            connection.close()
        if plan:
            first = plan[0][0]
            raise RuntimeError(f"{len(plan)} not applied, first {first.app_label}.{first.name}")

    return look


def sqlalchemy(engine: Any) -> Callable[[], Awaitable[None]] | SyncCheck:
    """`SELECT 1` through the engine's pool; an AsyncEngine makes an async check."""
    if hasattr(engine, "sync_engine"):

        async def look_async() -> None:
            from sqlalchemy import text

            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

        return look_async

    def look() -> None:
        from sqlalchemy import text

        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    return look


def pool(pool: Any, *, most: float = 0.95) -> SyncCheck:
    """How much of a connection pool is in use: fails beyond the share `most`, and shows `size` and `in_use`.

    Takes a pool of SQLAlchemy (`engine.pool`) or of psycopg (`ConnectionPool`, `AsyncConnectionPool`).
    """

    def look() -> Mapping[str, Any]:
        size, used = _usage(pool)
        if not size:
            raise Skip("this pool has no limit")
        if used > most * size:
            raise RuntimeError(f"{used} of {size} connections are in use")
        return {"size": size, "in_use": used}

    return look


def _usage(pool: Any) -> tuple[int, int]:
    if hasattr(pool, "get_stats"):  # psycopg_pool
        stats = pool.get_stats()
        size = int(stats.get("pool_max", 0))
        return size, int(stats.get("pool_size", 0)) - int(stats.get("pool_available", 0))
    if hasattr(pool, "checkedout") and hasattr(pool, "size"):
        overflow = getattr(pool, "_max_overflow", 0)  # -1: no limit
        return (0 if overflow < 0 else int(pool.size()) + overflow), int(pool.checkedout())
    raise Skip("this kind of pool tells nothing about itself")


def redis(client: Any) -> Callable[[], Awaitable[None]] | SyncCheck:
    """PING, with a client of redis-py, sync or asyncio. Give the client a `socket_timeout`."""
    if type(client).__module__.startswith("redis.asyncio"):

        async def look_async() -> None:
            await client.ping()

        return look_async

    def look() -> None:
        client.ping()

    return look


def http(url: str, *, timeout: float = 2.0, headers: Mapping[str, str] | None = None) -> SyncCheck:
    """GET of another service: passes with a status below 400, after redirects."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no http or https address")
    asked = urllib.request.Request(url, headers={"User-Agent": "daytwo-health", **(headers or {})})  # noqa: S310 - checked

    def look() -> Mapping[str, Any]:
        with closing(urllib.request.urlopen(asked, timeout=timeout)) as answer:  # noqa: S310 - checked above
            return {"status": answer.status}

    return look


def disk(path: str | os.PathLike[str] = ".", *, min_free_mb: int = 500) -> SyncCheck:
    """Fails below that many free megabytes where `path` lies."""

    def look() -> Mapping[str, Any]:
        free = shutil.disk_usage(path).free // 1_000_000
        if free < min_free_mb:
            raise RuntimeError(f"{free} MB free, {min_free_mb} are wanted")
        return {"free_mb": free}

    return look


def celery(app: Any, *, timeout: float = 1.0) -> SyncCheck:
    """Asks the workers: passes with the first that answers, whose name it shows, fails after `timeout` seconds."""

    def look() -> Mapping[str, Any]:
        # `control.ping` would wait for the whole time, in case that more answer.
        answers: list[Any] = app.control.broadcast("ping", reply=True, timeout=timeout, limit=1) or []
        if not answers:
            raise RuntimeError("no worker answers")
        return {"worker": next(iter(answers[0]))}

    return look
