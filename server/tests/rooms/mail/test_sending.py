"""What is queued reaches the mail server: once, in order, with the headers that mail programs need."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import transaction
from installation import free_port
from mail_sink import Sink, start, use_server

from daytwo_server.core import blobs, conf, jobs
from daytwo_server.core.models import Fact
from daytwo_server.mail import selectors, services, threads
from daytwo_server.mail.models import Delivery, Outage

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def work() -> None:
    """Run what is due, without the periodic jobs."""
    jobs.run_due_jobs(tick=False)


def queue(**given):
    return services.queue(
        **{"to": "dana@shop.test", "subject": "Re: Login [#7]", "text": "Hello Dana,\n\nfixed.\n"} | given
    )


def state(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def facts() -> list[tuple[str, str]]:
    return list(Fact.objects.order_by("pk").values_list("name", "data"))


def test_a_queued_mail_reaches_the_server_as_it_was_written(sink):
    delivery = queue(html="<p>Hello Dana</p>", about="ticket_message:3", from_name="Bob from Acme")

    work()

    [taken] = sink.taken
    assert (taken.recipient, taken.mail["to"], taken.mail["from"]) == (
        "dana@shop.test", "dana@shop.test", "Bob from Acme <help@acme.test>",
    )  # fmt: skip
    assert taken.mail["subject"] == "Re: Login [#7]"
    assert taken.mail.get_body(("plain",)).get_content().split() == ["Hello", "Dana,", "fixed."]
    assert taken.mail.get_body(("html",)).get_content().strip() == "<p>Hello Dana</p>"
    assert state(delivery) == "sent"
    assert facts() == [("MailSent", f'{{"delivery":{delivery.pk},"about":"ticket_message:3"}}')]


def test_ids_as_long_as_a_line_are_sent_whole_and_on_lines_that_servers_take(sink):
    long = [f"<{letter * 975}@shop.test>" for letter in "ab"]
    queue(in_reply_to=long[1], references=long)
    work()
    [taken] = sink.taken  # it refuses longer lines, as RFC 5321 allows
    assert taken.mail["in-reply-to"].strip() == long[1]
    assert taken.mail["references"].split() == long


def test_a_message_of_a_person_only_asks_absence_notes_to_keep_quiet(sink):
    queue(
        message_id=threads.message_id(7, 3), in_reply_to="<q@shop.test>", references=["<a@shop.test>", "<q@shop.test>"]
    )

    work()

    mail = sink.taken[0].mail
    assert mail["message-id"].startswith("<t.7.3.")
    assert (mail["in-reply-to"], mail["references"]) == ("<q@shop.test>", "<a@shop.test> <q@shop.test>")
    assert (mail["auto-submitted"], mail["x-auto-response-suppress"]) == (None, "OOF, AutoReply")
    assert mail["x-daytwo-instance"] == threads.instance()


def test_what_no_person_wrote_says_so_to_every_answering_machine(sink):
    queue(automatic=True)

    work()

    mail = sink.taken[0].mail
    assert (mail["auto-submitted"], mail["x-auto-response-suppress"]) == ("auto-generated", "All")


def test_the_address_for_answers_is_signed_and_marked_in_the_text_as_well(sink):
    address = threads.address(7, 12, agent=False)
    queue(reply_to=address, html="<p>Hi</p>")

    work()

    mail = sink.taken[0].mail
    assert threads.read(mail["reply-to"]) == threads.Thread(7, 12, agent=False)
    for part in ("plain", "html"):
        assert threads.read_markers(mail.get_body((part,)).get_content()) == [threads.Thread(7, 12, agent=False)]


def test_a_mark_that_its_writer_has_placed_is_not_added_again(sink):
    address = threads.address(7, 12, agent=False)
    queue(reply_to=address, text=f"Hi\n-- \n{threads.marker(address)}\n")

    work()

    assert sink.taken[0].mail.get_content().count("ref:") == 1


def test_a_bounce_comes_back_to_us_with_the_name_of_its_delivery(sink):
    delivery = queue()

    work()

    assert threads.read_bounce(sink.taken[0].sender) == delivery.pk


def test_mail_from_another_domain_than_ours_has_its_plain_sender(settings, sink):
    use_server(settings, sink.port, DAYTWO_MAIL_FROM="Acme <hello@acme-mail.test>")
    queue()

    work()

    assert sink.taken[0].sender == "hello@acme-mail.test"


def test_a_long_thread_keeps_its_root_and_its_last_ten_references(sink):
    queue(references=[f"<{number}.{'x' * 60}@shop.test>" for number in range(30)])

    work()

    numbers = [int(ref[1:].partition(".")[0]) for ref in sink.taken[0].mail["references"].split()]
    assert numbers == [0, *range(20, 30)]


def test_attachments_arrive_byte_for_byte(sink):
    data = bytes(range(256)) * 3000
    odd = blobs.put(b"<script>"), blobs.put(data)
    queue(attachments=[("a\r\nb.html", "no type", odd[0].pk), ("Grüße.bin", "application/x-thing", odd[1].pk)])

    work()

    parts = list(sink.taken[0].mail.iter_attachments())
    assert [(part.get_filename(), part.get_content_type(), part.get_content()) for part in parts] == [
        ("a b.html", "application/octet-stream", b"<script>"), ("Grüße.bin", "application/x-thing", data),
    ]  # fmt: skip


def test_line_breaks_in_what_becomes_a_header_begin_no_header(sink):
    queue(
        subject="Hi\r\nBcc: victim@shop.test\x00", from_name="Bob\nX-Evil: 1", in_reply_to="<a@b>\r\nX-Evil: 2",
        references=["<a@b>\nX-Evil: 3"], reply_to="a@b.test\nX-Evil: 4", message_id="<m@x>\nX-Evil: 5",
    )  # fmt: skip

    work()

    mail = sink.taken[0].mail
    assert (mail["bcc"], mail["x-evil"], sink.taken[0].recipient) == (None, None, "dana@shop.test")
    assert mail["subject"] == "Hi Bcc: victim@shop.test"


@pytest.mark.parametrize(
    "to", ["", "dana", "a@b\r\nRCPT TO:<x@y>", "a@b,c@d", "Dana <a@b>", "a b@c", "x" * 320 + "@y.z"]
)
def test_what_is_no_address_is_refused_before_anything_is_written(to, configured):
    with pytest.raises(services.BadAddress):
        queue(to=to)
    assert Delivery.objects.count() == 0


def test_a_line_that_is_one_dot_ends_no_mail(sink):
    queue(text="above\n.\n..two\nbelow\n")

    work()

    assert sink.taken[0].mail.get_content().splitlines() == ["above", ".", "..two", "below"]


def test_any_script_and_very_long_lines_arrive(sink):
    text = "Grüße 你好 🎉\n" + "ü" * 3000 + "\n"
    queue(text=text, subject="日本語 " * 40, from_name="Zoë Ünal")

    work()

    mail = sink.taken[0].mail
    assert (mail.get_content().replace("\r\n", "\n").strip(), mail["subject"].strip()) == (
        text.strip(), ("日本語 " * 40).strip(),
    )  # fmt: skip
    assert mail["from"].addresses[0].display_name == "Zoë Ünal"


def test_one_connection_carries_many_mails(sink):
    for number in range(25):
        queue(to=f"c{number}@shop.test", subject=f"s{number}")

    work()

    assert sink.subjects() == [f"s{number}" for number in range(25)]


def test_a_mail_of_a_transaction_that_is_rolled_back_is_never_sent(sink):
    def half() -> None:
        with transaction.atomic():
            queue()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        half()
    work()
    assert (sink.taken, Delivery.objects.count()) == ([], 0)


def test_an_address_that_the_server_does_not_know_has_failed_at_once(sink):
    sink.refuse = lambda to: "550 no such user" if to == "gone@shop.test" else ""
    gone, there = queue(to="gone@shop.test", about="ticket_message:4"), queue()

    work()

    assert (state(gone), state(there)) == ("failed", "sent")
    assert Delivery.objects.get(pk=gone.pk).problem == "550 no such user"
    assert ("MailFailed", f'{{"delivery":{gone.pk},"about":"ticket_message:4"}}') in facts()


def test_a_mail_that_is_put_off_waits_longer_each_time_and_holds_up_only_its_own_thread(sink):
    with time_machine.travel(NOON, tick=False) as clock:
        sink.refuse = lambda to: "DATA 451 later" if to == "grey@shop.test" else ""
        first = queue(to="grey@shop.test", subject="first", message_id="<root@x>")
        queue(to="grey@shop.test", subject="second", references=["<root@x>"])
        queue(to="grey@shop.test", subject="other thread")
        queue(subject="somebody else")
        work()
        assert sink.subjects() == ["somebody else"]
        assert Delivery.objects.get(pk=first.pk).due_at - NOON == dt.timedelta(minutes=1)
        clock.shift(dt.timedelta(minutes=1))
        work()
        assert Delivery.objects.get(pk=first.pk).due_at - NOON == dt.timedelta(minutes=3)
        sink.refuse = lambda to: ""
        clock.shift(dt.timedelta(hours=1))

        work()

    assert [s for s in sink.subjects() if s != "other thread"] == ["somebody else", "first", "second"]
    assert "other thread" in sink.subjects()


def test_a_mail_that_is_put_off_for_two_days_has_failed(sink):
    sink.refuse = lambda to: "451 later"
    with time_machine.travel(NOON, tick=False) as clock:
        delivery = queue()
        while state(delivery) == "queued" and clock is not None:
            clock.shift(dt.timedelta(hours=1))
            work()
            lasted = Delivery.objects.get(pk=delivery.pk)
    assert (lasted.state, lasted.problem) == ("failed", "451 later")
    assert dt.timedelta(hours=40) < lasted.settled_at - NOON < dt.timedelta(hours=60)


def test_a_server_that_is_down_for_an_hour_gets_everything_afterwards_in_order(settings, configured):
    down = free_port()
    use_server(settings, down)
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(60):  # a mail a minute, of three threads
            queue(subject=str(number), references=[f"<root{number % 3}@x>"])
            work()
            clock.shift(dt.timedelta(minutes=1))
        assert Delivery.objects.filter(state="queued", attempts=0).count() == 60
        outage = selectors.outage()
        assert outage.since == NOON
        assert "Connection refused" in outage.problem
        assert outage.until - clock_now() <= dt.timedelta(minutes=5)
        back = Sink(down)
        controller = start(back)
        try:
            clock.shift(dt.timedelta(minutes=5))
            work()
        finally:
            controller.stop()
    assert back.subjects() == [str(number) for number in range(60)]
    assert selectors.outage() is None
    assert Delivery.objects.exclude(state="sent").count() == 0


def test_while_the_server_is_down_new_mail_does_not_knock_again(settings, configured):
    use_server(settings, free_port())
    queue()
    work()
    before = Outage.objects.get()

    for _ in range(5):
        queue()
        work()

    assert Outage.objects.get().tries == before.tries == 1


def test_a_server_that_does_not_let_us_in_costs_no_mail(settings, sink):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "daytwo", "wrong"
    delivery = queue()

    work()

    assert state(delivery) == "queued"
    assert "auth" in selectors.outage().problem.lower()


def test_a_server_that_hangs_up_between_two_mails_is_called_again(settings, configured):
    class HangsUp(Sink):
        async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
            session.mails = getattr(session, "mails", 0) + 1
            if session.mails > 1:
                server.transport.close()
                return "421 one is enough"
            envelope.mail_from = address
            return "250 ok"

    moody = HangsUp(free_port())
    use_server(settings, moody.port)
    controller = start(moody)
    try:
        for number in range(3):
            queue(subject=str(number))
        work()
    finally:
        controller.stop()
    assert moody.subjects() == ["0", "1", "2"]
    assert selectors.outage() is None


def test_an_erased_attachment_fails_its_mail_and_no_other(sink):
    blob = blobs.put(b"secret")
    broken = queue(to="a@shop.test")
    broken.files.create(name="x", content_type="nonsense", blob=blob)
    queue(subject="after")

    work()

    assert sink.subjects() == ["after"]
    assert state(broken) == "queued"


def test_without_a_mail_server_a_mail_has_failed_and_says_why(configured):
    conf.use(conf.load({"DAYTWO_URL": "http://testserver"}))

    delivery = queue()

    assert (delivery.state, delivery.problem) == ("failed", "No mail server is set (DAYTWO_MAIL_URL).")
    assert facts() == []


def test_a_failed_mail_can_be_sent_again_and_a_sent_one_cannot(sink):
    sink.refuse = lambda to: "550 no"
    delivery = queue()
    work()
    sink.refuse = lambda to: ""

    assert services.resend(delivery)
    work()

    assert (state(delivery), len(sink.taken)) == ("sent", 1)
    assert not services.resend(delivery)


def test_deliveries_are_found_by_what_they_are_about(sink, django_assert_num_queries):
    one, two = queue(about="ticket_message:1"), queue(about="ticket_message:1", to="other@shop.test")
    queue(about="ticket_message:2")

    with django_assert_num_queries(1):
        found = selectors.deliveries_about(["ticket_message:1", "ticket_message:9"])

    assert {ref: [row.pk for row in rows] for ref, rows in found.items()} == {
        "ticket_message:1": [one.pk, two.pk], "ticket_message:9": [],
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_nothing_twice(sink):
    for number in range(30):
        queue(to=f"c{number}@shop.test", subject=str(number))

    def work() -> None:
        from django.db import connections

        from daytwo_server.mail.sending.drain import drain

        drain(for_s=20)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(sink.subjects(), key=int) == [str(number) for number in range(30)]
    assert Delivery.objects.filter(state="sent").count() == 30


def clock_now() -> dt.datetime:
    from daytwo_server.core import clock

    return clock.now()
