"""Mail from a mailbox at once (IMAP IDLE, RFC 2177), where its server tells of it.

Whoever watches takes nothing: it only has the mailbox polled, so what it misses comes within a minute all the same, and
several processes may watch.
"""

from __future__ import annotations

import imaplib
import logging
import re
import threading
import time

from django.db import Error, connections, transaction

from daytwo_server.core import conf, jobs
from daytwo_server.mail import mailbox
from daytwo_server.mail.jobs import poll
from daytwo_server.mail.oauth import NoToken

log = logging.getLogger(__name__)

RENEW_S = 540.0  # routers forget a connection on which nothing is said, and servers may after half an hour
AGAIN_S = 60.0
_TAG = b"W1"
_CAME = re.compile(rb"\* \d+ EXISTS\b", re.IGNORECASE)


def watch() -> threading.Thread:
    """Watch the mailbox of DAYTWO_IMAP_URL on a thread of its own, for as long as the process lives."""
    thread = threading.Thread(target=_watch, name="mailbox", daemon=True)
    thread.start()
    return thread


def _watch() -> None:
    while conf.current().imap_url:
        try:
            with mailbox.opened() as (client, _):
                if not _is_offered(client):
                    log.info("The mailbox of DAYTWO_IMAP_URL does not tell of new mail; it is read every minute.")
                    return
                try:
                    idle(client)
                except TimeoutError:
                    continue  # it was only quiet
        except (OSError, imaplib.IMAP4.error, mailbox.MailboxTrouble, NoToken, Error) as problem:
            log.debug("The mailbox is not watched for a minute: %s", problem)  # the poll says what is wrong
        time.sleep(AGAIN_S)


def _is_offered(client: imaplib.IMAP4) -> bool:
    """Asked after signing in: some servers tell of it only then."""
    return b"IDLE" in client.capability()[1][0].upper().split()


def idle(client: imaplib.IMAP4) -> None:
    """Have the mailbox polled whenever mail comes. Returns when the server ends it; raises TimeoutError when nothing
    was said for long, and what reading raises.
    """
    client.sock.settimeout(RENEW_S)
    client.send(_TAG + b" IDLE\r\n")
    while line := client.readline():
        if line.startswith(_TAG):
            return
        if _CAME.match(line):
            _poll_now()
    raise mailbox.MailboxTrouble("The server hung up.")


def _poll_now() -> None:
    try:
        with transaction.atomic():
            jobs.enqueue(poll, unique_key=jobs.periodic_key(poll))
    finally:
        connections.close_all()  # hours may pass until the next one
