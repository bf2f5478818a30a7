"""A disk that is full: that batch is refused, nothing else is lost, and it is over when space returns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from daytwo_server.ingest.spool import START, Envelope, Reader

# A file size limit is a full disk in small: write() comes back short, then fails.
LIMITED = """
import asyncio, json, os, resource, sys
from pathlib import Path
from daytwo_server.core.groupcommit import CommitFailed
from daytwo_server.ingest.spool import Envelope, Writer

spool = Path(sys.argv[1])
writer = Writer(spool, segment_age_ms=3_600_000)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

async def put(n):
    payload = b'"' + os.urandom(1000).hex().encode() + b'"'
    try:
        await writer.submit(Envelope(1, "", 0.0, None, f"{n:032x}", "", "", [("event", payload)]))
    except CommitFailed as failure:
        return str(failure)
    return "ok"

async def main():
    told = {}
    for n in range(3):
        told[n] = await put(n)
    resource.setrlimit(resource.RLIMIT_FSIZE, (7000, hard))
    told["batch"] = await asyncio.gather(*[put(n) for n in range(10, 14)])
    told["problem"] = writer.problem
    told["again"] = await put(20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    await asyncio.sleep(0.3)
    told["nothing"] = await put(30)
    told["files"] = len(list(spool.glob("*.seg")))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.sleep(0.3)
    told["after"] = await put(40)
    told["problem after"] = writer.problem
    print(json.dumps(told))

asyncio.run(main())
writer.close()
"""


def test_exactly_the_batch_that_does_not_fit_is_refused(spool: Path):
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(spool)], capture_output=True, text=True, timeout=30, check=True
    )
    told = json.loads(run.stdout)
    assert [told[n] for n in "012"] == ["ok"] * 3
    assert "File too large" in told["batch"][-1]
    assert told["problem"] == "File too large"
    assert "File too large" in told["nothing"]
    assert told["files"] == 1  # what could not be begun leaves no empty files behind
    assert (told["after"], told["problem after"]) == ("ok", "")
    reader = Reader(spool)
    records = reader.read(START)
    expected = [0, 1, 2, *[n for n, word in zip(range(10, 14), told["batch"], strict=True) if word == "ok"]]
    expected += [20] * (told["again"] == "ok") + [40]
    assert [int(record.content.event_id, 16) for record in records if isinstance(record.content, Envelope)] == expected
    assert reader.corrupt_bytes == 0
    reader.close()
    assert run.stderr.count("cannot be written") == 1


SERVED = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from intake import EVENT, envelope, running

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with running(Path(sys.argv[1])) as intake:
    body = envelope(("event", EVENT), ("session", b"{}"))
    first = intake.post(body)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    refused = intake.post(body)
    status = intake.guards.status()
    time.sleep(1.5)  # the flush of the counts fails as well
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    time.sleep(0.3)
    last = intake.post(body)
    told = {"codes": [first.status_code, refused.status_code, last.status_code], "status": status,
            "headers": dict(refused.headers), "body": refused.json(), "after": intake.guards.status()}
    intake.stop()
    told["stored"] = len(intake.envelopes())
    told["counted"] = sorted([*row, n] for row, n in intake.counted().items())
    print(json.dumps(told))
"""


def test_the_sdk_is_told_to_wait_and_the_loss_is_counted_once_the_disk_has_room(spool: Path):
    tests = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", SERVED, str(spool), tests], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(run.stdout)
    assert told["codes"] == [200, 429, 200]
    assert told["headers"]["retry-after"] == "5"
    assert told["headers"]["x-sentry-rate-limits"].startswith("5:default;error;")
    assert told["headers"]["x-sentry-rate-limits"].endswith(":organization:write_failed")
    assert told["body"]["detail"] == "Nothing was stored: [Errno 27] File too large."
    assert told["status"] == "the spool cannot be written: File too large"
    assert told["after"] == ""
    assert told["stored"] == 2
    sdk = "test.sdk/1.0"
    assert told["counted"] == [
        ["42", "event", sdk, "arrived", "", 3],
        ["42", "event", sdk, "dropped", "write_failed", 1],
        ["42", "session", sdk, "arrived", "", 3],
        ["42", "session", sdk, "dropped", "not_stored_yet", 3],
    ]
