"""The checks that come with Daytwo, on real parts."""

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


def test_free_disk(tmp_path):
    assert verdict(builtin.disk(tmp_path, min_free_mb=1)).details["free_mb"] >= 1
    assert "are wanted" in verdict(builtin.disk(tmp_path, min_free_mb=10**12)).message


def test_redis_is_pinged_for_real():
    """A server that knows PING: the client and the wire are real."""
    import redis

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


DRAIN = """
import signal, time
from daytwo import health
signal.signal(signal.SIGTERM, lambda *_: print("theirs"))
health.drain_on_sigterm()
print(health.default.run().ready)
signal.raise_signal(signal.SIGTERM)
print(health.default.run().ready)
"""


def test_sigterm_drains_and_the_handler_before_still_runs():
    done = subprocess.run([sys.executable, "-c", DRAIN], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "theirs", "False"]


def test_sigterm_still_ends_a_process_without_a_handler():
    script = "from daytwo import health\nimport signal\nhealth.drain_on_sigterm()\nsignal.raise_signal(signal.SIGTERM)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -15
