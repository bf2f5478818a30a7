"""What arrives is stored first, read once, and given to the receiver once, whatever it is."""

import dataclasses
import datetime as dt
import threading
from importlib import import_module
from types import SimpleNamespace

import pytest
import time_machine
from django.apps import apps
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from daytwo_server import mail
from daytwo_server.core import blobs, clock, conf, jobs, preferences
from daytwo_server.core.models import Blob, Fact, Topic
from daytwo_server.mail import intake, selectors, services, threads
from daytwo_server.mail.letter import Envelope, Hit, Letter, Outcome
from daytwo_server.mail.models import Delivery, InboundMail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inbound")]


class Room:
    """Stands for the room that receives mail: keeps what it was given, and writes a row so that rollback is seen."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fault: Exception | None = None

    def __call__(self, letter: Letter, inbound: InboundMail) -> Outcome:
        Topic.objects.update_or_create(name=f"ticket.{inbound.pk}", defaults={"version": inbound.pk})
        if self.fault:
            raise self.fault
        self.letters.append(letter)
        appended = any(hit.by != "subject" for hit in letter.hits)
        return Outcome("appended" if appended else "created", "ticket:7", f"ticket_message:{len(self.letters)}")


@pytest.fixture
def room():
    before = mail.receiver()
    found = Room()
    mail.receive(found)
    yield found
    mail._receivers[:] = [before] if before else []


def raw(
    text: str = "Hello", *, sender: str = "Dana <dana@shop.test>", message_id: str = "<m1@shop.test>", **headers: str
) -> bytes:
    given = {"From": sender, "To": "support@acme.test", "Subject": "Help", "Message-ID": message_id} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return ("".join(f"{name}: {value}\r\n" for name, value in given.items() if value) + f"\r\n{text}\r\n").encode()


def arrives(*args, envelope: Envelope | None = None, **given) -> Outcome:
    return intake.accept(raw(*args, **given), envelope or Envelope())


def test_a_mail_is_kept_as_it_came_and_told_to_the_receiver(room):
    outcome = arrives(envelope=Envelope("dana@shop.test", ("support@acme.test",), "smtp", "192.0.2.1"))

    assert outcome == Outcome("created", "ticket:7", "ticket_message:1")
    [letter] = room.letters
    assert (letter.text, letter.hits) == ("Hello", ())
    kept = InboundMail.objects.get()
    assert intake.raw_of(kept) == raw()
    assert intake.envelope_of(kept) == Envelope("dana@shop.test", ("support@acme.test",), "smtp", "192.0.2.1")
    assert (kept.state, kept.result, kept.thread, kept.message) == ("done", "created", "ticket:7", "ticket_message:1")
    assert (kept.sender, kept.subject, kept.message_id) == ("dana@shop.test", "Help", "<m1@shop.test>")


def test_the_same_mail_twice_is_one(room):
    arrives()
    second = arrives("and a list has added something", Received="from elsewhere")

    assert (second.result, second.thread, second.message) == ("duplicate", "ticket:7", "ticket_message:1")
    assert len(room.letters) == 1
    assert InboundMail.objects.count() == 2


def test_without_an_id_the_content_decides(room):
    results = [arrives(text, message_id="").result for text in ("one", "one", "two")]
    assert results == ["created", "duplicate", "created"]


def test_what_leads_to_a_thread_is_told_surest_first(room):
    services.queue(to="dana@shop.test", subject="s", text="t", about="ticket_message:88", message_id="<d9@acme.test>")
    arrives(message_id="<old@shop.test>")
    token, own = threads.address(7, 12, agent=False), threads.message_id(8, 3)
    mark = threads.marker(threads.address(10, 14, agent=False))
    arrives(
        f"Hi\n> {mark}", message_id="<new@shop.test>", Subject="Re: Help [#11]", To=f"Acme <{token}>", In_Reply_To="<d9@acme.test>",
        References=f"{own} <old@shop.test> <unknown@x.test>", envelope=Envelope("dana@shop.test", ("support@acme.test",)),
    )  # fmt: skip

    assert room.letters[1].hits == (
        Hit("token", thread=7, party=12),
        Hit("own_id", thread=8, message=3),
        Hit("stored_id", ref="ticket_message:88"),
        Hit("stored_id", ref="ticket:7"),
        Hit("marker", thread=10, party=14),
        Hit("subject", thread=11),
    )


def test_the_address_of_the_envelope_is_believed_before_that_of_a_header(room):
    rcpt, header = threads.address(1, 1, agent=True), threads.address(2, 2, agent=False)
    arrives(Delivered_To=header, envelope=Envelope("x@y.test", (rcpt,)))
    assert room.letters[0].hits == (Hit("token", 1, 1, agent=True), Hit("token", 2, 2))


def test_a_mail_that_only_names_references_leads_to_its_thread(room):
    arrives(message_id="<root@shop.test>")
    arrives(message_id="<next@shop.test>", References="<root@shop.test>")
    assert room.letters[1].hits == (Hit("stored_id", ref="ticket:7"),)


@pytest.mark.parametrize(
    ("told", "answered", "leads"),
    [
        ("0100018c2f-7a1b-4e55", "<0100018c2f-7a1b-4e55@eu-west-1.amazonses.com>", True),  # Amazon tells its beginning
        ("<20260504.1.AB@mg.acme.test>", "<20260504.1.AB@mg.acme.test>", True),  # Mailgun all of it
        ("20260504.1.AB@mg.acme.test", "<20260504.1.AB@mg.acme.test>", True),
        ("1042", "<1042@shop.test>", False),  # Postal counts, and so may the program of a customer
    ],
)
def test_an_answer_to_the_id_that_a_provider_put_in_place_of_ours_leads_to_its_thread(room, told, answered, leads):
    mailed = services.queue(to="dana@shop.test", subject="s", text="t", about="ticket_message:88")
    Delivery.objects.filter(pk=mailed.pk).update(provider_id=told)
    services.queue(to="eve@shop.test", subject="s", text="t", about="ticket_message:89")  # by no provider
    arrives(message_id="<new@shop.test>", In_Reply_To=answered)
    assert room.letters[0].hits == ((Hit("stored_id", ref="ticket_message:88"),) if leads else ())


def test_what_a_provider_calls_a_mail_is_found_by_its_index(room):
    with CaptureQueriesContext(connection) as asked:
        arrives(message_id="<new@shop.test>", In_Reply_To="<0100018c2f-7a1b-4e55@eu-west-1.amazonses.com>")
    [query] = [each["sql"] for each in asked if '"provider_id" IN' in each["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # of an empty table it would read all
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
        plan = str(cursor.fetchall())
    assert "mail_delivery_provider_id" in plan


@pytest.mark.parametrize("length", [200, 256, 400, 975])
def test_an_answer_to_a_mail_with_a_very_long_id_leads_to_its_thread(room, length):
    root = f"<{'r' * length}@shop.test>"
    arrives(message_id=root)
    arrives(message_id="<next@shop.test>", In_Reply_To=root)
    arrives(message_id="<third@shop.test>", References=f"<other@shop.test> {root} <{'x' * 5000}@shop.test>")
    assert [letter.hits for letter in room.letters[1:]] == [(Hit("stored_id", ref="ticket:7"),)] * 2


def test_mails_whose_ids_are_longer_than_a_line_can_be_are_told_apart_by_what_they_say(room):
    ids = [f"<{'x' * 2000}{number}@shop.test>" for number in (1, 2, 1)]
    results = [arrives(f"Question {number[-12]}", message_id=number).result for number in ids]
    assert results == ["created", "created", "duplicate"]
    assert room.letters[0].message_id == ""
    assert arrives("Re", message_id="<re@shop.test>", In_Reply_To=ids[0], References=ids[1]).result == "created"
    assert room.letters[-1].hits == ()


def test_our_own_mail_goes_nowhere(room):
    assert arrives(X_Daytwo_Instance=threads.instance()).result == "own"
    assert room.letters == []


def test_a_fault_of_the_receiver_undoes_what_it_wrote_and_keeps_the_mail(room):
    room.fault = ValueError("no such thing as Dana's token=secret123")
    outcome = arrives()

    assert (outcome.result, room.letters) == ("quarantined", [])
    assert "secret123" not in outcome.reason
    assert not Topic.objects.filter(name__startswith="ticket.").exists()
    [kept] = selectors.inbound_in("quarantined").rows
    assert (kept.sender, kept.subject, kept.key) == ("dana@shop.test", "Help", None)

    room.fault = None
    assert services.replay(kept).result == "created"
    assert services.replay(InboundMail.objects.get(pk=kept.pk)).result == "created"
    assert len(room.letters) == 1
    assert selectors.inbound_in("quarantined").rows == []


def test_a_mail_that_cannot_be_read_is_kept(room, monkeypatch):
    def broken(*_args):
        raise RecursionError("too deep")

    monkeypatch.setattr(intake, "read", broken)
    assert arrives() == Outcome("quarantined", reason="RecursionError: too deep")
    assert intake.raw_of(InboundMail.objects.get()) == raw()


def test_without_a_receiver_mail_waits_in_quarantine():
    before, mail._receivers[:] = mail._receivers[:], []
    try:
        assert arrives().result == "quarantined"
    finally:
        mail._receivers[:] = before


@pytest.mark.django_db(transaction=True)
def test_a_store_in_trouble_leaves_the_mail_for_the_job(room):
    room.fault = OperationalError("database is locked")
    room.fault.__cause__ = __import__("sqlite3").OperationalError("database is locked")
    room.fault.__cause__.sqlite_errorcode = 5
    with pytest.raises(OperationalError):
        arrives()
    assert InboundMail.objects.get().state == "received"

    room.fault = None
    assert not intake.process_waiting(for_s=5)
    assert InboundMail.objects.get().result == "created"


def test_mails_that_wait_are_read_in_their_order(room):
    intake.store([(raw(f"text {n}", message_id=f"<{n}@x>", sender=f"p{n}@x.test"), Envelope()) for n in range(120)])
    jobs.enqueue("mail.read")
    jobs.run_due_jobs(tick=False)
    assert [letter.text for letter in room.letters] == [f"text {n}" for n in range(120)]


def test_a_mail_that_kills_its_reader_is_given_up_and_its_neighbours_are_not(room, monkeypatch):
    intake.store(
        [(raw(n, message_id=f"<{n}@x>", sender=f"{n}@x.test"), Envelope()) for n in ("a", "b", "killer", "c", "d")]
    )
    genuine = intake.read

    class Killed(BaseException):
        pass

    def read(data, envelope):
        if b"killer" in data:
            raise Killed
        return genuine(data, envelope)

    monkeypatch.setattr(intake, "read", read)
    for _ in range(3):
        with pytest.raises(Killed):
            intake.process_waiting(for_s=5)
    intake.process_waiting(for_s=5)

    assert [letter.text for letter in room.letters] == ["a", "b", "c", "d"]
    [given_up] = selectors.inbound_in("quarantined").rows
    assert given_up.reason == "The process ended while it was read, 3 times."


def test_a_fault_in_one_of_several_mails_takes_none_of_the_others_along(room):
    genuine = room.__call__

    def receiver(letter, inbound):
        outcome = genuine(letter, inbound)
        if letter.text == "b":
            raise ValueError("no")
        return outcome

    mail.receive(receiver)
    names = ("a", "b", "c", "c")
    intake.store([(raw(n, message_id=f"<{n}@x>", sender=f"{n}@x.test"), Envelope()) for n in names])
    assert not intake.process_waiting(for_s=5)

    assert list(InboundMail.objects.order_by("pk").values_list("result", flat=True)) == [
        "created", "quarantined", "created", "duplicate",
    ]  # fmt: skip
    assert Topic.objects.filter(name__startswith="ticket.").count() == 2  # what b wrote is undone


def test_large_mails_are_read_one_by_one_and_small_ones_together(room, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_BYTES", 5000)
    big = "x" * 4000
    for text in ("a", big, f"{big}y", "b", "c"):
        intake.store([(raw(text, message_id=f"<{len(text)}{text[-1]}@x>", sender=f"{text[-1]}@x.test"), Envelope())])
    batches = []
    genuine = intake._conclude
    monkeypatch.setattr(intake, "_conclude", lambda readings: batches.append(len(readings)) or genuine(readings))
    intake.process_waiting(for_s=5)
    assert batches == [2, 3]
    assert [letter.text for letter in room.letters] == ["a", big, f"{big}y", "b", "c"]


def test_one_sender_may_write_sixty_times_an_hour(room):
    with time_machine.travel(dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC), tick=False) as now:
        for number in range(60):
            arrives(f"text {number}", message_id=f"<{number}@x>")
        held = arrives("one more", message_id="<more@x>")
        assert held == Outcome("held", reason="More than 60 mails came from this sender within an hour.")
        assert arrives("somebody else", sender="bob@x.test", message_id="<bob@x>").result == "created"
        agent = arrives("an agent", message_id="<agent@x>", To=threads.address(1, 2, agent=True))
        assert agent.result == "appended"
        assert services.replay(InboundMail.objects.get(result="held")).result == "created"
        now.shift(dt.timedelta(hours=1, seconds=1))
        assert arrives("later", message_id="<later@x>").result == "created"


def test_how_often_one_sender_may_write_can_be_set(room, monkeypatch):
    monkeypatch.setattr(preferences, "current", lambda: dataclasses.replace(conf.current(), mail_per_sender=1))
    assert [arrives(str(n), message_id=f"<{n}@x>").result for n in range(2)] == ["created", "held"]


def test_the_same_words_a_third_time_are_taken_for_a_machine(room):
    for number in range(3):
        arrives("I am away until Monday.", message_id=f"<{number}@x>")
    assert [letter.kind for letter in room.letters] == ["human", "human", "automatic"]


BOUNCE = """MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.test

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: message/rfc822

Message-ID: {id}
Subject: Re: Login
X-Daytwo-Instance: {instance}

Hello
--b--
"""


def bounce(
    delivery: Delivery, *, action: str = "failed", status: str = "5.1.1", to: str = "support@acme.test"
) -> bytes:
    body = BOUNCE.format(
        to=delivery.to, id=delivery.message_id, action=action, status=status, instance=threads.instance()
    )
    head = f"From: Mail Delivery <MAILER-DAEMON@mx.shop.test>\nTo: {to}\nSubject: Undelivered\nMessage-ID: <{action}b@mx>\n"
    return (head + body).replace("\n", "\r\n").encode()


@pytest.fixture
def sent(configured) -> Delivery:
    delivery = services.queue(to="dana@shop.test", subject="Re: Login", text="Hello", about="ticket_message:3")
    Delivery.objects.update(state="sent", problem="")
    return delivery


NULL = Envelope("<>", ("support@acme.test",), "smtp")


def test_a_bounce_is_noted_at_the_mail_that_came_back_and_answered_by_nobody(room, sent):
    outcome = intake.accept(bounce(sent), NULL)

    assert (outcome.result, outcome.reason, room.letters) == ("bounced", "smtp; 550 5.1.1 no such user", [])
    sent.refresh_from_db()
    assert (sent.state, sent.problem) == ("bounced", "smtp; 550 5.1.1 no such user")
    assert list(Fact.objects.values_list("name", "data")) == [
        ("MailBounced", f'{{"delivery":{sent.pk},"about":"ticket_message:3"}}')
    ]
    assert intake.accept(bounce(sent), NULL).result == "duplicate"
    assert Fact.objects.count() == 1


def test_a_bounce_without_the_mail_is_known_by_the_address_it_came_to(room, sent):
    to = threads.bounce_address(sent.pk)
    text = "This is the mail system. I could not deliver your message."
    assert arrives(text, sender="MAILER-DAEMON", To=to, envelope=Envelope("<>", (to,))).result == "bounced"
    sent.refresh_from_db()
    assert sent.state == "bounced"


def test_of_a_message_with_two_recipients_the_one_that_failed_has_bounced(room, sent):
    other = services.queue(to="eve@shop.test", subject="s", text="t", message_id=sent.message_id)
    Delivery.objects.update(state="sent", problem="")
    intake.accept(bounce(other), NULL)
    assert dict(Delivery.objects.values_list("to", "state")) == {"dana@shop.test": "sent", "eve@shop.test": "bounced"}


def test_a_notice_of_delay_is_no_bounce(room, sent):
    assert intake.accept(bounce(sent, action="delayed", status="4.4.1"), NULL).result == "automatic"
    sent.refresh_from_db()
    assert (sent.state, room.letters) == ("sent", [])


def test_a_bounce_of_a_mail_that_is_not_ours_tells_nobody(room, sent):
    stranger = Delivery(to="x@y.test", message_id="<not@ours>")
    assert intake.accept(bounce(stranger), NULL).result == "bounced"
    assert (room.letters, Fact.objects.count()) == ([], 0)


def test_an_absence_note_to_the_address_for_bounces_is_no_bounce(room, sent):
    to = threads.bounce_address(sent.pk)
    arrives("I am away", To=to, Auto_Submitted="auto-replied", envelope=Envelope("<>", (to,)))
    [letter] = room.letters
    assert (letter.kind, letter.hits) == ("automatic", (Hit("stored_id", ref="ticket_message:3"),))
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_a_person_who_is_called_postmaster_is_heard(room):
    arrives("Can you help?", sender="postmaster@small.test")
    assert [(letter.kind, letter.text) for letter in room.letters] == [("automatic", "Can you help?")]


def test_a_mail_above_the_limit_is_cut_and_says_so(room, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 3000)
    arrives("x" * 5000)
    [letter] = room.letters
    assert letter.notices[0].startswith("The mail has 0 MB; what comes after the first 0 MB was left out.")
    assert 2000 < len(letter.text) < 3000


def test_forgetting_somebody_leaves_no_byte_of_their_mail(room, sent):
    arrives("secret words")
    arrives("of others", sender="bob@x.test", message_id="<bob@x>")
    Delivery.objects.create(to="bob@x.test", subject="", text="", message_id="<z@z>", lane="")

    assert services.forget(addresses=["Dana@shop.test"]) == 2

    assert InboundMail.objects.get().sender == "bob@x.test"
    assert Delivery.objects.get().to == "bob@x.test"
    assert Blob.objects.count() == 1
    assert b"of others" in intake.raw_of(InboundMail.objects.get())
    assert services.forget(refs=["ticket:7"]) == 1
    assert Blob.objects.count() == 0


def test_mail_that_could_not_be_read_is_shown_to_and_forgotten_with_who_sent_it(room, monkeypatch):
    def broken(*_args):
        raise RecursionError("too deep")

    monkeypatch.setattr(intake, "read", broken)
    arrives(envelope=Envelope("Dana@Shop.test"))
    arrives(envelope=Envelope("bob@shop.test"))

    assert [intake.raw_of(one) for one in selectors.kept_apart("dana@shop.test")] == [raw()]
    assert services.forget(addresses=["dana@shop.test"]) == 1
    assert InboundMail.objects.get().envelope_sender == "bob@shop.test"


def test_what_an_earlier_version_kept_of_senders_is_found_as_well():
    for sender in ("Dana@Shop.test", "bob@shop.test", "<>"):
        InboundMail.objects.create(size=1, content_hash="", envelope_sender=sender)
    migration = import_module("daytwo_server.mail.migrations.0004_senders_in_lower_case")
    migration.lower(apps, SimpleNamespace(connection=connections["default"]))
    assert set(InboundMail.objects.values_list("envelope_sender", flat=True)) == {
        "dana@shop.test", "bob@shop.test", "<>",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_copies_at_once_are_one(room):
    stored = intake.store([(raw(), Envelope()), (raw(), Envelope()), (raw(), Envelope())])
    outcomes = []

    def work(inbound: int) -> None:
        from django.db import connections

        outcomes.append(intake.process(inbound).result)
        connections.close_all()

    # Also the same row by two workers: the second tells what the first has done.
    workers = [threading.Thread(target=work, args=[inbound]) for inbound in [*stored, *stored]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(outcomes) == ["created"] * 2 + ["duplicate"] * 4
    assert Topic.objects.filter(name__startswith="ticket.").count() == 1  # what the room wrote


def test_storing_is_one_transaction(monkeypatch):
    with transaction.atomic():
        intake.store([(raw(), Envelope())])
        transaction.set_rollback(True)
    assert (InboundMail.objects.count(), Blob.objects.count()) == (0, 0)
    with pytest.raises(blobs.BlobGone):
        intake.raw_of(InboundMail(raw=None))
    assert clock.now()


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])
def test_mails_that_meet_a_ticket_somebody_holds_are_taken_one_by_one(room):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: nobody holds anything meanwhile")
    Topic.objects.create(name="held", version=1)
    tried, holds, over = [], threading.Event(), threading.Event()

    def receive(letter, inbound):
        tried.append(inbound.pk)
        if letter.subject == "Held":
            Topic.objects.filter(name="held").update(version=inbound.pk)
        return room(letter, inbound)

    mail._receivers[:] = [receive]

    def hold():
        with transaction.atomic():
            Topic.objects.select_for_update().get(name="held")
            holds.set()
            over.wait(10)
        connections.close_all()

    other = threading.Thread(target=hold)
    other.start()
    holds.wait(10)
    threading.Timer(0.4, over.set).start()
    intake.store(
        [(raw(message_id=f"<{n}@shop.test>", Subject="Held" if n == 2 else "Help"), Envelope()) for n in range(4)]
    )
    assert not intake.process_waiting(for_s=5)
    other.join()
    assert [row.result for row in InboundMail.objects.order_by("pk")] == ["created"] * 4
    first = InboundMail.objects.order_by("pk").first().pk
    assert tried == [first, first + 1, first + 2, first, first + 1, first + 2, first + 3]
