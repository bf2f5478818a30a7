"""Mail from a mailbox, against a small server that speaks as much IMAP as is needed and checks what it is asked."""

import re
import socketserver
import threading

import pytest
from rooms.mail.test_intake import Room, raw, room  # noqa: F401 - the fixture

from daytwo_server.core import conf
from daytwo_server.mail import mailbox
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
        self.hangs_up_after = 1000

    def put(self, mail: bytes, *, seen: bool = False) -> None:
        self.mails[self.next_uid] = (mail, seen)
        self.next_uid += 1


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

    def _answer(self, command: str) -> None:
        box = self.server
        if command == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1")
        elif command.startswith("LOGIN"):
            if command != f'LOGIN help@acme.test "{box.password}"':
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
