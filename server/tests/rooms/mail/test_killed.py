"""kill -9 at every place that matters: nothing is lost, nothing is sent twice."""

import contextlib
import os
import smtplib
import subprocess
import sys

import pytest
import time_machine
from django.db import connections
from installation import free_port
from rooms.mail import killed_mail
from rooms.mail.test_intake import Room, raw, room  # noqa: F401 - the fixture

from daytwo_server.core import clock, jobs
from daytwo_server.mail import intake, services
from daytwo_server.mail.models import Delivery, InboundMail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("inbound")]


def environment(**more: str) -> dict[str, str]:
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        url = f"sqlite://{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    mail = {"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_MAIL_FROM": "Acme Support <help@acme.test>"}
    return {**os.environ, "DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path), **mail, **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, killed_mail.__file__, *arguments]


@contextlib.contextmanager
def listening(where: str, port: int):
    with subprocess.Popen(command(where, str(port)), env=environment(), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"listening\n"
            yield process
        finally:
            process.kill()


def post(port: int, mail: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("dana@shop.test", ["support@acme.test"], mail)


def test_killed_between_storing_and_answering_the_mail_is_there_once(room: Room):  # noqa: F811
    port = free_port()
    with listening("stored", port), pytest.raises(smtplib.SMTPServerDisconnected):
        post(port, raw())
    with listening("listen", port):
        post(port, raw())  # as a mail server does that got no answer

    assert InboundMail.objects.filter(state="received").count() == 2
    intake.process_waiting(for_s=10)

    assert [letter.text for letter in room.letters] == ["Hello"]
    assert sorted(InboundMail.objects.values_list("result", flat=True)) == ["created", "duplicate"]


def killed_sending(sink, where: str) -> Delivery:
    services.queue(to="dana@shop.test", subject="one", text="words\n" * 100, about="ticket_message:1")
    process = subprocess.run(
        command(where),
        env=environment(DAYTWO_MAIL_URL=f"smtp://127.0.0.1:{sink.port}"),
        timeout=30,
        capture_output=True,
    )
    assert process.returncode == -9, process.stderr.decode()
    left = Delivery.objects.get()
    assert left.state == "sending"
    return left


@pytest.mark.parametrize("where", ["claimed", "last"])
def test_killed_before_the_server_has_the_mail_it_is_sent_once_afterwards(sink, where):
    assert not killed_sending(sink, where).handed_over
    jobs.run_due_jobs(tick=False)
    assert sink.subjects() == []  # it may still be alive

    with time_machine.travel(clock.now().timestamp() + 61):
        jobs.run_due_jobs(tick=False)

    assert sink.subjects() == ["one"]
    assert Delivery.objects.get().state == "sent"


def test_killed_after_the_server_has_said_yes_it_is_not_sent_again(sink):
    assert killed_sending(sink, "sent").handed_over
    assert sink.subjects() == ["one"]

    with time_machine.travel(clock.now().timestamp() + 361):
        jobs.run_due_jobs(tick=False)

    delivery = Delivery.objects.get()
    assert (sink.subjects(), delivery.fate) == (["one"], "unconfirmed")
    assert "most likely arrived" in delivery.problem
    assert services.resend(delivery)  # which a person may decide


def test_a_worker_that_was_suspended_and_lost_its_claim_sends_nothing(sink):
    from daytwo_server.mail.sending import drain
    from daytwo_server.mail.sending.smtp import SmtpWay

    services.queue(to="dana@shop.test", subject="one", text="words")
    suspended = drain._claim()
    with time_machine.travel(clock.now().timestamp() + 61):
        jobs.run_due_jobs(tick=False)
        drain._send(SmtpWay(), suspended)

    assert sink.subjects() == ["one"]
    assert Delivery.objects.get().state == "sent"
