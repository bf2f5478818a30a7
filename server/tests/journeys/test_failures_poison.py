"""Events that are as bad as events get: huge, deep, wide, or more than our own code can take."""

import asyncio
import contextlib
import json
import os
import threading
import time
import urllib.parse
import uuid

import load
import psutil
import pytest
from disks import read_only
from django.db import connections
from installation import Installation
from storm import Storm, check_nothing_lost, check_refusals, doctor, eventually, signed_in

from daytwo_server.core import conf
from daytwo_server.errors import services
from daytwo_server.errors.models import Event
from daytwo_server.ingest import status
from daytwo_server.ingest.digest import Digester, node_of
from daytwo_server.ingest.models import ItemCount
from daytwo_server.ingest.spool import Envelope, Reader, Writer

MEMORY_MB = 200


def requests(site, events):
    """Envelopes of these events under fresh ids, as `load.requests` makes them."""
    dsn = urllib.parse.urlsplit(site.keys["dsn"])
    made = []
    for event in events:
        event_id = uuid.uuid4().hex
        payload = json.dumps({"event_id": event_id, "user": {"id": "1"}} | event).encode()
        head = json.dumps({"event_id": event_id}), json.dumps({"type": "event", "length": len(payload)})
        body = "\n".join(head).encode() + b"\n" + payload + b"\n"
        lines = (
            f"POST /api{dsn.path}/envelope/ HTTP/1.1", "Host: x", f"Content-Length: {len(body)}",
            f"X-Sentry-Auth: Sentry sentry_key={dsn.username}, sentry_client=sentry.python/2.75.0", "", "",
        )  # fmt: skip
        made.append(load.Request(event_id, "\r\n".join(lines).encode() + body))
    return made


def huge(n):
    return {"message": f"huge {n}", "extra": {f"k{k}": os.urandom(3000).hex() for k in range(165)}}


def repetitive(n):
    return {"message": f"repetitive {n}", "extra": {f"k{k}": "a b c " * 1000 for k in range(165)}}


def deep(n):
    node = {"value": n}
    for _ in range(400):
        node = {"deeper": node}
    return {"message": "deep", "extra": node}


def wide(n):
    frames = [{"module": f"m{k}", "function": f"f{k}", "lineno": k, "context_line": "x" * 200, "vars": {"v": "w" * 400}}
              for k in range(1000)]  # fmt: skip
    return {"exception": {"values": [{"type": "Wide", "value": str(n), "stacktrace": {"frames": frames}}]}}


def memory(site: Installation) -> float:
    """Resident megabytes of the server and its child."""
    root = psutil.Process(site.process.pid)
    return sum(process.memory_info().rss for process in [root, *root.children()]) / 1e6


def test_the_largest_events_leave_the_memory_as_small_as_it_was(shop):
    site = shop()
    site.start()
    peak = 0.0
    acked = set()
    for kind, count in ((huge, 40), (repetitive, 100), (deep, 100), (wide, 40)):
        sent = requests(site, map(kind, range(count)))
        with Storm(site, sent, rate_per_s=100) as storm:
            while not storm.is_over():
                peak = max(peak, memory(site))
        check_refusals(storm)
        assert storm.outcome.codes == {"200": count}, kind
        acked |= storm.acked
    with Storm(site, load.requests(site.keys["dsn"], 300, pad_bytes=50_000), rate_per_s=300) as storm:
        pass
    assert storm.outcome.codes == {"200": 300}
    check_nothing_lost(site, acked | storm.acked)
    assert memory(site) < MEMORY_MB
    assert peak < MEMORY_MB * 1.25


def test_what_cannot_be_digested_is_told_and_what_lies_about_in_quarantine_stops_nothing(shop):
    site = shop()
    quarantine = site.data_dir / "spool" / "quarantine"
    quarantine.mkdir(parents=True, mode=0o700)
    (quarantine / "1700000000000-7.record").write_bytes(b"half of a rec")
    (quarantine / "notes.record").write_text("not ours")
    site.start()
    with Storm(site, 20, rate_per_s=1000) as storm:
        pass
    check_nothing_lost(site, storm.acked)
    assert any("2 records could not be digested" in line for line in doctor(site))
    with signed_in(site) as alice:
        assert "2 events could not be digested" in alice.get("/operate/ingest/").text
    assert len(list(quarantine.iterdir())) == 2


class Bench:
    """A digest in this process, on the stores of the test run, whose code can be broken."""

    def __init__(self, folder, project):
        self.folder = folder
        self.project = project
        self.reader = Reader(folder)
        self.digester = Digester(self.reader, node=node_of(folder), conf=conf.current(), folder=folder)

    def write(self, *messages):
        async def write():
            writer = Writer(self.folder)
            await asyncio.gather(*(writer.submit(self._envelope(message)) for message in messages))
            await asyncio.to_thread(writer.close)

        asyncio.run(write())

    def _envelope(self, message):
        event_id = uuid.uuid4().hex
        payload = json.dumps({"event_id": event_id, "message": message}).encode()
        return Envelope(self.project.pk, "k" * 32, time.time(), None, event_id, "", "test/1", [("event", payload)])

    def told(self):
        return status.read(self.folder / "digest.json").error


@pytest.fixture
def bench(tmp_path, db):
    import make

    running = Bench(tmp_path, make.project())
    yield running
    running.reader.close()


@contextlib.contextmanager
def running(digester):
    """The digest on a thread of its own, as in a server."""
    over = threading.Event()

    def run():
        try:
            digester.run(over.is_set)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)


@pytest.fixture
def broken(monkeypatch):
    """Our code, with a bug that one event finds. Counts how often a batch was tried."""
    tried = []
    absorb = services.absorb

    def touchy(events):
        tried.append(len(events))
        if any("poison" in event.title for event in events):
            raise AttributeError("a bug of ours")
        return absorb(events)

    monkeypatch.setattr(services, "absorb", touchy)
    return tried


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_one_event_that_breaks_our_code_delays_the_others_of_its_batch_little(bench, broken):
    bench.write(*("harmless",) * 150, "poison", *("harmless",) * 149)
    while bench.digester.run_once():
        pass
    assert Event.objects.count() == 299
    assert len(broken) < 20  # halving finds it in 2 * log2(300) steps, where one by one would take 300
    assert len(list(bench.folder.glob("quarantine/*.record"))) == 1
    counts = ItemCount.objects.filter(reason="digest_failed")
    assert [row.count for row in counts] == [1]


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_when_the_quarantine_cannot_be_written_either_the_digest_waits_and_says_so(bench, broken):
    bench.write("harmless", "poison", "harmless")
    quarantine = bench.folder / "quarantine"
    quarantine.mkdir()
    with running(bench.digester):
        with read_only(quarantine):
            told = eventually(bench.told)
            assert "the data directory cannot be used" in told
            assert not list(quarantine.iterdir())
        eventually(lambda: Event.objects.count() == 2)
        eventually(lambda: not bench.told())
    assert len(list(quarantine.glob("*.record"))) == 1


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_after_the_repair_the_event_is_stored_and_no_longer_counted_as_lost(bench, broken, monkeypatch):
    bench.write("poison")
    bench.digester.run_once()
    assert Event.objects.count() == 0
    monkeypatch.undo()
    bench.digester = Digester(bench.reader, node=node_of(bench.folder), conf=conf.current(), folder=bench.folder)
    bench.digester.retry_quarantine()
    assert Event.objects.count() == 1
    assert dict(ItemCount.objects.exclude(count=0).values_list("outcome", "count")) == {"stored": 1}
    assert not list(bench.folder.glob("quarantine/*"))
