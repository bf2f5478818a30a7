import asyncio
import socket
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

import daytwo
from daytwo import health
from daytwo.health import AsgiApp, Registry, WsgiApp

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")


@pytest.fixture
def registry():
    registry = Registry()
    registry.check("database")(lambda: "42 connections")

    @registry.check("cache", required=False)
    async def cache() -> None:
        raise OSError("cache-1 gone")

    return registry


@pytest.fixture
def serve():
    """Gives `serve(registry, door, **options)`, which mounts a real server and returns a client for it."""
    stops = []

    def serve(registry, door, **options: object):
        start = serve_asgi if door == "asgi" else serve_wsgi
        port, stop = start(registry, options)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        stops.extend([client.close, stop])
        return client

    yield serve
    for stop in stops:
        stop()


def serve_asgi(registry, options):
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(AsgiApp(registry, **options), lifespan="off", log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop():
        server.should_exit = True
        thread.join()
        listener.close()

    return listener.getsockname()[1], stop


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None: ...


def serve_wsgi(registry, options):
    server = make_server("127.0.0.1", 0, WsgiApp(registry, **options), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def stop():
        server.shutdown()
        thread.join()
        server.server_close()

    return server.server_port, stop


doors = pytest.mark.parametrize("door", ["asgi", "wsgi"])


@doors
def test_the_three_endpoints_answer_under_any_prefix(serve, registry, door):
    client = serve(registry, door)
    assert client.get("/internal/health/live").json() == {"status": "ok"}
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"], list(ready.json()["checks"])) == (200, "ready", ["database"])
    everything = client.get("/health")
    assert (everything.status_code, everything.json()["status"]) == (200, "degraded")
    assert everything.json()["checks"]["cache"]["message"] == "OSError: cache-1 gone"
    assert everything.headers["cache-control"] == "no-store"


@doors
def test_live_runs_no_check(serve, door):
    registry = Registry()
    registry.check("database")(lambda: pytest.fail("was run"))
    client = serve(registry, door)
    assert client.get("/health/live?only=database").status_code == 200
    assert registry.checks["database"]._last is None


@doors
def test_checks_can_be_picked_in_the_query(serve, registry, door):
    client = serve(registry, door)
    assert list(client.get("/health?only=cache").json()["checks"]) == ["cache"]
    assert list(client.get("/health?only=cache,%20database").json()["checks"]) == ["database", "cache"]
    assert list(client.get("/health?exclude=cache").json()["checks"]) == ["database"]
    assert client.get("/health?exclude=cache").json()["status"] == "healthy"
    assert client.get("/health?only=nothing").status_code == 400
    assert client.get("/health/ready?only=cache").status_code == 400, "an optional check says nothing about ready"


@doors
def test_draining_makes_it_not_ready_and_stays_alive(serve, registry, door):
    client = serve(registry, door)
    registry.draining()
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


@doors
def test_head_has_the_headers_of_get_and_no_body(serve, registry, door):
    client = serve(registry, door)
    client.get("/health")
    head, get = client.head("/health/live"), client.get("/health/live")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


@doors
def test_other_methods_are_refused_with_what_is_allowed(serve, registry, door):
    response = serve(registry, door).post("/health")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@doors
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_through_a_proxy_a_private_peer_is_nobody(serve, registry, door, header):
    client = serve(registry, door)
    assert "message" in client.get("/health").json()["checks"]["cache"]
    assert client.get("/health", headers={header: "10.0.0.7"}).json()["checks"]["cache"] == {"status": "fail"}


@pytest.mark.parametrize(
    "header", ["Via", "X-Forwarded-Host", "X-Forwarded-Proto", "CF-Connecting-IP", "True-Client-IP"]
)
def test_whatever_else_a_proxy_says_of_itself_is_heard(registry, header):
    found = ask(AsgiApp(registry), client=("10.0.0.7", 1), headers=[(header.lower().encode(), b"10.0.0.8")])
    assert b"cache-1" not in found[1]["body"]


def test_a_server_that_believes_the_forwarded_address_changes_nothing(registry):
    """uvicorn puts it in the place of the peer, by default for a proxy on the same machine."""
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    app = ProxyHeadersMiddleware(AsgiApp(registry), trusted_hosts="127.0.0.1")
    for forged in (b"10.0.0.7", b"127.0.0.1", b"203.0.113.9, 192.168.0.4"):
        found = ask(app, client=("127.0.0.1", 1), headers=[(b"x-forwarded-for", forged)])
        assert b"cache-1" not in found[1]["body"]


@doors
def test_the_token_shows_the_details_to_anyone(serve, registry, door, monkeypatch):
    monkeypatch.setenv("DAYTWO_HEALTH_TOKEN", "s3cret")
    client = serve(registry, door)
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    for authorization, shown in [
        ("Bearer s3cret", True),
        ("bearer s3cret", True),
        ("Bearer s3cre", False),
        ("", False),
    ]:
        found = client.get("/health", headers={**proxied, "Authorization": authorization}).json()
        assert ("message" in found["checks"]["cache"]) == shown
        assert ("serviceId" in found) == shown


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", ""])
def test_without_a_token_set_an_empty_one_opens_nothing(registry, authorization):
    _, body = ask(AsgiApp(registry), headers=[(b"authorization", authorization.encode())])
    assert b"cache-1" not in body["body"]


@doors
def test_the_mounting_app_may_decide_who_is_privileged(serve, registry, door):
    asked = []

    def rule(request):
        asked.append(request.get("path") or request.get("PATH_INFO"))
        return False

    client = serve(registry, door, privileged=rule)
    assert "message" not in client.get("/health").json()["checks"]["cache"]
    assert asked == ["/health"]


@doors
def test_a_check_that_hangs_for_30_seconds_delays_no_answer_past_a_second(serve, registry, door):
    hung = threading.Event()
    registry.check("hung")(lambda: hung.wait(30) and None)
    client = serve(registry, door)
    client.get("/health/live")  # the connection is made
    before = threading.active_count()
    try:
        for path in ("/health", "/health/ready", "/health", "/health"):
            began = time.monotonic()
            response = client.get(path)
            assert time.monotonic() - began < 5
            assert (response.status_code, response.json()["checks"]["hung"]["message"]) == (503, "timeout")
            assert response.json()["checks"]["database"]["status"] == "pass"
        assert client.get("/health/live").status_code == 200
        assert threading.active_count() <= before + 1
    finally:
        hung.set()


def ask(app, **scope: object):
    """Call an ASGI app as a server would and return the status and body it sent."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    full = {"type": "http", "method": "GET", "path": "/health", "query_string": b"", "headers": [], **scope}
    asyncio.run(app(full, receive, send))
    return sent


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (("127.0.0.1", 1), True),
        (("10.1.2.3", 1), True),
        (("::1", 1), True),
        (("::ffff:192.168.0.4", 1), True),
        (("::ffff:8.8.8.8", 1), False),
        (("8.8.8.8", 1), False),
        (("2606:4700::1111", 1), False),
        (("testclient", 1), False),
        (None, False),
    ],
)
def test_details_are_for_private_addresses(registry, client, shown):
    _, body = ask(AsgiApp(registry), client=client)
    assert (b"cache-1" in body["body"]) == shown


def test_a_stalled_event_loop_is_not_alive(monkeypatch):
    app = AsgiApp(Registry())

    async def live() -> int:
        sent = []

        async def send(message):
            sent.append(message)

        await app({"type": "http", "method": "GET", "path": "/live", "headers": []}, None, send)
        return sent[0]["status"]

    async def scenario() -> list[int]:
        first = await live()
        app._beaten -= 31  # the loop did not turn for that long
        stalled = await live()
        app._beat(asyncio.get_running_loop())
        return [first, stalled, await live()]

    assert asyncio.run(scenario()) == [200, 503, 200]


def test_a_probe_leaves_no_access_line_wherever_the_endpoint_is_mounted(registry, lines):
    app = daytwo.asgi(AsgiApp(registry))
    assert ask(app, path="/internal/status")[0]["status"] == 200
    assert ask(app, path="/internal/status", method="POST")[0]["status"] == 405
    wsgi = daytwo.wsgi(WsgiApp(registry))
    answer = wsgi({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/internal/status", "PATH_INFO": ""}, lambda *_: None)
    assert b"".join(answer)
    answer.close()
    assert lines() == []


def test_a_websocket_is_turned_away_and_a_lifespan_ignored():
    assert ask(health.asgi, type="websocket") == [{"type": "websocket.close"}]
    assert ask(health.asgi, type="lifespan") == []


def test_wsgi_mounted_exactly_at_a_path_reads_it_from_the_script_name():
    status = []
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health/live", "PATH_INFO": ""}
    body = health.wsgi(environ, lambda line, _headers: status.append(line))
    assert (status, list(body)) == (["200 OK"], [b'{"status":"ok"}'])
