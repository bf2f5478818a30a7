"""Tickets by `/api/v1`."""

import json

import make
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from daytwo_server.accounts.models import Membership
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Attachment, Message, Status, Ticket
from daytwo_server.tickets.services import File, Said

pytestmark = pytest.mark.django_db


class Api:
    """A program with a token."""

    def __init__(self, token):
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path, expected=200, /, **params):
        return self._answer(self.client.get(f"/api/v1/tickets{path}", params), expected)

    def send(self, method, path, body, expected=200):
        raw = json.dumps(body)
        return self._answer(self.client.generic(method, f"/api/v1/tickets{path}", raw, "application/json"), expected)

    def post(self, path, body, expected=201):
        return self.send("POST", path, body, expected)

    def patch(self, path, body, expected=200):
        return self.send("PATCH", path, body, expected)

    def _answer(self, response, expected):
        assert response.status_code == expected, response.content
        return response.json()


@pytest.fixture
def agent(db):
    return make.member("Paula", role=Membership.Role.AGENT)


@pytest.fixture
def api(agent):
    return Api(make.token(agent))


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana(organization=make.organization(external_id="acme")), project=make.project("Shop").pk)


def numbers(found):
    return [one["number"] for one in found["results"]]


def test_a_ticket_is_told_with_all_that_is_known(api, agent, ticket):
    services.change(ticket, services.Change(tags=["vip"], assignee=agent.email), actor=agent)
    told = api.get(f"/{ticket.code}")
    row = Ticket.objects.get()
    assert {name: told[name] for name in ("id", "number", "status", "assignedTo", "tags", "project", "organizationId", "userId")} == {
        "id": str(row.uid), "number": row.code, "status": "in_progress", "assignedTo": agent.email, "tags": ["vip"],
        "project": "shop", "organizationId": "acme", "userId": "dana",
    }  # fmt: skip
    assert told["customer"] == {
        "id": ticket.customer_id, "userId": "dana", "name": "Dana", "email": "dana@example.com", "plan": "business",
    }  # fmt: skip
    assert (told["followUpOf"], told["mergedInto"], told["reopenedCount"]) == (None, None, 0)
    assert [(m["authorType"], m["isInternal"], m["content"]) for m in told["messages"]] == [
        ("customer", False, told["description"]),
        ("system", True, "Assigned to Paula"),
        ("system", True, "Ticket status changed to: in_progress"),
    ]
    first = told["messages"][0]
    assert first["strippedText"] == first["bodyText"] == first["content"]
    assert (first["bodyHtml"], first["attachments"], first["delivery"], first["authorName"]) == ("", [], None, "Dana")


def test_a_ticket_is_found_by_id_number_and_code(api, ticket):
    for code in (str(ticket.uid), str(ticket.pk), f"T-{ticket.pk}", f"t-{ticket.pk}"):
        assert api.get(f"/{code}")["id"] == str(ticket.uid)
    for code in ("T-99999", "nonsense", "9" * 30, "T-"):
        assert api.get(f"/{code}", 404)["detail"] == "There is no such ticket."


def test_the_list_is_newest_first_and_goes_on_by_its_cursor(api):
    opened = [make.ticket().code for _ in range(5)]
    page = api.get("", limit=2)
    seen = numbers(page)
    while page["next"]:
        page = api.get("", limit=2, cursor=page["next"])
        seen += numbers(page)
    assert seen == opened[::-1]


def test_the_list_is_asked_by_status_assignee_and_search(api, agent, ticket):
    other = make.ticket(
        make.customer(email="eve@example.com"), "Invoices", content="The invoice of May is wrong.", category="billing"
    )
    services.assign(other, agent.email, actor=agent)
    services.change(other, services.Change(add_tags=["money"], priority="urgent"), actor=agent)
    services.note(other, "Ask the bookkeeper.", actor=agent)
    asked = {
        "status": {"in_progress": other, "open": ticket},
        "assignee": {"me": other, agent.email: other, "none": ticket},
        "query": {
            "invoice may": other, "bookkeeper": other, "csv export": ticket, "tag:money": other, "!tag:money": ticket,
            "priority:urgent": other, "category:billing": other, "customer:dana": ticket,
            "customer:eve@example.com": other, "organization:acme": ticket, "plan:business": ticket,
            "is:unassigned": ticket, "is:unresolved invoice": other, "project:shop": ticket, "dana": ticket,
        },
    }  # fmt: skip
    for parameter, cases in asked.items():
        for value, expected in cases.items():
            assert (value, numbers(api.get("", **{parameter: value}))) == (value, [expected.code])


@pytest.mark.parametrize(
    ("parameter", "value", "field"),
    [
        ("status", "done", "status"), ("assignee", "nobody@example.com", "assignee"), ("query", "status:done", "query"),
        ("query", "colour:red", "query"), ("limit", "0", "limit"), ("cursor", "x", "cursor"),
    ],
)  # fmt: skip
def test_a_question_without_sense_is_refused_by_field(api, parameter, value, field):
    assert list(api.get("", 400, **{parameter: value})["fields"]) == [field]


def test_an_answer_is_sent_and_waits_for_the_customer(api, agent, ticket):
    said = api.post(f"/{ticket.code}/reply", {"content": "Which month?"})
    assert (said["authorType"], said["authorName"], said["isInternal"], said["content"]) == (
        "agent", "Paula", False, "Which month?",
    )  # fmt: skip
    assert api.get(f"/{ticket.code}")["status"] == "waiting_customer"
    api.post(f"/{ticket.code}/reply", {"content": "Fixed.", "status": "resolved"})
    assert api.get(f"/{ticket.code}")["status"] == "resolved"


def test_an_answer_stops_when_somebody_answered_meanwhile(api, ticket):
    last = api.get(f"/{ticket.code}")["messages"][-1]["id"]
    api.post(f"/{ticket.code}/reply", {"content": "Which month?", "lastMessageId": last})
    refused = api.post(f"/{ticket.code}/reply", {"content": "What?", "lastMessageId": last}, 409)
    assert "Somebody answered" in refused["detail"]
    assert Message.objects.filter(content="What?").count() == 0


def test_a_note_stays_inside(api, ticket):
    assert api.post(f"/{ticket.code}/notes", {"content": "Old plan."})["isInternal"] is True
    assert list(api.post(f"/{ticket.code}/notes", {"content": " "}, 400)["fields"]) == ["content"]


def test_what_is_named_is_changed_all_of_it_or_nothing(api, agent, ticket):
    told = api.patch(
        f"/{ticket.code}",
        {"priority": "high", "category": "billing", "tags": ["VIP"], "assignedTo": agent.email, "team": "Money"},
    )
    assert (told["priority"], told["category"], told["tags"], told["assignedTo"], told["team"], told["status"]) == (
        "high", "billing", ["vip"], agent.email, "Money", "in_progress",
    )  # fmt: skip
    assert api.patch(f"/{ticket.code}", {"assignedTo": None})["assignedTo"] is None
    api.patch(f"/{ticket.code}", {"priority": "low", "status": "closed"}, 409)
    assert api.get(f"/{ticket.code}")["priority"] == "high"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"status": "done"}, "status"), ({"assignedTo": "x@example.com"}, "assignedTo"), ({"tags": ["x" * 51]}, "tags"), ({"subject": "New"}, "subject")],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_by_field(api, ticket, body, field):
    assert list(api.patch(f"/{ticket.code}", body, 400)["fields"]) == [field]


def test_what_the_state_forbids_is_a_conflict_with_its_reason(api, ticket):
    assert "Resolve it first" in api.patch(f"/{ticket.code}", {"status": "closed"}, 409)["detail"]
    api.patch(f"/{ticket.code}", {"status": "resolved"})
    api.patch(f"/{ticket.code}", {"status": "closed"})
    for method, path, body in (
        ("PATCH", "", {"status": "open"}), ("PATCH", "", {"tags": ["late"]}), ("POST", "/reply", {"content": "Hi."}),
        ("POST", "/notes", {"content": "Hi."}),
    ):  # fmt: skip
        refused = api.send(method, f"/{ticket.code}{path}", body, 409)
        assert "closed ticket does not change" in refused["detail"]


def test_merging_answers_with_the_ticket_that_goes_on(api, ticket):
    other = make.ticket(ticket.customer, "Again")
    told = api.send("POST", f"/{ticket.code}/merge", {"into": other.code})
    assert told["number"] == other.code
    assert {message["ticketId"] for message in told["messages"]} == {str(ticket.uid), str(other.uid)}
    assert api.get(f"/{ticket.code}")["mergedInto"] == str(other.uid)
    assert list(api.send("POST", f"/{other.code}/merge", {"into": "T-99999"}, 400)["fields"]) == ["into"]
    assert "two customers" in api.send("POST", f"/{other.code}/merge", {"into": make.ticket().pk}, 409)["detail"]


def test_many_are_changed_at_once_each_by_itself(api, agent, ticket):
    closed = make.ticket()
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(closed, status, actor=agent)
    done = api.send(
        "POST", "/bulk", {"ids": [ticket.code, str(closed.uid), "T-99999"], "status": "resolved", "addTags": ["march"]}
    )
    assert done["changed"] == [ticket.code]
    assert {one["id"] for one in done["refused"]} == {str(closed.uid), "T-99999"}
    told = api.get(f"/{ticket.code}")
    assert (told["status"], told["tags"]) == ("resolved", ["march"])
    assert list(api.send("POST", "/bulk", {"ids": [str(n) for n in range(201)], "status": "open"}, 400)["fields"]) == [
        "ids"
    ]
    assert list(api.send("POST", "/bulk", {"ids": []}, 400)["fields"]) == ["ids"]


def test_a_follow_up_names_the_ticket_it_follows(api, agent, ticket):
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=agent)
    where, _ = services.customer_reply(ticket, Said(content="Again."), customer=ticket.customer)
    assert api.get(f"/{where.code}")["followUpOf"] == str(ticket.uid)


def test_files_of_any_message_can_be_saved_by_agents(api, agent, ticket):
    services.note(ticket, "See.", actor=agent, files=[File("a.svg", "image/svg+xml", b"<svg/>")])
    shown = api.get(f"/{ticket.code}")["messages"][-1]["attachments"][0]
    answer = api.client.get(shown["url"].removeprefix("http://testserver"))
    assert (b"".join(answer.streaming_content), answer["Content-Type"]) == (b"<svg/>", "application/octet-stream")
    assert answer["Content-Disposition"].startswith("attachment")
    api.get(f"/{make.ticket().code}/attachments/{Attachment.objects.get().uid}", 404)


def test_the_list_and_a_conversation_cost_the_same_however_long_they_are(api, agent, ticket):
    counts = []
    api.get("")  # notes once a minute that the token is in use
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            api.get("")
        with CaptureQueriesContext(connection) as conversation:
            api.get(f"/{ticket.code}")
        counts.append((len(queries), len(conversation)))
        for number in range(9):
            services.change(make.ticket(), services.Change(tags=[str(number)]), actor=agent)
            services.note(ticket, "Odd.", actor=agent, files=[File("a", "", b"a")])
    assert counts[0][0] == counts[1][0] <= 8
    # The first one has no file: what there is none of is not asked for.
    assert counts[0][1] <= counts[1][1] <= 8


def test_a_program_without_a_person_behind_it_answers_as_nobody(ticket):
    api = Api(make.token(None))
    with time_machine.travel(make.moment("2026-12-01T09:00:00"), tick=False):
        said = api.post(f"/{ticket.code}/reply", {"content": "Hello."})
    assert (said["authorType"], said["authorId"], said["authorName"]) == ("agent", None, "")


def test_an_answer_and_a_note_take_files_as_json_and_as_a_form(api, ticket):
    import base64

    from django.core.files.uploadedfile import SimpleUploadedFile

    file = {"name": "a.png", "contentType": "image/png", "contentBase64": base64.b64encode(b"a" * 3_000_000).decode()}
    answer = api.post(f"/{ticket.uid}/reply", {"content": "See this.", "attachments": [file]})
    [told] = answer["attachments"]
    assert (told["name"], told["contentType"], told["size"]) == ("a.png", "image/png", 3_000_000)
    assert api.client.get(told["url"]).status_code == 200
    form = {"content": "For us.", "files": [SimpleUploadedFile("b.txt", b"bb", "text/plain")]}
    noted = api.client.post(f"/api/v1/tickets/{ticket.uid}/notes", form)
    assert noted.status_code == 201, noted.content
    assert [(one["name"], one["size"]) for one in noted.json()["attachments"]] == [("b.txt", 2)]
    sent = api.client.post(f"/api/v1/tickets/{ticket.uid}/reply", {"content": "Hi.", "status": "resolved"})
    assert (sent.status_code, Ticket.objects.get().status) == (201, "resolved")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "x", "attachments": [{"name": "a", "url": "https://evil.test/a"}]}, "attachments"),
        ({"content": "x", "attachments": [{"name": "a", "contentBase64": "!"}]}, "attachments"),
        ({"content": "x", "colour": "red"}, "colour"),
        ({"attachments": []}, "content"),
        ({"content": "x", "status": "odd"}, "status"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_by_field(api, ticket, body, field):
    assert field in api.post(f"/{ticket.uid}/reply", body, 400)["fields"]
    assert Message.objects.count() == 1


def test_a_body_that_is_none_and_one_that_is_too_large_are_refused(api, ticket):
    path = f"/api/v1/tickets/{ticket.uid}/notes"
    assert api.client.post(path, b"{", content_type="application/json").status_code == 400
    large = api.client.post(
        path, b"{}", content_type="application/json", headers={"Content-Length": str(26 * 1024 * 1024)}
    )
    assert large.status_code == 413


def test_a_mail_is_told_with_all_that_it_said(api, ticket):
    said = Said(content="March.", body_text="March.\n\n> Which month?", body_html="<p>March.</p>", channel="email")
    services.customer_reply(ticket, said, customer=ticket.customer)
    message = api.get(f"/{ticket.uid}")["messages"][-2]
    assert (message["content"], message["strippedText"]) == ("March.", "March.")
    assert (message["bodyText"], message["bodyHtml"]) == ("March.\n\n> Which month?", "<p>March.</p>")
    assert message["delivery"] is None
