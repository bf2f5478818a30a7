"""Whatever customers ask, in whatever order, and whatever we do meanwhile: nothing internal reaches them."""

import contextlib

import make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rooms.tickets.asking import QUESTION, Desk, identity

from daytwo_server.tickets import services
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket
from daytwo_server.tickets.services import Change, File, Impossible

pytestmark = pytest.mark.django_db

INTERNAL = "zq7"  # stands in everything of ours that no customer may see
ANOTHERS = "evq9"  # stands in every word of another customer
AGENTS = ("note", "tag", "team", "file", "assign", "reply", "status", "merge", "close")
CUSTOMERS = ("list", "get", "get_all", "open", "reply", "rate", "download_all", "replies_of_all")
ACTIONS = st.lists(
    st.tuples(st.sampled_from(AGENTS + CUSTOMERS), st.integers(0, 5), st.sampled_from(list(Status))), max_size=14
)


def agent_does(what, ticket, other, status, agent):
    do = {
        "note": lambda: services.note(ticket, f"{INTERNAL} They are on the old plan.", actor=agent),
        "file": lambda: services.note(
            ticket, INTERNAL, actor=agent, files=[File(f"{INTERNAL}.txt", f"text/{INTERNAL}", INTERNAL.encode())]
        ),
        "tag": lambda: services.change(ticket, Change(add_tags=[INTERNAL]), actor=agent),
        "team": lambda: services.change(ticket, Change(team=INTERNAL), actor=agent),
        "assign": lambda: services.assign(ticket, agent.email, actor=agent),
        "reply": lambda: services.reply(ticket, "Which month?", actor=agent),
        "status": lambda: services.set_status(ticket, status, actor=agent),
        "close": lambda: [services.set_status(ticket, one, actor=agent) for one in (Status.RESOLVED, Status.CLOSED)],
        "merge": lambda: services.merge(ticket, other, actor=agent),
    }
    with contextlib.suppress(Impossible):
        do[what]()


def customer_does(what, number, desk, tickets):
    """Every answer they get, as bytes."""
    own = desk.raw().json()
    code = own[number % len(own)]["id"]
    every = [str(one.uid) for one in tickets] + [f"T-{one.pk}" for one in tickets]

    def post(path, body):
        return desk.client.post(f"/api/support/tickets{path}", body, content_type="application/json")

    files = [(file.message.ticket.uid, file.uid) for file in Attachment.objects.select_related("message__ticket")]
    do = {
        "list": lambda: [desk.raw(limit="2"), desk.raw(userId="eve", organizationId="umbrella")],
        "get": lambda: [desk.raw(f"/{code}")],
        "get_all": lambda: [desk.raw(f"/{one}") for one in every],
        "open": lambda: [post("", QUESTION | {"subject": f"Question {number}"})],
        "reply": lambda: [post(f"/{code}/replies", {"content": f"Hello {number}?"})],
        "rate": lambda: [post(f"/{one}/rating", {"rating": 3}) for one in every],
        "replies_of_all": lambda: [post(f"/{one}/replies", {"content": ""}) for one in every],
        "download_all": lambda: [desk.raw(f"/{ticket}/attachments/{file}") for ticket, file in files],
    }
    return do[what]()


def bytes_of(answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode() + str(answer.headers)


def everything(desk):
    return [bytes_of(desk.raw(f"/{one['id']}")).partition("Request-ID")[0] for one in desk.raw().json()]


@given(actions=ACTIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_sequence_of_actions_yields_an_internal_byte(actions, db):
    Attachment.objects.all().delete(), Message.objects.all().delete(), Ticket.objects.all().delete()
    shop = make.project()
    agent = make.member(f"{INTERNAL} agent {shop.pk}", role="agent")
    dana = Desk(identity(shop, "dana"))
    eve = Desk(identity(shop, "eve", org="umbrella"))
    dana.open(metadata={"release": INTERNAL})
    dana.open(subject="Another question")
    eve.open(subject=f"{ANOTHERS} is slow")
    for what, number, status in actions:
        tickets = list(Ticket.objects.order_by("pk"))
        if what in AGENTS:
            mine = [one for one in tickets if one.customer.user_id == "dana"]
            before = everything(dana)
            agent_does(what, mine[number % len(mine)], mine[(number + 1) % len(mine)], status, agent)
            if what in ("note", "tag", "team", "file"):
                assert everything(dana) == before
        else:
            for answer in customer_does(what, number, dana, tickets):
                text = bytes_of(answer)
                assert INTERNAL not in text.lower()
                assert ANOTHERS not in text.lower()
                assert '"isInternal":true' not in text
                assert "Ticket status changed" not in text
                assert "Assigned to" not in text
