"""The checks that come with Daytwo, on real parts."""

import asyncio
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from daytwo.health import Registry, builtin


def verdict(check, **named):
    registry = Registry()
    registry.check("it", **named)(check)
    return registry.run().checks[0]


def test_a_sqlalchemy_engine_is_asked_through_its_pool(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/a.db")
    assert verdict(builtin.sqlalchemy(engine)).status == "pass"
    gone = sa.create_engine(f"sqlite:///{tmp_path}/no/such/folder/a.db")
    found = verdict(builtin.sqlalchemy(gone))
    assert (found.status, "unable to open" in found.message) == ("fail", True)
    engine.dispose()


def test_a_pool_that_is_used_up_fails_before_requests_wait_for_it(tmp_path):
    pool = sa.pool.QueuePool(lambda: sa.create_engine("sqlite://").raw_connection(), pool_size=2, max_overflow=0)
    check = builtin.pool(pool)
    assert verdict(check).details == {"size": 2, "in_use": 0}
    taken = [pool.connect(), pool.connect()]
    assert verdict(check).message.endswith("2 of 2 connections are in use")
    for connection in taken:
        connection.close()
    pool.dispose()


@pytest.fixture
def site():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_another_service_is_asked(site):
    assert verdict(builtin.http(f"{site}/204")).details == {"status": 204}
    found = verdict(builtin.http(f"{site}/503"))
    assert (found.status, "503" in found.message) == ("fail", True)
    with pytest.raises(ValueError, match="no http"):
        builtin.http("file:///etc/passwd")


def test_an_async_engine_makes_a_check_for_the_loop(tmp_path):
    pytest.importorskip("aiosqlite")
    from sqlalchemy.ext.asyncio import create_async_engine

    async def look():
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/a.db")
        registry = Registry()
        registry.check("database")(builtin.sqlalchemy(engine))
        report = await registry.run_async()
        await engine.dispose()
        return report.checks[0]

    assert asyncio.run(look()).status == "pass"


def test_a_pool_of_psycopg_is_read_and_one_without_a_limit_skipped():
    ConnectionPool = pytest.importorskip("psycopg_pool").ConnectionPool  # noqa: N806 - it is a class

    pool = ConnectionPool("host=127.0.0.1 port=9", min_size=0, max_size=4, open=False)
    assert verdict(builtin.pool(pool)).details == {"size": 4, "in_use": 0}
    endless = sa.pool.QueuePool(lambda: None, max_overflow=-1)
    assert verdict(builtin.pool(endless)).status == "skipped"
    assert verdict(builtin.pool(object())).status == "skipped"


def test_workers_of_celery_are_asked():
    celery = pytest.importorskip("celery")
    from celery.contrib.testing.worker import start_worker

    app = celery.Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    assert verdict(builtin.celery(app, timeout=0.5)).message.endswith("no worker answers")
    registry = Registry(deadline=30)
    registry.check("workers", timeout=30)(builtin.celery(app, timeout=20))  # this broker looks once a second
    with start_worker(app, perform_ping_check=False, pool="solo"):
        (found,) = registry.run().checks
    assert (found.status, "@" in found.details["worker"]) == ("pass", True)


def test_free_disk(tmp_path):
    assert verdict(builtin.disk(tmp_path, min_free_mb=1)).details["free_mb"] >= 1
    assert "are wanted" in verdict(builtin.disk(tmp_path, min_free_mb=10**12)).message


def test_redis_is_pinged_for_real():
    """A server that knows PING: the client and the wire are real."""
    import redis.asyncio

    listener = socket.create_server(("127.0.0.1", 0))
    answers = []

    def serve():
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(4096):
                answers.append(data)
                connection.sendall(b"+PONG\r\n" if b"PING" in data else b"+OK\r\n" * data.count(b"*"))

    threading.Thread(target=serve, daemon=True).start()
    client = redis.Redis(port=listener.getsockname()[1], protocol=2, socket_timeout=2)
    assert verdict(builtin.redis(client)).status == "pass"
    assert any(b"PING" in data for data in answers)
    client.close()
    threading.Thread(target=serve, daemon=True).start()
    answers.clear()

    async def look():
        client = redis.asyncio.Redis(port=listener.getsockname()[1], protocol=2, socket_timeout=2)
        registry = Registry()
        registry.check("redis")(builtin.redis(client))
        report = await registry.run_async()
        await client.aclose()
        return report.checks[0]

    assert asyncio.run(look()).status == "pass"
    assert any(b"PING" in data for data in answers)
    listener.close()
    gone = redis.Redis(port=9, socket_timeout=1, retry=None)
    assert verdict(builtin.redis(gone)).status == "fail"


DJANGO = """
import sys, django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    CACHES={"default": {"BACKEND": sys.argv[2]}},
)
django.setup()
from daytwo import health
from daytwo.health import builtin
health.check("database")(builtin.django_database())
health.check("cache", required=False)(builtin.django_cache())
health.check("migrations", required=False, ttl=0)(builtin.django_migrations())
say = lambda: print({c.name: (c.status, c.message) for c in health.default.run().checks})
say()
from django.core.management import call_command
call_command("migrate", verbosity=0)
say()
"""


@pytest.mark.parametrize("cache", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_django_database_cache_and_migrations(tmp_path, cache):
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, str(tmp_path / "db.sqlite3"), f"django.core.cache.backends.{cache}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after = (eval(line) for line in done.stdout.splitlines())
    assert before["database"] == ("pass", None)
    assert before["cache"][0] == ("pass" if "locmem" in cache else "fail")
    status, message = before["migrations"]
    assert (status, "not applied, first contenttypes.0001_initial" in message) == ("fail", True)
    assert after["migrations"] == ("pass", None)
