"""A mail server on a socket (aiosmtpd) that takes everything, or refuses what a test says, and shows what it took."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller

from daytwo_server.core import conf


@dataclass
class Taken:
    sender: str
    recipient: str
    mail: EmailMessage


@dataclass
class Sink:
    """Takes everything, unless `refuse` says for a recipient what it answers to RCPT or, as "DATA ...", to the mail."""

    port: int
    taken: list[Taken] = field(default_factory=list)
    refuse: Callable[[str], str] = lambda _recipient: ""
    before_answer: Callable[[], None] = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd\'s name
        answer = self.refuse(address)
        if answer and not answer.startswith("DATA "):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd\'s name
        [recipient] = envelope.rcpt_tos
        if answer := self.refuse(recipient).removeprefix("DATA "):
            return answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken.append(Taken(envelope.mail_from, recipient, mail))
        self.before_answer()
        return "250 ok"

    def subjects(self) -> list[str]:
        return [str(taken.mail["subject"]) for taken in self.taken]


def start(sink: Sink) -> Controller:
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, data_size_limit=40_000_000)
    controller.start()
    return controller


def use_server(settings, port: int, **more: str) -> None:
    """As if the environment had named this mail server at start."""
    values = {
        "DAYTWO_MAIL_URL": f"smtp://127.0.0.1:{port}", "DAYTWO_MAIL_FROM": "Acme Support <help@acme.test>",
        "DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_URL": "http://testserver",
    }  # fmt: skip
    conf.use(conf.load(values | more))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
