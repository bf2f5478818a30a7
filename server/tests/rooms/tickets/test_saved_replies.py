"""Answers that are given often."""

import json
import re

import make
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.accounts.models import Membership
from daytwo_server.core.models import AuditEntry
from daytwo_server.tickets import services, variables
from daytwo_server.tickets.models import Message, SavedReply, Ticket
from daytwo_server.tickets.selectors import saved_replies as selectors
from daytwo_server.tickets.services import Invalid, ReplyWords

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
REFUND = {
    "name": "Refund",
    "text": "Hello {{customer.first_name|there}}, {{ticket.code}} is refunded.\n{{agent.first_name}}",
}


@pytest.fixture
def nia(db):
    return make.member("Nia Wood", role=Membership.Role.AGENT)


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana(name="Dana Scully", organization=make.organization()))


@pytest.fixture
def agent(nia, signed_in):
    return signed_in(nia)


def saved(by, **changes):
    return services.save_reply(ReplyWords(**REFUND | {"shared": True} | changes), actor=by)


# -- variables


def test_variables_are_filled_in_with_what_is_known(nia, ticket):
    one = saved(
        nia, text="{{customer.name}} of {{ organization.name }}: {{ticket.subject}}, {{agent.name}} {{customer.email}}"
    )
    assert services.filled_for(one, ticket, nia) == (
        "Dana Scully of Brightside Dental: Exports are empty, Nia Wood dana@example.com"
    )


def test_where_nothing_is_known_stands_what_follows_the_bar(nia):
    nobody = make.ticket(make.customer())
    one = saved(nia, text="Hello {{customer.first_name|there}}{{organization.name}}{{customer.name|}}!")
    assert services.filled_for(one, nobody, nia) == "Hello there!"


def test_what_is_put_in_is_not_read_again(nia):
    sly = make.ticket(make.customer(name="{{agent.name}} {% now 'Y' %}"), "{{customer.email}}")
    one = saved(nia, text="{{customer.name}} {{ticket.subject}}")
    assert services.filled_for(one, sly, nia) == "{{agent.name}} {% now 'Y' %} {{customer.email}}"


@pytest.mark.parametrize("text", ["{{customer.password}}", "{{}}", "{{ticket}}", "{{ticket.code", "code}}", "{{a\nb}}"])
def test_an_unknown_variable_is_said_when_it_is_saved(nia, text):
    with pytest.raises(Invalid) as problem:
        saved(nia, text=f"Hello {text}")
    assert list(problem.value.fields) == ["text"]


@given(text=st.text(st.characters(categories=["L", "P", "Zs"]) | st.sampled_from("{}|"), max_size=60))
def test_a_text_that_is_taken_can_be_filled_and_keeps_no_braces(text):
    if not variables.problem(text):
        assert "{{" not in variables.filled(text, {})
        assert "}}" not in variables.filled(text, {})


# -- the pages


def test_the_empty_page_teaches(agent):
    page = agent.get("/settings/replies").text
    assert "No saved reply yet" in page
    assert "Names in double braces" in page


def test_a_reply_is_written_changed_deleted_and_brought_back(agent, nia):
    form = REFUND | {"shortcut": "Refund", "tags": "Money, refund", "status": "resolved", "shared": "on"}
    assert agent.post("/settings/replies/new", form).status_code == 302
    one = SavedReply.objects.get()
    assert (one.shortcut, one.tags, one.status, one.shared, one.owner) == (
        "refund",
        ["money", "refund"],
        "resolved",
        True,
        nia,
    )
    assert "Send and resolve; tags money, refund" in agent.get("/settings/replies").text
    agent.post(f"/settings/replies/{one.pk}", form | {"name": "Money back"})
    agent.post(f"/settings/replies/{one.pk}/delete")
    assert selectors.listed(nia).rows == []
    agent.post(f"/settings/replies/{one.pk}/restore")
    assert selectors.listed(nia).rows == [one]
    verbs = AuditEntry.objects.filter(action__startswith="tickets:saved-reply:").order_by("pk")
    assert [one.action.rpartition(":")[2] for one in verbs] == ["created", "changed", "deleted", "restored"]


def test_what_is_wrong_stands_below_its_field(agent):
    answer = agent.post("/settings/replies/new", {"name": " ", "text": "{{x}}", "shortcut": "a b", "status": "closed"})
    assert answer.status_code == 422
    answer = agent.post("/settings/replies/new", {"name": "A", "text": "{{x}}", "shortcut": "a b"}, headers=PART)
    assert answer.status_code == 422
    assert "There is no variable {{x}}" in answer.text
    assert "Letters, digits, - and _ alone" in answer.text
    assert not SavedReply.objects.exists()


def test_ones_own_are_nobody_elses(agent, nia, signed_in):
    one = saved(nia, shared=False)
    other = signed_in(make.member("Omar", role=Membership.Role.AGENT))
    assert "Refund" not in other.get("/settings/replies").text
    assert other.get(f"/settings/replies/{one.pk}").status_code == 404
    assert other.post(f"/settings/replies/{one.pk}/delete").status_code == 404


def test_an_engineer_keeps_their_own_and_shares_none(signed_in, bob, nia):
    shared, engineer = saved(nia), signed_in(bob)
    engineer.post("/settings/replies/new", REFUND | {"name": "Mine", "shared": "on"})
    assert SavedReply.objects.get(name="Mine").shared is False
    answer = engineer.post(f"/settings/replies/{shared.pk}/delete")
    assert answer.status_code == 403
    assert "Owner, Admin or Agent" in answer.text or "Owner, Admin or Support agent" in answer.text


# -- in a ticket


def test_the_most_used_come_first_and_those_of_the_category_before_them(nia):
    for name, used, category in (("Rare", 1, ""), ("Often", 9, ""), ("Fitting", 2, "billing")):
        SavedReply.objects.filter(pk=saved(nia, name=name, category=category).pk).update(used=used)
    assert [one.name for one in selectors.offered(nia)] == ["Often", "Fitting", "Rare"]
    assert [one.name for one in selectors.offered(nia, category="billing")] == ["Fitting", "Often", "Rare"]
    assert [one.name for one in selectors.offered(nia, text="rar")] == ["Rare"]


def test_a_shortcut_finds_its_reply_first(nia):
    SavedReply.objects.filter(pk=saved(nia, name="About rf").pk).update(used=50)
    saved(nia, name="Money", shortcut="rf")
    assert [one.name for one in selectors.offered(nia, text="rf")] == ["Money", "About rf"]


def test_the_menu_offers_and_inserts_the_text_for_this_ticket(agent, nia, ticket):
    one = saved(nia, status="resolved", tags=["money"])
    menu = agent.get(f"/tickets/{ticket.pk}/saved", headers=PART).text
    assert f"/tickets/{ticket.pk}/saved/{one.pk}" in menu
    part = agent.get(f"/tickets/{ticket.pk}/saved/{one.pk}", headers=PART).text
    assert f"<template data-insert>Hello Dana, T-{ticket.pk} is refunded.\nNia</template>" in part
    assert "Send and resolve" in part


def test_without_a_script_what_was_written_and_the_reply_are_both_in_the_field(agent, nia, ticket):
    one = saved(nia, tags=["money"])
    agent.post(f"/tickets/{ticket.pk}/saved", {"reply": "I looked at it."})
    page = agent.get(f"/tickets/{ticket.pk}/saved")
    link = re.search(rf'href="(/tickets/{ticket.pk}/saved/{one.pk})"', page.text)[1]
    shown = agent.get(link, follow=True).text
    field = re.search(r'id="draft-reply".*?>\n(.*?)</textarea>', shown, re.DOTALL)[1]
    assert field == f"I looked at it.\n\nHello Dana, T-{ticket.pk} is refunded.\nNia"
    assert f'name="use" value="{one.pk}"' in shown


def test_sending_with_a_reply_counts_it_and_puts_its_tags_on(agent, nia, ticket):
    one = saved(nia, status="resolved", tags=["money"])
    form = {"reply": "Hello Dana.", "use": str(one.pk), "status": "resolved", "seen": "9" * 15}
    assert agent.post(f"/tickets/{ticket.pk}/reply", form).status_code == 302
    now = Ticket.objects.get()
    assert (now.status, [tag.name for tag in now.tags.all()]) == ("resolved", ["money"])
    assert SavedReply.objects.get().used == 1
    assert Message.objects.filter(author_type="agent").get().content == "Hello Dana."


def test_a_reply_with_too_many_tags_is_refused_at_the_field_and_keeps_all_that_was_typed(agent):
    many = ", ".join(f"tag{number}" for number in range(21))
    for headers in ({}, {"HX-Request": "true"}):
        page = agent.post("/settings/replies/new", REFUND | {"tags": many}, headers=headers)
        assert page.status_code == 422
        assert "At most 20 tags, and these are 21." in re.search(r'id="id_tags_error".*?</svg>(.*?)</', page.text)[1]
        assert f'value="{many}"' in page.text
        assert 'value="Refund"' in page.text
    assert not SavedReply.objects.exists()


def test_as_many_tags_as_a_reply_may_have_fit_into_the_field(agent):
    most = [f"{number:02}{'x' * 48}" for number in range(20)]
    assert agent.post("/settings/replies/new", REFUND | {"tags": ", ".join(most)}).status_code == 302
    assert SavedReply.objects.get().tags == most


def test_an_answer_is_sent_though_the_ticket_has_no_room_for_all_tags_of_the_reply(agent, nia, ticket):
    services.change(ticket, services.Change(tags=[f"tag{number:02}" for number in range(19)]), actor=nia)
    one = saved(nia, tags=["money", "refund", "tag00"])
    form = {"reply": "Hello Dana.", "use": str(one.pk), "seen": "9" * 15}
    page = agent.post(f"/tickets/{ticket.pk}/reply", form, follow=True)
    assert Message.objects.filter(author_type="agent").get().content == "Hello Dana."
    assert Ticket.objects.get().tags.filter(name__in=["money", "refund"]).get().name == "money"
    assert "The tag refund was not added: a ticket has at most 20." in page.text


def test_what_is_refused_counts_nothing(agent, nia, ticket):
    one = saved(nia, tags=["money"])
    agent.post(f"/tickets/{ticket.pk}/reply", {"reply": "Hello.", "use": str(one.pk), "seen": "0"})
    assert SavedReply.objects.get().used == 0
    assert not Ticket.objects.get().tags.exists()


# -- the API


def api(token, method, path, body=None):
    client = Client(headers={"Authorization": f"Bearer {token}"})
    raw = json.dumps(body) if body is not None else b""
    return client.generic(method, f"/api/v1/{path}", raw, content_type="application/json")


def test_the_api_keeps_changes_and_deletes_them(nia):
    token = make.token(nia)
    made = api(token, "POST", "saved-replies", REFUND | {"tags": ["Money"]})
    assert made.status_code == 201
    body = made.json()
    assert (body["shared"], body["tags"], body["owner"], body["used"]) == (True, ["money"], "nia.wood@example.com", 0)
    path = f"saved-replies/{body['id']}"
    assert api(token, "PATCH", path, {"status": "resolved"}).json()["status"] == "resolved"
    assert api(token, "GET", "saved-replies").json()["results"][0]["name"] == "Refund"
    assert api(token, "PATCH", path, {"text": "{{nobody}}"}).json()["fields"]["text"]
    assert api(token, "DELETE", path).status_code == 204
    assert api(token, "GET", path).status_code == 404


def test_a_personal_one_is_seen_by_its_owners_tokens_alone(nia, alice):
    made = api(make.token(nia), "POST", "saved-replies", REFUND | {"shared": False}).json()
    assert api(make.token(alice), "GET", f"saved-replies/{made['id']}").status_code == 404
    refused = api(make.token(None), "POST", "saved-replies", REFUND | {"shared": False})
    assert refused.status_code == 400
    assert list(refused.json()["fields"]) == ["shared"]


def test_one_that_nobody_owns_becomes_somebodys_when_it_is_no_longer_everybodys(nia):
    program, person = make.token(None), make.token(nia)
    path = f"saved-replies/{api(program, 'POST', 'saved-replies', REFUND).json()['id']}"
    refused = api(program, "PATCH", path, {"shared": False})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["shared"])
    assert api(person, "PATCH", path, {"text": "Sorry."}).json()["owner"] is None
    kept = api(person, "PATCH", path, {"shared": False}).json()
    assert (kept["owner"], kept["shared"]) == ("nia.wood@example.com", False)
    assert api(person, "GET", path).status_code == 200
