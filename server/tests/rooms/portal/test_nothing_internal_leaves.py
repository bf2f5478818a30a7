"""Whatever customers do on their pages, in whatever order, and whatever we do meanwhile: nothing internal reaches them."""

import contextlib
import re

import make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rooms.portal.visiting import REQUEST, Visitor, old_enough
from rooms.tickets.asking import identity
from rooms.tickets.test_nothing_internal_leaves import AGENTS, ANOTHERS, INTERNAL, agent_does, bytes_of

from daytwo_server.mail.models import Delivery
from daytwo_server.portal.models import Session, SignInLink
from daytwo_server.tickets import capability, services
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket
from daytwo_server.tickets.services import NewTicket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

CUSTOMERS = ("list", "read", "read_all", "ask", "answer", "answer_all", "rate_all", "download_all", "hold", "hold_all")
ACTIONS = st.lists(
    st.tuples(st.sampled_from(AGENTS + CUSTOMERS), st.integers(0, 5), st.sampled_from(list(Status))), max_size=12
)
# They differ from one answer to the next, and could hold the words by chance.
_CHANCE = re.compile(r"csrfmiddlewaretoken\" value=\"\w+|X-Request-ID[^,]*|value=\"form:[^\"]*|tickets/\d+-[\w-]{32}")


def customer_does(what, number, visitor, own, every):
    """Every answer they get."""
    mine = f"/help/tickets/{own[number % len(own)].uid}"
    ways = [f"/help/tickets/{code}" for one in every for code in (one.uid, one.pk, one.code)]
    held = [f"/help/tickets/{capability.token(one)}" for one in own]
    files = [
        f"/help/tickets/{file.message.ticket.uid}/files/{file.uid}"
        for file in Attachment.objects.select_related("message__ticket")
    ]
    post, get = visitor.post, visitor.get
    do = {
        "list": lambda: [get("/help"), get("/help?cursor=odd", follow=True)],
        "read": lambda: [get(mine)],
        "read_all": lambda: [get(way) for way in ways],
        "ask": lambda: [post("/help/new", REQUEST | {"subject": f"Question {number}", "begun": old_enough()})],
        "answer": lambda: [
            post(f"{mine}/reply", {"content": f"Hello {number}?"}),
            post(f"{mine}/reply", {"content": ""}),
        ],
        "answer_all": lambda: [post(f"{way}/reply", {"content": ""}) for way in ways],
        "rate_all": lambda: [post(f"{way}/rating", {"rating": str(number)}) for way in ways],
        "download_all": lambda: [get(path) for path in files],
        "hold": lambda: [
            get(held[number % len(held)]),
            get(f"{held[0]}/rating"),
            post(f"{held[0]}/reply", {"content": "Hi"}),
        ],
        "hold_all": lambda: [get(f"{way}/files/{path.rpartition('/')[2]}") for way in held for path in files],
    }
    return do[what]()


@given(actions=ACTIONS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_sequence_of_actions_yields_an_internal_byte(actions, db):
    for model in (Attachment, Message, Ticket, Session, SignInLink, Delivery):
        model.objects.all().delete()
    shop = make.project()
    agent = make.member(f"{INTERNAL} agent {shop.pk}", role="agent")
    dana = Visitor()
    dana.post("/help", {"jwt": identity(shop, "dana", email="dana@example.com", org="acme")})
    dana.ask()
    dana.ask(subject="Another question")
    services.open_ticket(
        NewTicket(subject=f"{ANOTHERS} is slow", content=ANOTHERS), customer=make.customer(organization=None)
    )
    for what, number, status in actions:
        every = list(Ticket.objects.order_by("pk"))
        own = [one for one in every if one.customer.user_id == "dana"]
        if what in AGENTS:
            with contextlib.suppress(services.TicketGone):
                agent_does(what, own[number % len(own)], own[(number + 1) % len(own)], status, agent)
            continue
        for answer in customer_does(what, number, dana, own, every):
            text = _CHANCE.sub("", bytes_of(answer))
            assert INTERNAL not in text.lower()
            assert ANOTHERS not in text.lower()
            assert "Ticket status changed" not in text
            assert "Assigned to" not in text
    for mail in Delivery.objects.filter(to="dana@example.com").exclude(from_name__startswith=INTERNAL):
        assert INTERNAL not in _CHANCE.sub("", mail.text + mail.subject)
