"""Answers that leave by mail."""

import make
import pytest
from django.db import transaction

from daytwo_server.accounts import services as accounts
from daytwo_server.core import facts
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.customers import services as customers
from daytwo_server.mail import threads
from daytwo_server.mail.facts import MailBounced
from daytwo_server.mail.models import Delivery, DeliveryFile
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import File, Impossible

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana(), "Exports are empty")


@pytest.fixture(autouse=True)
def _inbound(monkeypatch):
    import dataclasses

    from daytwo_server.core import conf

    told = dataclasses.replace(conf.current(), mail_inbound="support@example.com")
    monkeypatch.setattr(conf, "current", lambda: told)


def test_an_answer_is_mailed_with_what_leads_an_answer_back(ticket, bob):
    first = services.reply(ticket, "Which month?", actor=bob)
    second = services.reply(ticket, "Or all?", actor=bob, files=[File("a.png", "image/png", b"a")])
    one, two = Delivery.objects.order_by("pk")
    assert (one.to, one.subject, one.about, one.from_name) == (
        "dana@example.com", f"Re: Exports are empty [#{ticket.pk}]", f"ticket_message:{first.pk}", "Bob",
    )  # fmt: skip
    assert one.text.startswith("Which month?\n\n-- \nAnswer this mail to reply.\nref:")
    assert threads.read(one.reply_to) == threads.Thread(ticket.pk, ticket.customer_id, agent=False)
    assert threads.read_message_id(two.message_id) == (ticket.pk, second.pk)
    opening = Message.objects.filter(ticket=ticket).earliest("pk")
    assert [threads.read_message_id(one)[1] for one in two.references.split()] == [opening.pk, first.pk]
    assert [file.name for file in DeliveryFile.objects.filter(delivery=two)] == ["a.png"]


def test_notes_and_what_was_refused_are_not_mailed(ticket, bob):
    services.note(ticket, "Old plan.", actor=bob)
    with pytest.raises(Impossible):
        services.reply(ticket, "Bye.", actor=bob, status=Status.CLOSED)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("known", [{"email": ""}, {"email_verified": False}, {"email": "no@address,at,all"}])
def test_whose_address_is_not_known_to_be_theirs_is_not_mailed(bob, known):
    ticket = make.ticket(make.dana(**known))
    services.reply(ticket, "Which month?", actor=bob)
    assert not Delivery.objects.exists()
    assert Ticket.objects.get(pk=ticket.pk).status == "waiting_customer"


def test_a_mail_that_came_back_makes_it_our_turn(ticket, bob):
    said = services.reply(ticket, "Which month?", actor=bob)
    with transaction.atomic():
        facts.record(MailBounced(delivery=Delivery.objects.get().pk, about=f"ticket_message:{said.pk}"))
    run_due_jobs()
    assert Ticket.objects.get(pk=ticket.pk).status == "pending"


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_an_erasure_takes_the_mail_queue_along(ticket, alice):
    services.reply(ticket, "Dear Dana.", actor=alice, files=[File("a.png", "image/png", b"a")])
    customers.erase(ticket.customer, actor=alice)
    run_due_jobs()
    assert not Delivery.objects.exists()


class TestWhoIsToldOfAnAnswer:
    """The assignee, else the team, else the support address."""

    @pytest.fixture(autouse=True)
    def server(self, _inbound, monkeypatch):
        import dataclasses

        from daytwo_server.core import preferences

        known = preferences.current()
        told = dataclasses.replace(known, mail_url="smtp://localhost:1", support_email="desk@example.com")
        monkeypatch.setattr(preferences, "current", lambda: told)

    @pytest.fixture
    def nia(self, db):
        return make.member("Nia", role="agent")

    def told(self, ticket):
        before = Delivery.objects.count()
        services.customer_reply(ticket, services.Said(content="May."), customer=ticket.customer)
        run_due_jobs(tick=False)
        return [one.to for one in Delivery.objects.order_by("pk")[before:]]

    def given_to(self, ticket, team, bob):
        services.change(ticket, services.Change(team=team), actor=bob)
        run_due_jobs(tick=False)

    def team(self, **fields):
        return accounts.save_team(accounts.TeamWords(name="Billing", **fields), actor=None)

    def test_the_assignee_before_the_team(self, ticket, bob, nia):
        self.team(members=[nia.pk])
        self.given_to(ticket, "Billing", bob)
        services.assign(ticket, bob.email, actor=nia)
        run_due_jobs(tick=False)
        assert self.told(ticket) == [bob.email]

    def test_each_member_of_the_team_who_may_read_tickets(self, ticket, bob, nia, charlie):
        gone = make.member("Gone", is_active=False)
        self.team(members=[bob.pk, nia.pk, charlie.pk, gone.pk])
        self.given_to(ticket, "billing", bob)
        assert sorted(self.told(ticket)) == sorted([bob.email, nia.email])

    def test_the_address_of_the_team_in_place_of_its_members(self, ticket, bob, nia):
        self.team(members=[nia.pk], address="billing@example.com")
        self.given_to(ticket, "Billing", bob)
        assert self.told(ticket) == ["billing@example.com"]

    @pytest.mark.parametrize("team", ["", "Nobody's", "Billing"])
    def test_the_support_address_where_no_team_can_be_told(self, ticket, bob, team):
        self.team()
        self.given_to(ticket, team, bob)
        assert self.told(ticket) == ["desk@example.com"]

    def test_an_archived_team_is_told_nothing(self, ticket, bob, nia):
        team = self.team(members=[nia.pk])
        self.given_to(ticket, "Billing", bob)
        accounts.archive_team(team, archived=True, actor=bob)
        assert self.told(ticket) == ["desk@example.com"]
