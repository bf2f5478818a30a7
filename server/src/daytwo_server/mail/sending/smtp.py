"""Handing mails to a mail server, over one connection, in steps small enough to know what the server may have."""

from __future__ import annotations

import contextlib
import re
import smtplib
from collections.abc import Callable

from django.core.mail.backends.smtp import EmailBackend

from daytwo_server.mail.models import Delivery
from daytwo_server.mail.sending import compose
from daytwo_server.mail.sending.problems import Refused, Unavailable

PATIENCE_S = 30
# RFC 5321 4.5.3.2.6 asks for ten minutes: whoever hangs up earlier, and tries again, is often the one who sends twice.
ANSWER_PATIENCE_S = 300
_LINE_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)
_LINE_END = re.compile(rb"\r\n|\r|\n")

Reply = tuple[int, bytes]


class SmtpWay:
    """The server of DAYTWO_MAIL_URL. The connection opens with the first mail."""

    def __init__(self) -> None:
        self._backend = EmailBackend(timeout=PATIENCE_S, fail_silently=False)
        self._sent = 0  # over this connection

    def send(self, delivery: Delivery, hand_over: Callable[[], None]) -> str:
        """Returns nothing but "" once the server has taken responsibility. `hand_over` is called just before it may.

        Raises `Refused` and `Unavailable`, and what `hand_over` raises; then the server has nothing.
        """
        content = _lines(compose.compose(delivery).message().as_bytes())
        handed_over = False

        def note() -> None:
            nonlocal handed_over
            hand_over()
            handed_over = True

        try:
            self._transact(delivery, content, note)
        except (OSError, smtplib.SMTPException) as problem:
            used = self._sent
            self._hang_up()
            if used and not handed_over:  # many servers hang up after so many mails, and take the next on a new line
                return self.send(delivery, hand_over)
            raise Unavailable(_words_of(problem)) from problem
        except Refused:
            self._forget()
            raise
        except BaseException:
            self._hang_up()  # without the final dot: what was sent so far is void
            raise
        self._sent += 1
        return ""

    def _transact(self, delivery: Delivery, content: bytes, hand_over: Callable[[], None]) -> None:
        smtp = self._connected()
        self._may_send(smtp.mail(compose.envelope_sender(delivery), _options(smtp, len(content))))
        _taken(smtp.rcpt(compose.envelope_recipient(delivery)), wanted=(250, 251, 252))
        _taken(smtp.docmd("DATA"), wanted=(354,))
        smtp.send(content)
        hand_over()
        if smtp.sock is not None:
            smtp.sock.settimeout(ANSWER_PATIENCE_S)
        smtp.send(b".\r\n")
        _taken(smtp.getreply(), wanted=(250,))
        if smtp.sock is not None:
            smtp.sock.settimeout(PATIENCE_S)

    def _connected(self) -> smtplib.SMTP:
        self._backend.open()
        smtp = self._backend.connection
        if smtp is None:
            raise smtplib.SMTPServerDisconnected("No connection could be opened.")
        smtp.ehlo_or_helo_if_needed()
        return smtp

    def _may_send(self, reply: Reply) -> None:
        """A sender that is refused is refused for every mail; only one that is too large is its own fault."""
        if reply[0] == 552:
            raise Refused(_words(reply), permanent=True)
        if reply[0] != 250:
            raise smtplib.SMTPResponseException(*reply)

    def _forget(self) -> None:
        smtp = self._backend.connection
        try:
            if smtp is not None:
                smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._hang_up()

    def _hang_up(self) -> None:
        """Without a word: in the middle of a mail the server takes QUIT for a line of it, and no answer comes."""
        if self._backend.connection is not None:
            self._backend.connection.close()
        self._backend.connection = None
        self._sent = 0

    def close(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._backend.close()
        self._backend.connection = None
        self._sent = 0


def _options(smtp: smtplib.SMTP, size: int) -> list[str]:
    options = [f"SIZE={size}"] if smtp.has_extn("size") else []
    return options + (["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else [])


def _taken(reply: Reply, *, wanted: tuple[int, ...]) -> None:
    if reply[0] in wanted:
        return
    if reply[0] in {421, 530}:  # it hangs up, or wants to know who we are
        raise smtplib.SMTPResponseException(*reply)
    raise Refused(_words(reply), permanent=reply[0] >= 500)


def _lines(content: bytes) -> bytes:
    """The mail as it goes over the wire, up to its final dot."""
    plain = _LINE_WITH_DOT.sub(b"..", _LINE_END.sub(b"\r\n", content))
    return plain if plain.endswith(b"\r\n") else plain + b"\r\n"


def _words(reply: Reply) -> str:
    return f"{reply[0]} {reply[1].decode('utf-8', 'replace')}".replace("\n", " ")[:500]


def _words_of(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        text = problem.smtp_error
        return _words((problem.smtp_code, text if isinstance(text, bytes) else str(text).encode()))
    return f"{type(problem).__name__}: {problem}"[:500]
