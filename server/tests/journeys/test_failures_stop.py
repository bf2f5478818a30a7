"""Stopping is quick and loses nothing, whatever goes on; the next server may start before the last one is gone."""

import contextlib
import socket
import sqlite3
import threading
import time

import httpx
import pytest
from installation import Installation
from storm import Storm, check_nothing_lost, eventually, press, signed_in


@pytest.fixture
def slow_upload():
    """Begin an event that never ends."""
    connections = []

    def begin(site):
        connection = socket.create_connection(("127.0.0.1", site.port))
        dsn, _, project = site.keys["dsn"].rpartition("/")
        key = dsn.partition("//")[2].partition("@")[0]
        head = f"POST /api/{project}/envelope/?sentry_key={key} HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{{}}\n"
        connection.sendall(head.encode())
        connections.append(connection)

    yield begin
    for connection in connections:
        connection.close()


def test_sigterm_in_a_storm_loses_nothing_that_was_accepted(shop):
    site = shop()
    site.start()
    with Storm(site, 1500, rate_per_s=500) as storm:
        eventually(lambda: storm.outcome.codes["200"] > 300)
        assert site.stop() < 5
    assert site.process.returncode == 0
    assert set(storm.outcome.codes) <= {"200", "429", "broken"}
    site.start()
    check_nothing_lost(site, storm.acked)


def test_sigterm_waits_for_nobody_longer_than_five_seconds(shop, slow_upload):
    site = shop()
    site.start()
    with Storm(site, 1, rate_per_s=1):
        site.wait_for_events(1)
    database = sqlite3.connect(site.data_dir / "daytwo.db", isolation_level=None)
    with signed_in(site) as alice:
        database.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=_ignoring_the_end, args=[lambda: press(alice, "/errors/1/", do="resolve")])
        with alice.stream("GET", "/live?topic=errors") as stream:
            assert stream.status_code == 200
            slow_upload(site)
            waiting.start()
            time.sleep(0.5)
            assert site.stop() < 5
        waiting.join()
    assert site.process.returncode == 0
    database.close()


def _ignoring_the_end(call):
    with contextlib.suppress(httpx.TransportError):
        call()


def test_a_new_server_takes_over_from_one_that_is_still_stopping(shop, slow_upload):
    old = shop()
    old.start()
    with Storm(old, 300, rate_per_s=1000) as storm:
        pass
    slow_upload(old)  # which holds up the end of the old one
    new = Installation(old.data_dir)
    new.keys = old.keys
    old.process.terminate()
    try:
        new.start()
        with Storm(new, 100, rate_per_s=500) as again:
            pass
        assert again.outcome.codes == {"200": 100}
        assert old.process.wait(5) == 0
        check_nothing_lost(new, storm.acked | again.acked)
    finally:
        new.stop()
