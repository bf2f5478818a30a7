"""Outgoing HTTP against real servers on this machine: where it goes, where it does not, and when it gives up."""

import dataclasses
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from daytwo_server.core import conf
from daytwo_server.core.net import outgoing
from daytwo_server.core.net.outgoing import OutgoingFailed, OutgoingRefused, fetch

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and keeps every request it saw."""

    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.path, httpx.Headers(self.headers.items()), body))
        status, headers, answer = self.server.answers.get(self.path.partition("?")[0], (200, {}, b"fine"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815 - the names http.server looks for

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.answers = [], {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def redirect(self, path, to, status=302):
        self.answers[path] = (status, {"Location": to}, b"")

    def handle_error(self, *_):
        """A client that leaves early is what these tests are about."""

    def end(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.end()


@pytest.fixture
def other():
    running = Server()
    yield running
    running.end()


@pytest.fixture
def settings_of():
    """Change settings for one test."""
    before = conf.current()
    conf.use(dataclasses.replace(before, allow_private_addresses=False, allowed_addresses=()))
    yield lambda **changes: conf.use(dataclasses.replace(conf.current(), **changes))
    conf.use(before)


@pytest.fixture
def allowed(settings_of):
    settings_of(allowed_addresses=LOOPBACK)


# -- where it goes


@pytest.mark.usefixtures("allowed")
def test_a_request_arrives_with_method_headers_and_body(server):
    server.answers["/hook"] = (201, {"X-Kind": "made"}, b'{"id":7}')
    answer = fetch("POST", f"http://localhost:{server.port}/hook?a=1", headers={"X-Key": "k"}, json={"text": "Größe"})
    assert (answer.status, answer.headers["x-kind"], answer.json(), answer.truncated) == (201, "made", {"id": 7}, False)
    [(method, path, headers, body)] = server.seen
    assert (method, path, headers["X-Key"], json.loads(body)) == ("POST", "/hook?a=1", "k", {"text": "Größe"})
    assert headers["Host"] == f"localhost:{server.port}"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("Daytwo")
    assert headers["Accept-Encoding"] == "identity"
    fetch("GET", f"http://localhost:{server.port}/", headers={"User-Agent": "Ours", "Content-type": "a/b"}, json=1)
    assert server.seen[1][2].get_list("user-agent") == ["Ours"]
    assert server.seen[1][2].get_list("content-type") == ["a/b"]
    assert "Cookie" not in headers


HIDING_PLACES = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/",
    "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/", "http://0:{port}/",
    "http://0.0.0.0:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/",
    "http://[::1]:{port}/", "http://[::]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://127。0。0。1:{port}/",
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.1.1/", "http://100.64.0.1/",
]  # fmt: skip


@pytest.mark.usefixtures("settings_of")
@pytest.mark.parametrize("url", HIDING_PLACES)
def test_no_way_to_write_an_inside_address_gets_there(server, url):
    with pytest.raises((OutgoingRefused, OutgoingFailed)) as caught:
        fetch("GET", url.format(port=server.port), timeout_s=3)
    assert isinstance(caught.value, OutgoingRefused) or "has no address" in str(caught.value)
    assert server.seen == []


def test_the_refusal_says_what_an_operator_can_do(settings_of):
    with pytest.raises(OutgoingRefused, match=r"127.0.0.1 is not a public address.*DAYTWO_ALLOWED_ADDRESSES") as caught:
        fetch("GET", "http://127.0.0.1/")
    assert caught.value.permanent


def test_private_addresses_open_with_their_setting_but_cloud_metadata_does_not(server, settings_of):
    settings_of(allow_private_addresses=True)
    assert fetch("GET", f"http://127.0.0.1:{server.port}/").status == 200
    with pytest.raises(OutgoingRefused):
        fetch("GET", "http://169.254.169.254/latest/meta-data/")


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/", "file:///etc/passwd", "gopher://localhost/", "//localhost/", "localhost", "", "http://",
        "https:///path", "http://user@localhost:{port}/", "http://user:pw@localhost:{port}/",
        "http://example.com:80@localhost:{port}/", "http://localhost:{port}\\@example.com/", "http://local\x00host/",
        "http://localhost:99999/", "http://localhost:{port}/\r\nX-Injected: 1", "http://[::1/", "http://exa mple.com/",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(server, url):
    with pytest.raises((OutgoingRefused, OutgoingFailed)):
        fetch("GET", url.format(port=server.port), timeout_s=3)
    assert server.seen == []


def test_a_name_that_changes_its_mind_between_check_and_connection_gains_nothing(server, settings_of, monkeypatch):
    """DNS rebinding: the first look-up says an address that may be used, every further one the server inside."""
    settings_of(allowed_addresses=(ipaddress.ip_network("127.0.0.2/32"),))
    lookups = []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **kwargs):
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        lookups.append(host)
        address = "127.0.0.2" if len(lookups) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(OutgoingFailed, match="connection refused"):
        fetch("GET", f"http://rebind.example:{server.port}/")
    assert len(lookups) == 1
    with pytest.raises(OutgoingRefused):
        fetch("GET", f"http://rebind.example:{server.port}/")
    assert server.seen == []


@pytest.mark.usefixtures("allowed")
def test_the_connection_goes_to_the_address_that_was_checked(server, monkeypatch):
    lookups = []
    real = socket.getaddrinfo

    def lookup(host, port, *args, **kwargs):
        if host != "pinned.example":
            return real(host, port, *args, **kwargs)
        lookups.append(host)
        addresses = ("10.0.0.1", "127.0.0.1") if len(lookups) == 1 else ("10.0.0.1",)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert fetch("GET", f"http://pinned.example:{server.port}/").status == 200
    assert len(lookups) == 1
    assert server.seen[0][2]["Host"] == f"pinned.example:{server.port}"


@pytest.mark.usefixtures("allowed")
def test_proxies_of_the_environment_are_not_used(server, other, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    assert fetch("GET", f"http://127.0.0.1:{server.port}/").status == 200
    assert other.seen == []


# -- redirects


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/", "http://127.0.0.2:{port}/", "http://[::1]:{port}/", "file:///etc/passwd"]
)
def test_a_redirect_to_a_refused_target_is_refused(server, target):
    server.redirect("/go", target.format(port=server.port))
    with pytest.raises(OutgoingRefused):
        fetch("GET", f"http://127.0.0.1:{server.port}/go")
    assert [path for _, path, _, _ in server.seen] == ["/go"]


@pytest.mark.usefixtures("allowed")
def test_another_host_gets_no_headers_of_the_caller(server, other):
    server.redirect("/go", f"http://127.0.0.1:{other.port}/there")
    secrets = {"Authorization": "Bearer s3cret", "Cookie": "a=b", "X-Api-Key": "s3cret", "Webhook-Signature": "s3cret"}
    answer = fetch("GET", f"http://127.0.0.1:{server.port}/go", headers={**secrets, "Accept": "text/plain"})
    assert answer.url.endswith("/there")
    [(_, _, headers, _)] = other.seen
    assert "s3cret" not in str(headers)
    assert "Cookie" not in headers
    assert headers["Accept"] == "text/plain"
    assert headers["Host"] == f"127.0.0.1:{other.port}"


@pytest.mark.usefixtures("allowed")
def test_the_same_host_gets_them_again(server):
    server.redirect("/go", "/there?x=1")
    fetch("GET", f"http://127.0.0.1:{server.port}/go", headers={"X-Api-Key": "s3cret"})
    assert server.seen[1][1] == "/there?x=1"
    assert server.seen[1][2]["X-Api-Key"] == "s3cret"


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"[1]"), (308, "POST", b"[1]")],
)
def test_a_post_is_redirected_as_browsers_do(server, status, method, body):
    server.redirect("/go", "/there", status)
    fetch("POST", f"http://127.0.0.1:{server.port}/go", json=[1])
    got = server.seen[1]
    assert (got[0], got[3]) == (method, body)
    assert ("Content-Type" in got[2]) == bool(body)


@pytest.mark.usefixtures("allowed")
def test_a_body_is_not_carried_to_another_host(server, other):
    server.redirect("/go", f"http://127.0.0.1:{other.port}/there", 308)
    with pytest.raises(OutgoingFailed, match=r"moved to 127.0.0.1; enter the new address") as caught:
        fetch("POST", f"http://127.0.0.1:{server.port}/go", json={"customer": 7})
    assert caught.value.permanent
    assert other.seen == []


@pytest.mark.usefixtures("allowed")
def test_a_circle_of_redirects_ends(server):
    server.redirect("/go", "/go")
    with pytest.raises(OutgoingFailed, match="more than 3 times"):
        fetch("GET", f"http://127.0.0.1:{server.port}/go")
    assert len(server.seen) == 4


# -- when it gives up


@pytest.mark.usefixtures("allowed")
def test_an_answer_is_cut_at_the_given_size(server):
    server.answers["/big"] = (200, {}, b"x" * 300_000)
    answer = fetch("GET", f"http://127.0.0.1:{server.port}/big", max_bytes=1000)
    assert (len(answer.body), answer.truncated) == (1000, True)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (404, True), (410, True), (408, False), (429, False), (500, False), (503, False), (304, True)],
)
def test_a_failing_status_says_whether_to_try_again(server, status, permanent):
    server.answers["/"] = (status, {}, b"")
    answer = fetch("GET", f"http://127.0.0.1:{server.port}/")
    with pytest.raises(OutgoingFailed, match=rf"127.0.0.1 answered {status}") as caught:
        answer.expect_success()
    assert caught.value.permanent is permanent


@pytest.mark.usefixtures("allowed")
def test_an_answer_that_is_no_json_says_so(server):
    answer = fetch("GET", f"http://127.0.0.1:{server.port}/").expect_success()
    with pytest.raises(OutgoingFailed, match="did not answer with JSON"):
        answer.json()


@pytest.fixture
def dripping():
    """A raw server that sends `before` and then a byte each 50 ms."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    before = [b"HTTP/1.1 200 OK\r\nX-Slow: "]

    def serve():
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.sendall(before[0])
                    while not ended.wait(0.05):
                        connection.sendall(b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], before
    ended.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(2)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_slow_drip_ends_at_the_deadline(dripping, start):
    port, before = dripping
    before[0] = start
    started = time.monotonic()
    with pytest.raises(OutgoingFailed, match=r"did not answer in time|could not be reached") as caught:
        fetch("GET", f"http://127.0.0.1:{port}/", timeout_s=0.5)
    assert time.monotonic() - started < 10
    assert not caught.value.permanent


@pytest.mark.usefixtures("allowed")
def test_a_closed_port_and_an_unknown_name_are_worth_another_try():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OutgoingFailed, match=r"127.0.0.1 could not be reached: connection refused") as caught:
        fetch("GET", f"http://127.0.0.1:{port}/")
    assert not caught.value.permanent
    with pytest.raises(OutgoingFailed, match=r"The name nobody.invalid has no address") as caught:
        fetch("GET", "http://nobody.invalid/")
    assert not caught.value.permanent


@pytest.mark.usefixtures("allowed")
def test_a_server_that_speaks_no_http_is_a_plain_failure(dripping):
    port, before = dripping
    before[0] = b"220 mail.example.com ESMTP\r\n\r\n"
    with pytest.raises(OutgoingFailed, match="could not be reached"):
        fetch("GET", f"http://127.0.0.1:{port}/", timeout_s=3)


# -- TLS


@pytest.fixture
def tls_server(tmp_path, monkeypatch):
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of this test and is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    running = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names = []
    context.sni_callback = lambda _connection, name, _context: names.append(name)
    running.socket = context.wrap_socket(running.socket, server_side=True, do_handshake_on_connect=False)
    running.names = names
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    outgoing._tls.cache_clear()
    yield running
    outgoing._tls.cache_clear()
    running.end()


@pytest.mark.usefixtures("allowed")
def test_tls_asks_for_and_checks_the_name_though_the_address_is_pinned(tls_server):
    assert fetch("GET", f"https://localhost:{tls_server.port}/").body == b"fine"
    assert tls_server.names == ["localhost"]


@pytest.mark.usefixtures("allowed")
def test_a_certificate_of_another_name_is_refused(tls_server):
    with pytest.raises(OutgoingFailed, match="its certificate is not valid"):
        fetch("GET", f"https://127.0.0.1:{tls_server.port}/")
    assert tls_server.seen == []
