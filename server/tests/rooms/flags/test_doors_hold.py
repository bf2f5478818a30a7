"""Whatever comes in, the doors answer, and not with an error of ours."""

from __future__ import annotations

import json
import socket
import time

import pytest
from doors import CLIENT_KEY, SERVER_KEY, running
from flag_server import flag
from hypothesis import given, settings
from hypothesis import strategies as st
from random_flags import SEGMENTS

CONDITIONS = [
    {"attribute": "text", "operator": "regex", "values": ["(a|b)+c$"]},
    {"attribute": "text", "operator": "str_contains", "values": ["x"], "caseInsensitive": True, "inverted": True},
    {"attribute": "number", "operator": "num_gt", "values": [1]},
    {"attribute": "date", "operator": "date_after", "values": ["2020-01-01"]},
    {"attribute": "version", "operator": "semver_gte", "values": ["1.0.0"]},
    {"attribute": "address", "operator": "cidr", "values": ["10.0.0.0/8"]},
    {"attribute": "userId", "operator": "in", "values": ["dana"]},
    {"operator": "segment", "values": ["grown"]},
]
FLAGS = [
    flag(f"flag-{number}", rules=[{"conditions": [condition], "rolloutPercentage": 40}], rolloutPercentage=33.3,
         clientExposed=True, bucketBy=[None, "text", "organizationId"][number % 3])
    for number, condition in enumerate(CONDITIONS)
]  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=20), st.sampled_from(["dana", "1.2.3", "10.1.1.1", "2026-01-01", "9" * 400, "\x00", "\U0001f600"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "targetingKey",
        "userId",
        "organizationId",
        "plan",
        "text",
        "number",
        "date",
        "version",
        "address",
        "currentTime",
        "seats",
    ]
)


@pytest.fixture(scope="module")
def doors():
    with running(*FLAGS, segments=SEGMENTS) as doors:
        yield doors


@given(context=st.dictionaries(NAMES, VALUES, max_size=8), key=st.sampled_from([SERVER_KEY, CLIENT_KEY]))
@settings(max_examples=150, deadline=None)
def test_any_context_is_answered_or_refused(doors, context, key):
    answer = doors.evaluate("", context, key=key)
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert len(answer.json()["flags"]) == len(FLAGS)
        assert "GENERAL" not in answer.text
    else:
        assert answer.json()["errorCode"] == "INVALID_CONTEXT"
    assert doors.evaluate("flag-0", context, key=key).status_code in {200, 400}


@given(
    path=st.sampled_from([
        "/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/flag-0", "/flags/v1/exposures",
        "/unleash/api/client/metrics", "/unleash/api/client/register", "/flags/v1/snapshot",
    ]),
    body=st.one_of(st.binary(max_size=200), VALUES.map(lambda value: json.dumps(value).encode())),
    headers=st.dictionaries(
        st.sampled_from(["If-None-Match", "Origin", "Accept-Encoding", "Content-Type", "X-API-Key", "Last-Event-ID"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20), max_size=3,
    ),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_body_is_answered_or_refused(doors, path, body, headers):
    method = "GET" if path.endswith("snapshot") else "POST"
    assert doors.ask(path, method=method, content=body, headers=headers).status_code < 500


def test_the_worst_that_a_public_key_can_send_takes_little_time(doors):
    """As many long texts as fit, each of which a regular expression has to go through."""
    texts = ["ab" * 200 for _ in range(40)]
    doors.evaluate("flag-0", key=CLIENT_KEY)
    begun = time.monotonic()
    assert doors.evaluate("flag-0", {"text": texts}, key=CLIENT_KEY).status_code in {200, 400}
    assert time.monotonic() - begun < 1


def test_a_client_that_hangs_up_halfway_leaves_nothing_behind(doors):
    head = (
        f"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: x\r\nX-API-Key: {SERVER_KEY}\r\nContent-Length: 500\r\n\r\n"
    )
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", doors.port)) as connection:
            connection.sendall(head.encode() + b'{"context"')
    assert doors.evaluate("flag-0", {"targetingKey": "dana"}).status_code == 200


def test_ten_thousand_flags_are_answered():
    with running(*(flag(f"flag-{number}", rolloutPercentage=10) for number in range(10_000))) as doors:
        assert len(doors.evaluate("", {"targetingKey": "dana"}).json()["flags"]) == 10_000
        assert len(doors.ask("/flags/v1/snapshot").json()["flags"]) == 10_000
