"""Django's side of the process, driven over a real socket."""

import asyncio
import hashlib
import threading
import time

import httpx
import pytest
import uvicorn

from daytwo_server.main.bridge import MEMORY_BODY_BYTES, Bridge
from daytwo_server.main.server import listen


class Site:
    """A small WSGI application behind the bridge, served by uvicorn on a free port."""

    def __init__(self, threads: int = 2, queue: int = 2) -> None:
        self.gate = threading.Event()
        self.bridge = Bridge(
            self.application,
            threads=threads,
            queue=queue,
            client=lambda scope: "203.0.113.7",
            secure=lambda scope: True,
        )
        self.socket = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self.bridge, lifespan="off", log_config=None))
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve([self.socket])), daemon=True)

    def application(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/slow":
            self.gate.wait(10)
        if path == "/stream":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return (f"line {n}\n".encode() for n in range(1000))
        body = environ["wsgi.input"].read()
        told = "|".join(
            [path, environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], hashlib.sha256(body).hexdigest(),
             environ.get("HTTP_X_TEST", ""), environ.get("HTTP_X_DAYTWO_CLIENT", "")]
        )  # fmt: skip
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-One", "1")])
        return [told.encode()]

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.server.should_exit = True
        self.thread.join(10)
        self.bridge.close()


@pytest.fixture
def site():
    with Site() as running:
        yield running


def test_a_request_arrives_with_path_body_headers_and_the_resolved_client(site):
    body = b"x" * (MEMORY_BODY_BYTES * 3)
    answer = httpx.post(f"{site.url}/caf%C3%A9", content=body, headers={"X-Test": "yes", "X-Daytwo-Client": "6.6.6.6"})
    path, client, scheme, digest, test, told_client = answer.text.encode("latin-1").decode().split("|")
    assert (client, scheme, test, told_client) == ("203.0.113.7", "https", "yes", "203.0.113.7")
    assert digest == hashlib.sha256(body).hexdigest()
    assert answer.headers["x-one"] == "1"
    assert path.encode() != b""


def test_a_header_with_an_underscore_cannot_pose_as_one_with_a_dash(site):
    answer = httpx.get(f"{site.url}/", headers={"X_Test": "forged"})
    assert answer.text.split("|")[4] == ""


def test_a_chunked_body_is_complete(site):
    def chunks():
        for n in range(50):
            yield bytes([n]) * 1000

    answer = httpx.post(f"{site.url}/", content=chunks())
    assert answer.text.split("|")[3] == hashlib.sha256(b"".join(chunks())).hexdigest()


def test_a_response_streams(site):
    with httpx.stream("GET", f"{site.url}/stream") as answer:
        assert "".join(answer.iter_text()).count("\n") == 1000
        assert answer.headers["transfer-encoding"] == "chunked"


def test_past_the_queue_pages_answer_503_and_recover(site):
    async def crowd():
        async with httpx.AsyncClient(timeout=20) as client:
            slow = [asyncio.create_task(client.get(f"{site.url}/slow")) for _ in range(4)]  # 2 threads, 2 places
            await asyncio.sleep(0.3)
            refused = await client.get(f"{site.url}/")
            site.gate.set()
            served = await asyncio.gather(*slow)
            return refused, served, await client.get(f"{site.url}/")

    refused, served, after = asyncio.run(crowd())
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "2"
    assert [answer.status_code for answer in served] == [200] * 4
    assert after.status_code == 200


def test_a_body_over_the_limit_is_refused(site):
    answer = httpx.post(f"{site.url}/", content=b"x" * (27 * 1024 * 1024), timeout=30)
    assert answer.status_code == 413
