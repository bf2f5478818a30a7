"""Erasing, exporting, and removing what is old."""

import base64
import datetime as dt
import json

import make
import pytest
import time_machine
from django.apps import apps
from django.test import Client
from rooms.tickets import mailing

from daytwo_server.core import search
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry, Blob, BlobPart, Fact, Job
from daytwo_server.core.ref import Ref, resolve_many
from daytwo_server.customers import erasing
from daytwo_server.customers import services as customers
from daytwo_server.tickets import retention, services
from daytwo_server.tickets.models import Attachment, Message, Pace, Status, Ticket
from daytwo_server.tickets.services import Change, File, Said

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def test_every_table_that_forgetting_deletes_from_is_named(ticket, monkeypatch):
    """By these names the freed pages of the stores are overwritten."""
    mailing.held(ticket)
    services.rate(ticket, 3, "", most=5)
    [keeper] = [one for one in erasing.keepers() if one.name == "tickets"]
    ours = apps.get_app_config("tickets").get_models()
    before = {model: model.objects.count() for model in ours}
    services.forget_customer(ticket.customer_id)
    gone = {model for model, count in before.items() if model.objects.count() < count}
    assert {Message, Attachment, Pace} <= gone
    assert gone <= set(keeper.tables)


@pytest.fixture
def ticket(bob):
    """Of Dana, with words and files of everybody."""
    dana = make.dana(organization=make.organization())
    ticket = make.ticket(
        dana, "Dana cannot export", metadata={"url": "https://dana.example.com/"}, idempotency_key="dana-1"
    )
    log = File("dana.txt", "text/plain", b"dana was here")
    services.customer_reply(ticket, Said(content="It is me, Dana.", files=[log]), customer=dana)
    services.reply(ticket, "Dear Dana, which month?", actor=bob)
    services.note(ticket, "Dana is on the old plan.", actor=bob, files=[log])
    services.change(ticket, Change(tags=["dana"], status=Status.RESOLVED), actor=bob)
    services.rate(ticket, 2, "Dana is not amused.")
    return ticket


def everything():
    models = (Ticket, Message, Attachment, Blob, BlobPart, Fact, Job, AuditEntry)
    return " ".join(str(list(model.objects.values())) for model in models).lower()


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_nothing_of_an_erased_customer_stays_but_an_empty_row_with_its_times(ticket, alice, bob):
    other = make.ticket(make.customer(name="Eve"))
    before = Ticket.objects.get(pk=ticket.pk)
    assert "dana" in everything()
    customers.erase(ticket.customer, actor=alice)
    run_due_jobs()
    run_due_jobs()
    assert "dana" not in everything()
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.subject, row.status, row.resolved_at, row.first_response_at, row.rating) == (
        "Erased", "resolved", before.resolved_at, before.first_response_at, 2,
    )  # fmt: skip
    assert list(row.messages.values_list("kind", flat=True).distinct()) == ["system"]
    assert (Blob.objects.count(), BlobPart.objects.count()) == (0, 0)
    assert search.ids("ticket", "dana") == []
    assert Message.objects.filter(ticket=other).count() == 1
    assert search.ids("ticket", "eve") == [other.pk]


def test_a_rebuilt_index_does_not_bring_an_erased_customer_back(ticket, alice):
    customers.erase(ticket.customer, actor=alice)
    search.rebuild("ticket", 0, 100)
    assert search.ids("ticket", "export") == []


def test_a_customer_gets_everything_that_is_known_of_them(ticket, alice):
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    for code in (ticket.customer_id, "dana"):
        answer = client.get(f"/api/v1/customers/{code}/export")
        assert answer["Content-Disposition"].startswith("attachment")
        told = json.loads(answer.getvalue())
        assert told["customer"]["email"] == "dana@example.com"
        [one] = told["tickets"]
        assert (one["subject"], one["ratingComment"], one["tags"]) == (
            "Dana cannot export",
            "Dana is not amused.",
            ["dana"],
        )
        assert [message["content"] for message in one["messages"]][1:] == [
            "It is me, Dana.", "Dear Dana, which month?", "Dana is on the old plan.",
        ]  # fmt: skip
        assert base64.b64decode(one["messages"][1]["attachments"][0]["contentBase64"]) == b"dana was here"
    entries = AuditEntry.objects.filter(action="customers:customer:exported").values_list("ref_id", "actor_kind")
    assert list(entries) == [(str(ticket.customer_id), "token")] * 2


def test_what_a_customer_wrote_beside_their_own_tickets_is_theirs_too(ticket, alice, bob):
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    others = make.ticket(make.customer(name="Eve"), "Secrets of Eve")
    log = File("dana.txt", "text/plain", b"dana was here")
    services.customer_reply(others, Said(content="Dana here, the same.", files=[log]), customer=ticket.customer)
    services.reply(others, "Dear Eve, dear Dana, hello.", actor=bob)
    waiting = mailing.held(others, "Dana again.", "Dana <dana@example.com>")
    mailing.held(others, "Mallory here.")
    told = json.loads(client.get("/api/v1/customers/dana/export").getvalue())
    [one] = told["messagesElsewhere"]
    assert (one["ticket"], one["content"]) == (others.code, "Dana here, the same.")
    assert base64.b64decode(one["attachments"][0]["contentBase64"]) == b"dana was here"
    [mail] = told["mail"]
    assert (mail["result"], mail["reason"]) == ("held", waiting.reason)
    assert b"Dana again." in base64.b64decode(mail["contentBase64"])
    for word in ("Eve", "Mallory"):
        assert word not in json.dumps(told)


def test_mail_from_an_address_that_is_only_said_to_be_theirs_is_not_given_to_them(ticket, alice):
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    make.customer("id:frank", email="dana@example.com", name="Frank")
    others = make.ticket(make.customer(name="Eve"))
    mailing.held(others, "Dana again.", "Dana <dana@example.com>")
    assert len(json.loads(client.get("/api/v1/customers/dana/export").getvalue())["mail"]) == 1
    assert json.loads(client.get("/api/v1/customers/frank/export").getvalue())["mail"] == []


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_a_program_erases_a_customer_by_either_id(ticket, alice):
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    assert client.post("/api/v1/customers/dana/erase").status_code == 202
    run_due_jobs()
    assert "dana" not in everything()
    for path in ("dana/erase", "nobody/erase", "9" * 30 + "/erase"):
        assert client.post(f"/api/v1/customers/{path}").status_code == 404
    assert client.get("/api/v1/customers/dana/export").status_code == 404


def test_closed_tickets_go_when_they_are_old_and_others_never(ticket, bob):
    still = make.ticket()
    with time_machine.travel(Ticket.objects.get(pk=ticket.pk).resolved_at + dt.timedelta(days=8), tick=False):
        services.close_resolved()
    closed_at = Ticket.objects.get(pk=ticket.pk).closed_at
    assert sum(retention.sweep(closed_at)) == 0
    assert sum(retention.sweep(closed_at + dt.timedelta(seconds=1))) == 1
    assert list(Ticket.objects.all()) == [still]
    assert (Message.objects.exclude(ticket=still).count(), Blob.objects.count()) == (0, 0)
    assert search.ids("ticket", "dana") == []


def test_a_merged_ticket_stays_as_long_as_the_one_that_shows_its_messages(ticket, bob):
    into = make.ticket(ticket.customer)
    services.merge(ticket, into, actor=bob)
    later = Ticket.objects.get(pk=ticket.pk).closed_at + dt.timedelta(days=1)
    assert sum(retention.sweep(later)) == 0
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(into, status, actor=bob)
    assert sum(retention.sweep(later)) == 2


def test_a_ticket_is_named_by_its_subject_where_others_link_to_it(ticket):
    assert [ref.title for ref in resolve_many([Ref("ticket", ticket.pk), Ref("ticket", 99999)])] == [
        "Dana cannot export", "ticket 99999",
    ]  # fmt: skip
