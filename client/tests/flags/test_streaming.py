"""A change is there at once where the server says so."""

import threading
import time

import pytest
from flag_server import KEY, flag, snapshot, until


@pytest.fixture
def streaming(server):
    server.streams, server.snapshot = True, snapshot(flag())
    return server


def test_a_change_is_there_within_a_second_though_nobody_polls(streaming, client):
    client.configure(streaming.url, KEY, poll_seconds=3600)
    assert client.wait_ready(5)
    until(
        lambda: len(streaming.asked) == 2
    )  # once more when the stream is there: something may have changed in between
    for revision in range(2, 6):
        begun = time.monotonic()
        streaming.snapshot = snapshot(flag(enabled=revision % 2 == 1), revision=revision)
        until(lambda now=revision: client.enabled("new-checkout") is (now % 2 == 1))
        assert time.monotonic() - begun < 1


def test_a_stream_that_ends_is_taken_up_again(streaming, client):
    client.configure(streaming.url, KEY, poll_seconds=3600)
    assert client.wait_ready(5)
    until(lambda: streaming.streaming == 1)
    streaming.streams = False
    time.sleep(0.05)
    streaming.snapshot = snapshot(flag(enabled=False), revision=2)
    streaming.streams = True
    until(lambda: client.enabled("new-checkout") is False)


def test_a_server_without_a_stream_is_not_pestered(server, client):
    server.snapshot = snapshot(flag())
    client.configure(server.url, KEY, poll_seconds=0.05)
    assert client.wait_ready(5)
    time.sleep(0.5)
    assert server.streaming == 1
    server.snapshot = snapshot(flag(enabled=False), revision=2)
    until(lambda: client.enabled("new-checkout") is False)


def test_it_may_be_left_out(streaming, client):
    client.configure(streaming.url, KEY, poll_seconds=0.05, stream=False)
    assert client.wait_ready(5)
    time.sleep(0.2)
    assert streaming.streaming == 0


def test_whoever_waits_for_a_change_is_gone_after_the_end(streaming, client):
    client.configure(streaming.url, KEY, poll_seconds=3600)
    assert client.wait_ready(5)
    until(lambda: len(streaming.asked) == 2)
    client.close()
    until(lambda: not [one for one in threading.enumerate() if one.name.startswith("daytwo-flags")])


def test_a_revision_of_which_it_heard_is_asked_for_until_there_is_an_answer_and_then_no_more(streaming, client):
    client.configure(streaming.url, KEY, poll_seconds=0.1)
    assert client.wait_ready(5)
    until(lambda: streaming.streaming == 1)
    streaming.trouble = 503
    streaming.snapshot = snapshot(flag(enabled=False), revision=41)
    named = "/flags/v1/snapshot?revision=41"
    until(lambda: [path for _, path, _ in streaming.asked].count(named) > 2)
    streaming.trouble = None
    until(lambda: client.enabled("new-checkout") is False)
    known = len(streaming.asked)
    until(lambda: len(streaming.asked) > known + 2)
    assert named not in [path for _, path, _ in streaming.asked[known:]]
