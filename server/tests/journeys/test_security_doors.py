"""What answers beside Django (intake, live streams, health, metrics, static files), asked by whoever should not."""

from __future__ import annotations

import contextlib
import socket
import time
from urllib.parse import urlsplit

import httpx
import pages
import pytest
import sites

HOST = b"Host: 127.0.0.1\r\n"
PROXY = "192.0.2.1"  # as a header names it; the peer is this machine


@pytest.fixture(scope="module")
def site(tmp_path_factory, furnished, store_env):
    env = store_env("doors") | {"DAYTWO_HEALTH_TOKEN": "the-token"}
    site = sites.copy(furnished, tmp_path_factory.mktemp("doors") / "data", env=env)
    site.start()
    yield site
    site.stop()


def raw(site, request, *, wait_s=2.0):
    """Everything that comes back to these bytes until the server closes or is silent."""
    answer = b""
    with socket.create_connection(("127.0.0.1", site.port)) as connection, contextlib.suppress(TimeoutError):
        connection.settimeout(wait_s)
        connection.sendall(request)
        while part := connection.recv(65536):
            answer += part
    return answer


def ask(site, path, *, method="GET", **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n".encode()
    return raw(site, head + (b"" if "Host" in headers else HOST) + b"\r\n")


def status(answer):
    return int(answer.split(b" ", 2)[1])


def test_live_streams_are_for_members(site):
    for cookie in ("", "daytwo_session=" + "a" * 32, 'daytwo_session="aaaaaaaaaa\\000bbb"', "daytwo_session=x"):
        assert status(ask(site, "/live?topic=errors", Cookie=cookie)) == 404
    with contextlib.closing(pages.signed_in(site)) as alice, alice.stream("GET", "/live?topic=errors") as stream:
        assert stream.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["//live?topic=errors", "/live/?topic=errors", "/live%00?topic=errors", "/%6cive/x", "//metrics", "/metrics/",
     "/api//health", "/api/health/metrics/..", "//evil.example/%2e%2e", "/.//evil.example"],
)  # fmt: skip
def test_an_address_that_only_looks_like_a_door_leads_nowhere(site, path):
    answer = ask(site, path)
    assert status(answer) == 404
    assert b"location:" not in answer.lower().partition(b"\r\n\r\n")[0]


def test_live_streams_refuse_what_is_no_topic(site):
    for query in (
        "",
        "?topic=",
        "?topic=a%0ab",
        "?topic=a%00",
        "?topic=" + "x" * 200,
        "?topic=a" * 1,
        "?" + "topic=a&" * 30,
    ):
        assert status(ask(site, f"/live{query}")) in {400, 404}
    for method in ("POST", "HEAD", "PUT"):
        assert status(ask(site, "/live?topic=errors", method=method)) == 405


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"]
)
def test_who_comes_through_a_proxy_that_nobody_vouches_for_sees_no_metrics_and_no_details(site, header):
    for value in (PROXY, "127.0.0.1", "10.0.0.1"):
        assert status(ask(site, "/metrics", **{header: value})) == 401
        assert b'"latency"' not in ask(site, "/api/health", **{header: value})
    open_to_the_token = ask(site, "/metrics", Authorization="Bearer the-token", **{header: PROXY})
    assert status(open_to_the_token) == 200
    for wrong in ("Bearer the-toke", "Bearer the-token2", "bearer", "Basic the-token", "Bearer \xff"):
        assert status(ask(site, "/metrics", Authorization=wrong, **{header: PROXY})) == 401


def test_lines_behind_a_chunked_body_open_no_door(site):
    for door in ("/metrics", "/api/health"):
        head = f"GET {door} HTTP/1.1\r\nX-Forwarded-For: {PROXY}\r\n".encode()
        body = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nAuthorization: Bearer the-token\r\n\r\n"
        answer = raw(site, head + HOST + body)
        assert b"daytwo_jobs" not in answer
        assert b'"latency"' not in answer


def test_metrics_and_health_are_only_read(site):
    for method in ("POST", "PUT", "DELETE"):
        assert status(ask(site, "/metrics", method=method)) == 405
        assert status(ask(site, "/api/health", method=method)) == 405
    head = ask(site, "/metrics", method="HEAD")
    assert status(head) == 200
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "path",
    ["/static/../daytwo.db", "/static/%2e%2e/secret-key", "/static/..%2fsecret-key", "/static/%2e%2e%2fsecret-key",
     "/static//etc/passwd", "/static/....//secret-key", "/static/..\\secret-key", "/static/%5c..%5csecret-key",
     "/static/ui/%00", "/static/", "/static"],
)  # fmt: skip
def test_static_files_end_at_their_folder(site, path):
    answer = ask(site, path)
    assert status(answer) == 404
    assert b"root:" not in answer


def test_the_host_decides_nothing_however_it_is_said(site):
    for request in (
        b"GET http://evil.example/errors HTTP/1.1\r\n" + HOST,
        b"GET /errors HTTP/1.1\r\nX-Forwarded-Host: evil.example\r\n" + HOST,
        b"GET /errors HTTP/1.1\r\n",
    ):
        answer = raw(site, request + b"Connection: close\r\n\r\n")
        assert b"location: /login/?next=/errors" in answer
        assert b"evil" not in answer
    for request in (b"GET /errors HTTP/1.1\r\nHost: evil.example\r\n", b"GET /errors HTTP/1.1\r\n" + HOST + HOST):
        assert status(raw(site, request + b"Connection: close\r\n\r\n")) == 400


def test_intake_takes_nothing_without_the_key_of_the_project(site):
    key, project = urlsplit(site.keys["dsn"]).username, site.keys["project"]["id"]
    body = b'{}\n{"type":"event"}\n{"message":"m"}\n'
    for path, refused in (
        (f"/api/{project}/envelope/", 401),
        (f"/api/{project}/envelope/?sentry_key={'0' * 32}", 403),
        (f"/api/{project + 1}/envelope/?sentry_key={key}", 403),
        (f"/api/{project}/envelope/?sentry_key={key}%00", 403),
        (f"/api/%00/envelope/?sentry_key={key}", 404),
        (f"/api/{'9' * 30}/envelope/?sentry_key={key}", 404),
    ):
        assert (path, httpx.post(site.url + path, content=body).status_code) == (path, refused)
    assert httpx.get(f"{site.url}/api/{project}/envelope/?sentry_key={key}").status_code == 405
    token = httpx.post(
        f"{site.url}/api/{project}/envelope/", content=body,
        headers={"Authorization": f"Bearer {site.keys['api_token']}"},
    )  # fmt: skip
    assert token.status_code == 401


def test_a_crowd_that_says_nothing_keeps_nobody_out(site):
    """More than the page threads and their queue together."""
    slow = b"POST /login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\nlogin="
    with contextlib.ExitStack() as crowd:
        for number in range(150):
            connection = crowd.enter_context(socket.create_connection(("127.0.0.1", site.port)))
            connection.sendall(slow if number % 2 else b"GET /login/ HT")
        begun = time.monotonic()
        assert httpx.get(f"{site.url}/login/", timeout=10).status_code == 200
        assert time.monotonic() - begun < 5


def test_an_address_outside_the_api_answers_programs_in_json(site):
    for path in ("/api/v1/nothing", "/api/v2/issues", "/api/"):
        answer = httpx.get(site.url + path)
        assert (answer.status_code, set(answer.json())) == (404, {"detail", "fields"})
