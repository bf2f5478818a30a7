"""Mail from a mailbox, against a small server that speaks as much IMAP as is needed and checks what it is asked."""

import base64
import contextlib
import http.server
import json
import re
import socket
import socketserver
import threading
import time
import urllib.parse

import pytest
from rooms.mail.test_intake import Room, raw, room  # noqa: F401 - the fixture

from daytwo_server.core import conf
from daytwo_server.core.jobs import worker
from daytwo_server.core.models import Job
from daytwo_server.mail import idling, mailbox, oauth
from daytwo_server.mail.models import InboundMail, Mailbox

pytestmark = pytest.mark.django_db


class Imap(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.validity = 7
        self.next_uid = 1
        self.mails: dict[int, tuple[bytes, bool]] = {}  # and whether somebody has read it
        self.fetched: list[int] = []
        self.password = "word"
        self.token = ""  # where it takes no passwords
        self.refused = 0
        self.offers_idle = False
        self.idling: list[_Session] = []
        self.hangs_up_after = 1000

    def put(self, mail: bytes, *, seen: bool = False) -> None:
        self.mails[self.next_uid] = (mail, seen)
        self.next_uid += 1
        for session in self.idling:
            session._say(f"* {len(self.mails)} EXISTS")


class _Session(socketserver.StreamRequestHandler):
    server: Imap

    def handle(self) -> None:
        self._say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            try:
                self._answer(command)
            except PermissionError as refused:
                self._say(f"{tag} NO {refused}")
                continue
            except EOFError:
                return
            self._say(f"{tag} OK done")

    def _answer(self, command: str) -> None:  # noqa: C901 - a command a line
        box = self.server
        if command == "CAPABILITY":
            self._say(f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2{' IDLE' * box.offers_idle}")
        elif command == "AUTHENTICATE XOAUTH2":
            self._authenticate()
        elif command == "IDLE":
            self._idle()
        elif command.startswith("LOGIN"):
            if box.token or command != f'LOGIN help@acme.test "{box.password}"':
                raise PermissionError("[AUTHENTICATIONFAILED] no")
        elif command.startswith("EXAMINE"):  # SELECT would change what it looks at
            assert command == 'EXAMINE "Help Desk"'
            for words in (
                f"{len(box.mails)} EXISTS",
                f"OK [UIDVALIDITY {box.validity}] x",
                f"OK [UIDNEXT {box.next_uid}] x",
            ):
                self._say(f"* {words}")
        elif command == "UID SEARCH UNSEEN":
            self._say(f"* SEARCH {' '.join(str(uid) for uid, (_, seen) in box.mails.items() if not seen)}")
        elif found := re.fullmatch(r"UID SEARCH UID (\d+):\*", command):
            newest = max(box.mails, default=0)
            self._say(f"* SEARCH {' '.join(str(uid) for uid in box.mails if uid >= int(found[1]) or uid == newest)}")
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", command):
            self._fetch(int(found[1]))
        else:
            assert command == "LOGOUT", command

    def _idle(self) -> None:
        self.server.idling.append(self)
        self._say("+ idling")
        self.rfile.readline()  # until the client hangs up
        self.server.idling.remove(self)
        raise EOFError

    def _authenticate(self) -> None:
        self._say("+ ")
        if self._line() != f"user=help@acme.test\x01auth=Bearer {self.server.token}\x01\x01":
            self.server.refused += 1
            self._say(f"+ {base64.b64encode(b'{}').decode()}")
            assert self._line() == ""
            raise PermissionError("[AUTHENTICATIONFAILED] no")

    def _line(self) -> str:
        return base64.b64decode(self.rfile.readline().strip()).decode()

    def _fetch(self, uid: int) -> None:
        if len(self.server.fetched) >= self.server.hangs_up_after:
            raise EOFError
        self.server.fetched.append(uid)
        mail = self.server.mails[uid][0]
        self._say(f"* 1 FETCH (UID {uid} BODY[] {{{len(mail)}}}")
        self.wfile.write(mail)
        self._say(")")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def imap(configured):
    with Imap() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"imap://help%40acme.test:word@127.0.0.1:{server.server_address[1]}/Help%20Desk"
        conf.use(conf.load({"DAYTWO_IMAP_URL": url, "DAYTWO_MAIL_INBOUND": "support@acme.test"}))
        yield server
        server.shutdown()


def mail(name: str) -> bytes:
    return raw(name, message_id=f"<{name}@x>")


def test_at_first_what_nobody_has_read_is_taken_then_all_that_comes(imap, room: Room):  # noqa: F811
    imap.put(mail("old and read"), seen=True)
    imap.put(mail("unread"))
    mailbox.poll()
    mailbox.poll()
    imap.put(mail("new, and read by a colleague"), seen=True)
    imap.put(mail("new"))
    mailbox.poll()
    mailbox.poll()

    assert [letter.text for letter in room.letters] == ["unread", "new, and read by a colleague", "new"]
    assert imap.fetched == [2, 3, 4]
    assert set(InboundMail.objects.values_list("route", flat=True)) == {"imap"}


def test_an_empty_mailbox_is_begun_at_its_end(imap, room: Room):  # noqa: F811
    mailbox.poll()
    imap.put(mail("first"), seen=True)
    mailbox.poll()
    assert [letter.text for letter in room.letters] == ["first"]


def test_a_connection_that_breaks_costs_no_mail_and_doubles_none(imap, room: Room):  # noqa: F811
    mailbox.poll()
    for number in range(4):
        imap.put(mail(str(number)))
    imap.hangs_up_after = 2
    mailbox.poll()
    imap.hangs_up_after = 1000
    mailbox.poll()

    assert [letter.text for letter in room.letters] == ["0", "1", "2", "3"]
    assert imap.fetched == [1, 2, 3, 4]


def test_a_mailbox_that_was_made_anew_is_read_anew_without_doubles(imap, room: Room):  # noqa: F811
    imap.put(mail("a"))
    mailbox.poll()
    imap.validity = 8
    imap.put(mail("b"))
    mailbox.poll()

    assert [letter.text for letter in room.letters] == ["a", "b"]
    assert Mailbox.objects.get().uid_validity == 8


@pytest.mark.parametrize("fault", ["password", "gone"])
def test_a_mailbox_that_cannot_be_read_is_told_without_its_password(imap, caplog, fault):
    if fault == "password":
        imap.password = "another"
    else:
        imap.server_close()
    mailbox.poll()
    assert "DAYTWO_IMAP_URL cannot be read" in caplog.text
    assert "word@" not in caplog.text


class Provider(http.server.ThreadingHTTPServer):
    """Where tokens are given, as RFC 6749 says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[dict[str, str]] = []
        self.answer: tuple[int, dict[str, object]] = (200, {"access_token": "fresh", "expires_in": 3600})

    def setting(self, query: str = "") -> str:
        return f"http://app:s%2Fcret@127.0.0.1:{self.server_address[1]}/tenant/token{query}"


class _Asked(http.server.BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        assert self.path == "/tenant/token"
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(dict(urllib.parse.parse_qsl(body)))
        status, told = self.server.answer
        raw = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def provider(imap):
    imap.token = "fresh"
    oauth._known.clear()
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def signs_in_by(setting: str, imap: Imap) -> None:
    url = f"imap://help%40acme.test@127.0.0.1:{imap.server_address[1]}/Help%20Desk"
    known = {"DAYTWO_IMAP_URL": url, "DAYTWO_IMAP_OAUTH": setting, "DAYTWO_MAIL_INBOUND": "support@acme.test"}
    conf.use(conf.load(known))


def test_a_mailbox_without_passwords_is_read_with_a_token_of_its_provider(imap, provider, room: Room):  # noqa: F811
    signs_in_by(provider.setting("?scope=https%3A%2F%2Foutlook.office365.com%2F.default"), imap)
    imap.put(mail("by token"))
    mailbox.poll()
    mailbox.poll()
    assert [letter.text for letter in room.letters] == ["by token"]
    assert provider.asked == [  # once: it is good for an hour
        {
            "grant_type": "client_credentials", "client_id": "app", "client_secret": "s/cret",
            "scope": "https://outlook.office365.com/.default",
        }
    ]  # fmt: skip


def test_a_person_who_agreed_once_is_asked_no_more(imap, provider, room: Room):  # noqa: F811
    signs_in_by(provider.setting("?refresh_token=1%2F%2Fabc"), imap)
    mailbox.poll()
    [asked] = provider.asked
    assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", "1//abc")
    assert Mailbox.objects.exists()


def test_a_token_that_is_refused_is_asked_for_anew(imap, provider, caplog):
    signs_in_by(provider.setting(), imap)
    imap.token = "another"
    mailbox.poll()
    assert "cannot be read" in caplog.text
    provider.answer = (200, {"access_token": "another"})
    mailbox.poll()
    assert (imap.refused, len(provider.asked)) == (1, 2)
    assert Mailbox.objects.exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": "invalid_grant", "error_description": "It was revoked."}), "invalid_grant It was revoked."),
        ((200, {"token": "x"}), "gave no token: 200"),
        ((500, []), "gave no token: 500"),
    ],
)
def test_a_provider_that_gives_no_token_is_told_of_without_the_secret(imap, provider, caplog, answer, words):
    provider.answer = answer
    signs_in_by(provider.setting(), imap)
    mailbox.poll()
    assert words in caplog.text
    assert "cret@" not in caplog.text
    assert "s/cret" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_mail_is_asked_for_at_once_where_the_server_tells_of_it(imap):
    imap.offers_idle = True
    idling.watch()
    wait_until(lambda: imap.idling)
    assert not Job.objects.filter(kind="mail.poll").exists()
    imap.put(mail("now"))
    wait_until(lambda: Job.objects.filter(kind="mail.poll").exists())
    imap.put(mail("and now"))
    time.sleep(0.2)
    worker.sync_periodic()
    worker.tick_periodic()
    assert Job.objects.filter(kind="mail.poll").count() == 1, "two at once would read the same mails"
    conf.use(conf.load({}))  # the watch ends with the connection
    imap.idling[0].connection.close()


def test_a_server_that_tells_of_nothing_is_not_watched(imap):
    watching = idling.watch()
    watching.join(10)
    assert not watching.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_server_that_answers_nothing_is_tried_once_a_minute(configured, monkeypatch):
    monkeypatch.setattr(mailbox, "PATIENCE_S", 0.05)
    called: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.6)
        conf.use(conf.load({"DAYTWO_IMAP_URL": f"imap://help:word@127.0.0.1:{silent.getsockname()[1]}"}))
        idling.watch()
        with contextlib.suppress(TimeoutError):
            while len(called) < 3:
                called.append(silent.accept()[0])
    conf.use(conf.load({}))
    for one in called:
        one.close()
    assert len(called) == 1


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
