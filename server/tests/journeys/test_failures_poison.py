"""Events that are as bad as events get: huge, deep, wide, or more than our own code can take."""

import contextlib
import json
import os
import urllib.parse
import uuid

import load
import psutil
import pytest
from disks import read_only
from installation import Installation
from storm import Storm, check_nothing_lost, check_refusals, doctor, eventually, signed_in

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
    for kind, count in ((huge, 20), (repetitive, 60), (deep, 60), (wide, 30)):
        sent = requests(site, map(kind, range(count)))
        with Storm(site, sent, rate_per_s=100) as storm:
            while not storm.is_over():
                peak = max(peak, memory(site))
        check_refusals(storm)
        assert storm.outcome.codes == {"200": count}, kind
        acked |= storm.acked
    with Storm(site, load.requests(site.keys["dsn"], 150, pad_bytes=50_000), rate_per_s=300) as storm:
        pass
    assert storm.outcome.codes == {"200": 150}
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
        assert "2 events could not be digested" in alice.get("/settings/ingest/").text
    assert len(list(quarantine.iterdir())) == 2


@pytest.fixture
def node(tmp_path, db):
    import make
    from digests import Node

    here = Node(tmp_path, make.project())
    yield here
    here.reader.close()


@pytest.fixture
def broken(monkeypatch):
    """Our code, with a bug that one event finds. Lists the sizes of the batches that were tried."""
    from daytwo_server.errors import services

    tried = []
    absorb = services.absorb

    def touchy(events):
        tried.append(len(events))
        if any("poison" in event.title for event in events):
            raise AttributeError("a bug of ours")
        return absorb(events)

    monkeypatch.setattr(services, "absorb", touchy)
    return tried


def counted():
    """Items by outcome and reason, as the database has them."""
    from daytwo_server.ingest.models import ItemCount

    return {(row.outcome, row.reason): row.count for row in ItemCount.objects.exclude(count=0)}


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_one_event_that_breaks_our_code_delays_the_others_of_its_batch_little(node, broken):
    node.write(*("harmless",) * 150, "poison", *("harmless",) * 149)
    node.digest()
    assert counted() == {("stored", ""): 299, ("dropped", "digest_failed"): 1}
    assert len(broken) < 20  # halving finds it in 2 * log2(300) steps, where one by one would take 300
    assert node.quarantined() == 1


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_when_the_quarantine_cannot_be_written_either_the_digest_waits_and_says_so(node, broken):
    node.write("harmless", "poison", "harmless")
    quarantine = node.folder / "quarantine"
    quarantine.mkdir()
    with contextlib.ExitStack() as until_repaired:
        until_repaired.enter_context(read_only(quarantine))
        with node.running():
            assert "the data directory cannot be used" in eventually(node.told)
            assert node.quarantined() == 0
            until_repaired.close()
            eventually(lambda: ("stored", "") in counted() and not node.told())
    assert counted() == {("stored", ""): 2, ("dropped", "digest_failed"): 1}
    assert node.quarantined() == 1


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_after_the_repair_the_event_is_stored_and_no_longer_counted_as_lost(node, broken, monkeypatch):
    node.write("poison")
    node.digest()
    monkeypatch.undo()
    node.digester = node.fresh()
    node.digester.retry_quarantine()
    assert counted() == {("stored", ""): 1}
    assert list(node.folder.glob("quarantine/*")) == []
