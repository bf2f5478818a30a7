"""Connections that are slow, greedy, broken or sly, at the real protocol over a real socket."""

import contextlib
import logging
import socket
import threading
import time
import tracemalloc

import pytest
import uvicorn
from rooms.main.test_bridge import Site

from daytwo_server.main import bridge
from daytwo_server.main.protocol import Http

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /x HTTP/1.1\r\n" + HOST


class Hasty(Http):
    """The product's protocol, with less patience than a test has."""

    head_patience_s = 1.2
    write_patience_s = 0.4


class Door(Site):
    """Two page threads; `/big` answers more than any buffer holds, `/twice` counts its own requests."""

    def __init__(self, **options):
        super().__init__(**options)
        self.bridge._body_patience_s = 0.6
        config = uvicorn.Config(self.bridge, lifespan="off", log_config=None, http=Hasty, timeout_keep_alive=1)
        self.server = uvicorn.Server(config)
        self.served = 0

    def application(self, environ, start_response):
        self.served += 1
        path = environ["PATH_INFO"]
        if path == "/big":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"x" * (512 * 1024)] * 40
        if path == "/fails":
            raise RuntimeError("a page that fails before it answers")
        if path == "/headers":
            names = sorted(name for name in environ if name.startswith(("HTTP_", "CONTENT_TYPE")))
            start_response("200 OK", [("Content-Type", "text/plain")])
            return ["\n".join(f"{name}={environ[name]}" for name in names).encode()]
        return super().application(environ, start_response)

    @contextlib.contextmanager
    def connection(self, data=b"", *, buffer=0):
        with contextlib.closing(socket.socket()) as client:
            if buffer:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            client.connect(self.socket.getsockname())
            client.settimeout(5)
            client.sendall(data)
            yield client

    def say(self, data):
        """Everything that comes back until the server closes or says nothing more."""
        with self.connection(data) as client:
            client.settimeout(1)
            return everything(client)


def everything(client):
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while part := client.recv(65536):
            received += part
    return received


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else None


@pytest.fixture(scope="module")
def running():
    with Door() as door:
        yield door


@pytest.fixture
def door(running):
    eventually(lambda: threads_at_work(running) == 0)
    running.served = 0
    running.gate.clear()
    return running


@pytest.fixture
def quiet(caplog):
    """No traceback is logged, whatever happens."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def answers(door):
    """A stranger is served meanwhile. A busy machine has time for that: how long it takes is no business of a test."""
    with door.connection(GET + b"Connection: close\r\n\r\n") as client:
        return status(everything(client)) == 200


# -- slow and greedy


def test_a_hundred_slow_bodies_keep_nobody_out(door, quiet):
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nslow"
    with contextlib.ExitStack() as open_connections:
        slow = [open_connections.enter_context(door.connection(head)) for _ in range(100)]
        time.sleep(0.2)
        assert answers(door)
        assert status(everything(slow[0])) == 408
    assert door.served == 1


def test_clients_that_do_not_read_their_answers_keep_nobody_out(door, quiet):
    with contextlib.ExitStack() as open_connections:
        for _ in range(6):
            open_connections.enter_context(door.connection(b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n", buffer=4096))
        eventually(lambda: threads_at_work(door) == 4)
        eventually(lambda: threads_at_work(door) == 0)
        assert answers(door)


def eventually(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def threads_at_work(door):
    return 4 - door.bridge._places  # 2 threads and a queue of 2


def test_small_answers_that_nobody_reads_wait_outside_the_page_threads(door, quiet):
    with door.connection(b"".join(b"GET /stream HTTP/1.1\r\n" + HOST + b"\r\n" for _ in range(300)), buffer=4096):
        time.sleep(0.3)
        assert answers(door)


def test_a_client_that_reads_slowly_gets_everything(door, quiet):
    with door.connection(b"GET /big HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", buffer=65536) as client:
        received = 0
        while part := client.recv(256 * 1024):
            received += len(part)
            time.sleep(0.002)
    assert received > 20 * 1024 * 1024


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET /x HTTP/1.1\r\nX-A: ", GET])
def test_a_head_that_never_ends_is_not_waited_for(door, quiet, begun):
    with door.connection(begun) as client:
        begun_at = time.monotonic()
        answer = everything(client)
        assert time.monotonic() - begun_at < 3
    assert status(answer) == (408 if begun else None)


def test_a_head_that_trickles_in_is_not_waited_for_either(door, quiet):
    head = GET + b"X-Slow: " + b"a" * 1000
    received, taken = b"", 0
    with door.connection() as client, contextlib.suppress(ConnectionError):
        client.settimeout(0.02)
        while not received and taken < len(head):
            client.sendall(head[taken : taken + 1])
            taken += 1
            with contextlib.suppress(TimeoutError):
                received = client.recv(1000)
    assert status(received) == 408
    assert taken < len(head)
    assert door.served == 0


def test_a_second_request_on_a_connection_is_waited_for_as_long_as_the_first_is_answered(door, quiet):
    with door.connection(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n" + b"GET /x HT") as client:
        time.sleep(1.8)  # longer than the patience with a head
        door.gate.set()
        client.sendall(b"TP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert everything(client).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X-Long: " + b"a" * 70_000,
        GET + b"X-Endless: " + b"a" * 3_000_000,
        b"GET /" + b"a" * 3_000_000,
        GET + b"".join(b"X-%d: 1\r\n" % n for n in range(300)),
        GET + b"".join(b"X-%d: 1\r\n" % n for n in range(100_000)),
    ],
    ids=["one of 70 KB", "one of 3 MB", "a path of 3 MB", "300 lines", "100,000 lines"],
)
def test_a_head_that_is_too_large_is_refused_and_not_gathered(door, quiet, head):
    tracemalloc.start()
    try:
        with door.connection() as client, contextlib.suppress(ConnectionError):
            client.sendall(head)
        answer = door.say(head[:80_000] + b"\r\n\r\n")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert status(answer) in {400, 431, None}  # None: it was closed while still being sent
    assert door.served == 0
    assert peak < 12_000_000
    assert answers(door)


def test_a_head_of_ordinary_size_with_a_long_cookie_is_fine(door):
    answer = door.say(GET + b"Cookie: a=" + b"b" * 30_000 + b"\r\nConnection: close\r\n\r\n")
    assert status(answer) == 200


def test_lines_behind_a_chunked_body_without_end_are_not_gathered(door, quiet):
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: "
    taken = 0
    with door.connection(head) as client, contextlib.suppress(ConnectionError):
        while taken < 4_000_000:
            client.sendall(b"a" * 100_000)
            taken += 100_000
            time.sleep(0.005)
    assert taken < 4_000_000


def test_large_bodies_get_so_many_places_on_disk_and_the_others_are_told_to_come_back(door, quiet, monkeypatch):
    monkeypatch.setattr(door.bridge, "_disk_places", 2)
    monkeypatch.setattr(door.bridge, "_body_patience_s", 5)
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
    with door.connection(head + b"x" * 400_000), door.connection(head + b"x" * 400_000):
        time.sleep(0.3)
        refused = door.say(head + b"x" * 1_000_000)
        assert status(refused) == 503
        assert b"retry-after: 10" in refused
        assert answers(door)
    eventually(lambda: door.bridge._disk_places == 2)
    assert status(door.say(head + b"x" * 1_000_000)) == 200


# -- hanging up


@pytest.mark.parametrize(
    "data",
    [
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nhalf",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /stream HTTP/1.1\r\n" + HOST + b"\r\n",
        GET,
    ],
    ids=["in a body", "in a chunk", "in a large answer", "in a stream", "in a head"],
)
def test_hanging_up_leaves_no_thread_and_no_traceback(door, quiet, data):
    for _ in range(20):
        with door.connection(data) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # reset
    time.sleep(0.2)
    eventually(lambda: threads_at_work(door) == 0)
    assert len([t for t in threading.enumerate() if t.name.startswith("page")]) <= 2
    assert answers(door)


def test_a_page_that_fails_before_it_answers_is_a_500_and_gives_its_place_back(door):
    for _ in range(10):
        assert status(door.say(b"GET /fails HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")) == 500
    assert threads_at_work(door) == 0


# -- sly


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        GET + b"X-Folded: 1\r\n 2\r\n\r\n",
        b"GET /x HTTP/1.1\nHost: 127.0.0.1\n\n",
        b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\rX: y\r\n\r\n",
        GET + b"X: a\0b\r\n\r\n",
        b"GET /caf\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda data: data[:60].decode("latin-1"),
)
def test_what_two_servers_could_read_differently_is_refused_and_the_connection_closed(door, quiet, request_bytes):
    answer = door.say(request_bytes + GET + b"\r\n")
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1
    assert door.served == 0


def test_lines_behind_a_chunked_body_are_no_headers(door):
    head = b"POST /headers HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    trailers = b"X-Forwarded-For: 10.0.0.1\r\nHost: evil.example\r\nCookie: a=b\r\nContent-Type: text/plain\r\n"
    answer = door.say(head + trailers + b"X-Test: 1\r\n\r\n")
    assert status(answer) == 200
    assert b"HTTP_HOST=127.0.0.1\n" in answer
    for forged in (b"FORWARDED", b"evil.example", b"COOKIE", b"CONTENT_TYPE", b"X_TEST"):
        assert forged not in answer


def test_an_underscore_never_poses_as_a_dash(door):
    head = b"POST /headers HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 0\r\n"
    answer = door.say(head + b"Content_Type: text/html\r\nX_Daytwo_Client: 1.1.1.1\r\nX_Test: 1.1.1.1\r\n\r\n")
    assert status(answer) == 200
    assert b"text/html" not in answer
    assert b"1.1.1.1" not in answer


def test_pipelined_requests_are_answered_in_their_order(door):
    paths = [b"/a", b"/b", b"/c"]
    last = b"GET /last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    answer = door.say(b"".join(b"GET %b HTTP/1.1\r\n%b\r\n" % (path, HOST) for path in paths) + last)
    places = [answer.index(path + b"|") for path in [*paths, b"/last"]]
    assert places == sorted(places)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("code", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_have_none(code, method):
    def application(environ, start_response):
        start_response(code, [])
        return [b""]

    with Door() as door:
        door.bridge._application = application
        answer = door.say(f"{method} / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert answer.endswith(b"\r\n\r\n")
    assert b"chunked" not in answer


def test_head_is_answered_like_get_without_the_body(door):
    answer = door.say(b"HEAD /stream HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert status(answer) == 200
    assert answer.endswith(b"\r\n\r\n")
    assert b"line" not in answer


def test_the_limits_are_the_products_own():
    assert (Http.head_patience_s, Http.write_patience_s, bridge.BODY_PATIENCE_S) == (20.0, 30.0, 120.0)
