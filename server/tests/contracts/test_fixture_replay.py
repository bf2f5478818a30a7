"""Everything released SDKs were seen to send is taken, in every encoding, and the events arrive byte for byte."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
import zstandard
from intake import KEY, Intake, running

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sentry"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.envelope"))
ENCODERS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data), quality=5),
}


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intake]:
    with running(tmp_path_factory.mktemp("replay") / "spool") as intake:
        yield intake


def request_headers(meta: dict[str, dict[str, str]]) -> dict[str, str]:
    """The headers as captured, without those that belong to the connection or the encoding."""
    dropped = {"host", "content-length", "connection", "transfer-encoding", "content-encoding", "accept-encoding"}
    return {name: value for name, value in meta["headers"].items() if name.lower() not in dropped}


def read_independently(body: bytes) -> tuple[dict[str, object], list[tuple[str, bytes]]]:
    """The header and (type, payload) of each item, by the plainest reading of the format."""
    line, _, rest = body.partition(b"\n")
    items = []
    while rest.strip():
        head, _, rest = rest.lstrip(b"\n").partition(b"\n")
        header = json.loads(head)
        end = header["length"] if "length" in header else (rest + b"\n").index(b"\n")
        items.append((header["type"], rest[:end]))
        rest = rest[end + 1 :]
    return json.loads(line), items


def test_the_captures_are_there():
    assert len(NAMES) == 87


@pytest.mark.parametrize("name", NAMES)
def test_a_captured_request_is_taken_in_every_encoding(intake: Intake, name: str):
    body = (FIXTURES / f"{name}.envelope").read_bytes()
    meta = json.loads((FIXTURES / f"{name}.meta.json").read_text())
    header, items = read_independently(body)
    assert [type_ for type_, _ in items] == meta["item_types"]
    event_id = str(header["event_id"]).replace("-", "") if "event_id" in header else None
    before = len(intake.envelopes())
    for encoding, encode in ENCODERS.items():
        headers = request_headers(meta) | {"Content-Encoding": encoding}
        answer = intake.http.request(meta["method"], meta["path"], content=encode(body), headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"id": event_id} if event_id else {}), encoding
    events = [item for item in items if item[0] == "event"]
    stored = intake.envelopes()[before:]
    assert [envelope.items for envelope in stored] == ([events] * len(ENCODERS) if events else [])
    assert {(envelope.project, envelope.key, envelope.event_id) for envelope in stored} <= {(42, KEY, event_id)}
    assert all(envelope.sent_at is not None and "/" in envelope.sdk for envelope in stored)


@pytest.mark.parametrize("name", ["012", "013"])
def test_what_sentry_cli_sends_is_taken_beside_its_bearer_token(intake: Intake, name: str):
    body = (FIXTURES / "cli" / f"{name}.body").read_bytes()
    meta = json.loads((FIXTURES / "cli" / f"{name}.meta.json").read_text())
    assert intake.http.post(meta["path"], content=body, headers=request_headers(meta)).status_code == 200
