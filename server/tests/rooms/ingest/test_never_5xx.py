"""Whatever comes over the wire, the answer is one of the documented ones and no defect is hit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake import EVENT, KEY, envelope

from daytwo_server.ingest.app import IngestApp
from daytwo_server.ingest.counts import ItemCounts
from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.keys import Key, KeyTable
from daytwo_server.ingest.spool import Writer

DOCUMENTED = {200, 201, 202, 400, 401, 403, 404, 405, 408, 413, 415, 429}
AUTH = (b"x-sentry-auth", f"Sentry sentry_key={KEY}".encode())

texts = st.binary(max_size=30) | st.sampled_from(
    [
        b"Sentry ",
        b"Sentry sentry_key",
        b"Sentry sentry_key=,=,,",
        b"gzip",
        b"br,",
        b"zstd, deflate",
        b"99999999999999999999",
        b"-1",
    ]
)
names = [b"x-sentry-auth", b"authorization", b"content-encoding", b"content-length", b"origin", b"user-agent"]
headers = st.lists(st.tuples(st.sampled_from(names), texts), max_size=4)
paths = st.sampled_from(
    [
        "/api/42/envelope/",
        "/api/42/store/",
        "/api/store/",
        "/api/42/security/",
        "/api/42/cron/x/y/",
        "/api/\u0663/minidump/",
        "/api/42/",
    ]
) | st.text(max_size=10).map("/api/{}/envelope/".format)
whole = envelope(("event", EVENT), ("log", b"\x00"), header={"dsn": f"https://{KEY}@h/42", "sent_at": 1})
bodies = st.lists(st.binary(max_size=50) | st.integers(0, len(whole)).map(lambda end: whole[:end]), max_size=4)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestApp]:
    writer = Writer(Path(tmp_path_factory.mktemp("never") / "spool"))
    table = KeyTable(dict, version=lambda: 1)
    table._keys = {KEY: Key(public_key=KEY, project=42, allowed_origins=("https://a.example",))}
    table._at = 1
    yield IngestApp(
        keys=table,
        writer=writer,
        guards=Guards(writer, min_free_bytes=0),
        counts=ItemCounts(),
        client_address=lambda scope: "",
    )
    asyncio.run(table.stop())
    writer.close()


async def ask(app: IngestApp, scope: dict[str, object], body: list[bytes]) -> int:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert all(b"\n" not in value for _, value in sent[0]["headers"])
    return sent[0]["status"]


@given(st.sampled_from(["POST", "POST", "GET", "OPTIONS"]), paths, texts, headers, st.booleans(), bodies)
@settings(deadline=None, max_examples=300)
def test_any_request_gets_a_documented_answer(app: IngestApp, method, path, query, some_headers, signed, body):
    scope = {
        "type": "http", "method": method, "path": path, "root_path": "", "client": ("127.0.0.1", 1),
        "query_string": query, "headers": [AUTH, *some_headers] if signed else some_headers,
    }  # fmt: skip
    assert asyncio.run(ask(app, scope, body)) in DOCUMENTED
    assert ("request", "dropped", "internal_error") not in app._counts.totals()
