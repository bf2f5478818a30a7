"""Definitions for servers, as docs/reference/flag-snapshot.md has them, and our own SDK on top."""

from __future__ import annotations

import gzip

import pytest
from doors import CLIENT_KEY, SERVER_KEY, running, until
from flag_server import flag

from daytwo.flags import Client, Ruleset, State

FLAG = flag(rolloutPercentage=25)


@pytest.fixture(scope="module")
def doors():
    with running(FLAG, flag("exposed", clientExposed=True)) as doors:
        yield doors


def test_a_server_key_gets_the_document(doors):
    answer = doors.ask("/flags/v1/snapshot")
    assert answer.json() == doors.document
    assert Ruleset(answer.json()).flags.keys() == {"new-checkout", "exposed"}
    assert "access-control-allow-origin" not in answer.headers  # a server key is nothing for a browser


def test_a_client_key_gets_no_definitions(doors):
    for path in ("/flags/v1/snapshot", "/flags/v1/stream", "/unleash/api/client/features"):
        answer = doors.ask(path, key=CLIENT_KEY)
        assert answer.status_code == 403, path
        assert "exposed" not in answer.text
    assert doors.ask("/flags/v1/exposures", key=CLIENT_KEY, method="POST", json={}).status_code == 403
    assert doors.http.get("/flags/v1/snapshot").status_code == 401


def test_what_has_not_changed_is_304(doors):
    first = doors.ask("/flags/v1/snapshot")
    again = doors.ask("/flags/v1/snapshot", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_is_packed_for_those_who_understand_that(doors):
    plain = doors.ask("/flags/v1/snapshot", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with doors.http.stream(
        "GET", "/flags/v1/snapshot", headers={"Authorization": f"Bearer {SERVER_KEY}", "Accept-Encoding": "br, gzip"}
    ) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert packed.headers["etag"] == plain.headers["etag"]


def test_head_answers_as_get_without_a_body(doors):
    answer = doors.ask("/flags/v1/snapshot", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 50


def test_other_methods_and_paths(doors):
    wrong = doors.ask("/flags/v1/snapshot", method="DELETE")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert doors.ask("/flags/v1/anything").status_code == 404


def test_our_sdk_works_on_it_hears_of_changes_and_delivers_its_counts():
    with running(flag()) as doors:
        client = Client()
        client.configure(url=doors.url, key=SERVER_KEY, poll_seconds=30, stream=True)
        try:
            client.wait_ready(5)
            assert client.state() is State.READY
            assert client.enabled("new-checkout", user="dana") is True
            assert client.enabled("gone", user="dana") is False
            until(lambda: len(doors.door._streams) == 1)
            doors.put(flag(revision=2, killed=True))
            until(lambda: client.enabled("new-checkout", user="dana") is False, 1.5)
        finally:
            client.close()
        counted = doors.counted()
        assert counted["new-checkout", "on", True] >= 1
        assert counted["new-checkout", "off", False] >= 1
        assert {one.flag for batch in doors.batches for one in batch.missing} == {"gone"}
