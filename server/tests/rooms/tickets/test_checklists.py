"""What is to be done for a ticket: ticked, taken off, brought back; never seen by customers."""

import json

import make
import pytest
from django.test import Client

from daytwo_server.core.models import AuditEntry
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Status, Todo
from daytwo_server.tickets.selectors import export
from daytwo_server.tickets.services import Impossible, Invalid, TodoGone

pytestmark = pytest.mark.django_db


@pytest.fixture
def nia(db):
    return make.member("Nia", role="agent")


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


def words(ticket):
    return [(one.text, str(one.done_by or "")) for one in Todo.objects.filter(ticket=ticket, removed_at=None)]


def test_a_list_is_written_ticked_and_tidied(ticket, nia, bob):
    one, two = services.add_todos(ticket, ["Ask for  the number", "Tell Billing"], actor=nia)
    services.tick(ticket, one.pk, done=True, actor=bob)
    services.tick(ticket, one.pk, done=True, actor=nia)  # it is done already, by Bob
    services.remove_todo(ticket, two.pk, actor=nia)
    assert words(ticket) == [("Ask for the number", "Bob")]
    with pytest.raises(TodoGone):
        services.tick(ticket, two.pk, done=True, actor=nia)
    services.restore_todo(ticket, two.pk, actor=nia)
    services.tick(ticket, one.pk, done=False, actor=nia)
    assert words(ticket) == [("Ask for the number", ""), ("Tell Billing", "")]
    assert AuditEntry.objects.filter(action__startswith="tickets:ticket:todo").count() == 5


@pytest.mark.parametrize("texts", [[], [""], [" \n "], ["x" * 201], ["x"] * 51])
def test_what_is_no_list_is_refused(ticket, nia, texts):
    with pytest.raises(Invalid):
        services.add_todos(ticket, texts, actor=nia)
    assert words(ticket) == []


def test_a_closed_ticket_keeps_its_list_as_it_is(ticket, nia):
    [one] = services.add_todos(ticket, ["Ask"], actor=nia)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=nia)
    for change in (
        lambda: services.add_todos(ticket, ["More"], actor=nia),
        lambda: services.tick(ticket, one.pk, done=True, actor=nia),
        lambda: services.remove_todo(ticket, one.pk, actor=nia),
    ):
        with pytest.raises(Impossible):
            change()
    assert words(ticket) == [("Ask", "")]


def test_what_is_not_done_goes_along_into_another_ticket(ticket, nia):
    other = make.ticket(ticket.customer)
    one, _ = services.add_todos(ticket, ["Done before", "Still open"], actor=nia)
    services.tick(ticket, one.pk, done=True, actor=nia)
    services.merge(ticket, other, actor=nia)
    assert (words(ticket), words(other)) == ([("Done before", "Nia")], [("Still open", "")])


def test_nothing_of_another_ticket_is_ticked(ticket, nia):
    [one] = services.add_todos(make.ticket(ticket.customer), ["Theirs"], actor=nia)
    with pytest.raises(TodoGone):
        services.tick(ticket, one.pk, done=True, actor=nia)


def test_the_page_works_without_a_script_and_every_press_is_undone(ticket, nia, signed_in):
    client, path = signed_in(nia), f"/tickets/{ticket.pk}/todos"
    there = f"/tickets/{ticket.pk}?view=mine"
    assert client.post(f"{path}?next={there}", {"do": "add", "text": "Ask for the number"})["Location"] == there
    [one] = Todo.objects.all()
    client.post(path, {"do": f"done={one.pk}"})
    page = client.get(f"/tickets/{ticket.pk}").text
    assert "1 of 1" in page
    assert f"do=open={one.pk}" in page
    client.post(f"{path}?do=open={one.pk}")
    client.post(path, {"do": f"remove={one.pk}"})
    assert f"todo-{one.pk}" not in client.get(f"/tickets/{ticket.pk}").text
    client.post(f"{path}?do=restore={one.pk}")
    assert words(ticket) == [("Ask for the number", "")]
    for odd in ("", "done", "done=x", f"done={10**20}", "burn=1"):
        assert client.post(path, {"do": odd, "text": ""}).status_code == 302
    assert words(ticket) == [("Ask for the number", "")]


def test_htmx_gets_the_list_alone(ticket, nia, signed_in):
    path = f"/tickets/{ticket.pk}/todos"
    client, part = signed_in(nia), {"HX-Request-Type": "partial"}
    answer = client.post(path, {"do": "add", "text": "Ask"}, headers=part)
    assert "<html" not in answer.text
    assert "0 of 1" in answer.text
    assert "HX-Trigger" not in answer  # the line says it
    answer = client.post(path, {"do": f"done={Todo.objects.get().pk}"}, headers=part)
    assert "1 of 1" in answer.text
    assert json.loads(answer["HX-Trigger"])["ui:toast"]["undo"] == f"{path}?do=open={Todo.objects.get().pk}"
    answer = client.post(path, {"do": "add", "text": " "}, headers=part)
    assert json.loads(answer["HX-Trigger"])["ui:toast"]["text"] == "Write what is to be done."


def test_who_may_not_answer_reads_it(ticket, nia, charlie, signed_in):
    services.add_todos(ticket, ["Ask"], actor=nia)
    viewer = signed_in(make.member("Vic", role="viewer"))
    page = viewer.get(f"/tickets/{ticket.pk}").text
    assert "0 of 1" in page
    assert "/todos" not in page
    assert viewer.post(f"/tickets/{ticket.pk}/todos", {"do": "add", "text": "x"}).status_code == 403
    assert signed_in(charlie).post(f"/tickets/{ticket.pk}/todos", {"do": "add", "text": "x"}).status_code == 404


def test_programs_keep_the_list_too(ticket, nia):
    headers = {"Authorization": f"Bearer {make.token(nia)}"}
    base, client = f"/api/v1/tickets/{ticket.pk}", Client(headers=headers)

    def call(method, path, body=None):
        return client.generic(method, path, json.dumps(body or {}), content_type="application/json")

    told = call("POST", f"{base}/checklist", {"items": ["Ask", "Tell"]})
    assert told.status_code == 201
    one, two = (item["id"] for item in told.json())
    assert call("PATCH", f"{base}/checklist/{one}", {"done": True}).json()["doneBy"] == nia.email
    assert call("DELETE", f"{base}/checklist/{two}").status_code == 204
    assert call("DELETE", f"{base}/checklist/999999").status_code == 404
    assert call("POST", f"{base}/checklist", {"items": [""]}).json()["fields"] == {
        "text": ["Write what is to be done."]
    }
    assert [item["text"] for item in client.get(base).json()["checklist"]] == ["Ask"]


def test_it_goes_with_what_the_customer_said_and_stands_in_their_document(ticket, nia):
    services.add_todos(ticket, ["Ask for her number"], actor=nia)
    [told] = export.of_customer(ticket.customer)
    assert told["checklist"] == [{"text": "Ask for her number", "doneAt": None}]
    services.forget_customer(ticket.customer_id)
    assert not Todo.objects.exists()
