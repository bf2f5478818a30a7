"""A ticket that an agent opens for a customer."""

from __future__ import annotations

import re

import make
import pytest

from daytwo_server.customers.models import Customer
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Status, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
CALL = {
    "customer": "dana@example.com", "subject": "She cannot print", "content": "Nothing comes out.", "channel": "phone",
    "category": "technical", "priority": "high",
}  # fmt: skip


@pytest.fixture
def dana():
    return make.dana(organization=make.organization())


@pytest.fixture
def agent(bob, signed_in):
    return signed_in(bob)


def test_a_call_becomes_a_ticket_of_the_customer(agent, dana):
    answer = agent.post("/tickets/new", CALL, follow=True)
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.organization, ticket.channel, ticket.priority) == (
        dana,
        dana.organization,
        "phone",
        "high",
    )
    assert f"{ticket.code} opened for Dana" in answer.text
    assert answer.redirect_chain == [(f"/tickets/{ticket.pk}", 302)]


@pytest.mark.parametrize("who", ["dana@example.com", "Dana@Example.com", "dana"])
def test_a_customer_is_named_by_address_or_by_the_apps_id(agent, dana, who):
    agent.post("/tickets/new", CALL | {"customer": who})
    assert Ticket.objects.get().customer == dana


def test_somebody_unknown_is_kept_unverified_by_their_address(agent):
    agent.post("/tickets/new", CALL | {"customer": "New@Example.com", "name": "Nora"})
    made = Customer.objects.get()
    assert (made.key, made.email, made.name, made.verified) == (
        "email:new@example.com",
        "new@example.com",
        "Nora",
        False,
    )
    agent.post("/tickets/new", CALL | {"customer": "new@example.com", "name": "Somebody else"})
    assert Customer.objects.get().name == "Nora"
    assert Ticket.objects.filter(customer=made).count() == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("customer", "nobody", "Nobody is known by this"),
        ("customer", "", "required"),
        ("subject", "Hm", "This must have 5 to 200 characters"),
        ("subject", "x" * 201, "5 to 200"),
        ("content", "  ", "required"),
        ("content", "x" * 5001, "1 to 5,000"),
        ("priority", "purple", "valid choice"),
        ("customer", "a\x00b", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(agent, dana, field, value, words):
    for headers in ({}, PART):
        answer = agent.post("/tickets/new", CALL | {field: value}, headers=headers)
        assert answer.status_code == 422
        assert words in answer.text
        assert ("<html" in answer.text) == (not headers)
        kept = "She cannot print" if field != "subject" else "Nothing comes out."
        assert kept in answer.text
    assert not Ticket.objects.exists()


def test_one_that_follows_a_closed_ticket_is_linked_with_it(agent, alice, dana):
    closed = make.ticket(dana)
    services.set_status(closed, Status.RESOLVED, actor=alice)
    services.set_status(closed, Status.CLOSED, actor=alice)
    offered = re.search(r'href="(/tickets/new\?[^"]+)"', agent.get(f"/tickets/{closed.pk}").text)
    form = agent.get(offered[1].replace("&amp;", "&")).text
    assert 'value="dana@example.com"' in form
    agent.post("/tickets/new", CALL | {"follow": str(closed.pk)})
    assert Ticket.objects.latest("pk").follow_up_of == closed


def test_a_ticket_of_another_customer_is_not_followed(agent, dana):
    theirs = make.ticket(make.customer())
    agent.post("/tickets/new", CALL | {"follow": str(theirs.pk)})
    assert Ticket.objects.latest("pk").follow_up_of is None


def test_customers_are_offered_by_what_was_typed(agent, dana):
    make.customer(name="Erik", email="erik@example.com")
    assert "dana@example.com" in agent.get("/tickets/customers?of=customer&customer=dan").text
    assert "erik" not in agent.get("/tickets/customers?of=customer&customer=dan").text
    assert agent.get("/tickets/customers?of=customer&customer=%00").status_code == 200
