"""Mail from a mailbox (IMAP). It is only looked at: what was read, and by whom, stays as it is."""

from __future__ import annotations

import contextlib
import hashlib
import imaplib
import logging
import re
import ssl
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from daytwo_server.core import conf
from daytwo_server.mail import intake, oauth
from daytwo_server.mail.letter import Envelope
from daytwo_server.mail.models import Mailbox

log = logging.getLogger(__name__)

PATIENCE_S = 30
TURN_S = 40.0  # of the minute until it is polled again


class MailboxTrouble(Exception):
    """The mailbox cannot be read now; the words are its server's."""


def poll() -> None:
    """Take what came since the last time; at first what nobody has read, and what comes from then on.

    Each mail is stored before the next is asked for, and what is taken twice after a kill is a duplicate. A mailbox
    that cannot be read is logged and tried again in a minute.
    """
    try:
        with opened() as (client, name):
            _take(client, name, until=time.monotonic() + TURN_S)
    except (OSError, imaplib.IMAP4.error, MailboxTrouble, oauth.NoToken) as problem:
        log.error("The mailbox of DAYTWO_IMAP_URL cannot be read: %s", problem)


@contextlib.contextmanager
def opened() -> Iterator[tuple[imaplib.IMAP4, str]]:
    """A connection to the mailbox, signed in and looking at its folder, and the name that `Mailbox` has for it."""
    parts = urllib.parse.urlsplit(conf.current().imap_url)
    folder = urllib.parse.unquote(parts.path.strip("/")) or "INBOX"
    host, user = parts.hostname or "", urllib.parse.unquote(parts.username or "")
    if parts.scheme == "imaps":
        context = ssl.create_default_context()  # without one, no certificate is looked at
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=context, timeout=PATIENCE_S)
    else:
        client = imaplib.IMAP4(host, parts.port or 143, timeout=PATIENCE_S)
    try:
        _sign_in(client, user, urllib.parse.unquote(parts.password or ""))
        quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
        _fine(client.select(f'"{quoted}"', readonly=True))
        yield client, hashlib.sha256(f"{host} {user} {folder}".encode()).hexdigest()
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.logout()
        with contextlib.suppress(OSError):  # a connection that broke is not closed by that
            client.shutdown()


def _sign_in(client: imaplib.IMAP4, user: str, password: str) -> None:
    setting = conf.current().imap_oauth
    if not setting:
        client.login(user, password)
        return
    said = oauth.for_imap(user, oauth.access_token(setting))
    try:
        # A refusal comes as a second challenge, which wants an empty answer.
        client.authenticate("XOAUTH2", lambda challenge: b"" if challenge else said)
    except imaplib.IMAP4.error:
        oauth.forget(setting)
        raise


def _take(client: imaplib.IMAP4, name: str, *, until: float) -> None:
    validity = _number(client, "UIDVALIDITY")
    known = Mailbox.objects.filter(name=name, uid_validity=validity).first()
    last = known.last_uid if known else 0
    for uid in _new(client, known):
        intake.accept(_raw(client, uid), Envelope(route="imap"))
        last = max(last, uid)
        if known:
            Mailbox.objects.filter(name=name).update(last_uid=last)
        elif time.monotonic() > until:
            return  # from the beginning again: where to go on is not known before all of it was taken
        if time.monotonic() > until:
            return
    if not known:
        last = max(last, _number(client, "UIDNEXT") - 1)
        Mailbox.objects.update_or_create(name=name, defaults={"uid_validity": validity, "last_uid": last})


def _new(client: imaplib.IMAP4, known: Mailbox | None) -> list[int]:
    criterion = f"UID {known.last_uid + 1}:*" if known else "UNSEEN"
    [found] = _fine(client.uid("SEARCH", criterion))
    uids = sorted(map(int, found.split() if isinstance(found, bytes) else ()))
    # `n:*` names the newest mail even when it is older than n.
    return [uid for uid in uids if known is None or uid > known.last_uid]


def _raw(client: imaplib.IMAP4, uid: int) -> bytes:
    for part in _fine(client.uid("FETCH", str(uid), "(BODY.PEEK[])")):
        if isinstance(part, tuple):
            return bytes(part[1])
    raise MailboxTrouble(f"It gave no mail for its number {uid}.")


def _number(client: imaplib.IMAP4, name: str) -> int:
    _, found = client.response(name)
    if not found or not isinstance(found[0], bytes) or not re.fullmatch(rb"\d+", found[0]):
        raise MailboxTrouble(f"It does not tell its {name}.")
    return int(found[0])


def _fine(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of an answer: bytes, a pair of them, or None where there is nothing."""
    status, data = answer
    if status != "OK":
        raise MailboxTrouble(f"It answered {status} {data[0]!r}.")
    return data
