import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from daytwo_server.core import conf as configuration

if TYPE_CHECKING:
    from daytwo_server.mail.letter import Envelope

TEMPORARY = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and tries again


def run(_parsed: argparse.Namespace) -> int:
    """`daytwo mail-pipe`: take one mail from stdin, as mail servers give it to a program."""
    folder = configuration.current().data_dir
    if not folder.is_dir():
        print(f"The data directory {folder} does not exist. Is it the right one?", file=sys.stderr)
        return TEMPORARY
    try:
        print(json.dumps(_taken()))
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it is, the mail must not be returned to its sender
        print(f"The mail could not be stored: {problem}", file=sys.stderr)
        return TEMPORARY
    return 0


def _taken() -> dict[str, str]:
    """Store the mail and read it. What happens after it is stored raises nothing."""
    from daytwo_server.main.cli.start import start_django

    start_django(log_to=sys.stderr)
    from django.db import DatabaseError, InterfaceError

    from daytwo_server.mail import intake
    from daytwo_server.mail.letter import Outcome, Result
    from daytwo_server.tickets.selectors.tickets import called

    raw = sys.stdin.buffer.read(intake.MAX_BYTES + 1)
    while sys.stdin.buffer.read(1024 * 1024):
        pass  # a mail server takes a closed pipe for a fault
    [inbound] = intake.store([(raw, _envelope())])
    ticket = message = ""
    try:
        outcome = intake.process(inbound)
        ticket, message = called(outcome.thread, outcome.message)
    except (DatabaseError, InterfaceError):
        outcome = Outcome(Result.QUARANTINED, reason="It is stored and is read when the database can be used again.")
    return {"result": outcome.result, "ticket": ticket, "message": message, "reason": outcome.reason}


def _envelope() -> "Envelope":
    """As Postfix and Exim tell it to programs; others put it into headers, which are read anyway."""
    from daytwo_server.mail.letter import Envelope

    sender = os.environ.get("SENDER")
    recipients = (os.environ.get("ORIGINAL_RECIPIENT", ""), os.environ.get("RECIPIENT", ""))
    null = sender is not None and sender.strip("<> ").upper() in {"", "MAILER-DAEMON"}
    return Envelope("<>" if null else sender or "", tuple(filter(None, recipients)), "pipe")
