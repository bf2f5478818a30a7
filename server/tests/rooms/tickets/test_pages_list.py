"""The inbox as agents use it."""

from __future__ import annotations

import datetime as dt
import re

import make
import pytest

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Priority, Status, Ticket
from daytwo_server.tickets.selectors import inbox
from daytwo_server.tickets.services import Change
from daytwo_server.ui import nav

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def dana():
    return make.dana(organization=make.organization())


@pytest.fixture
def agent(db, signed_in):
    return signed_in(make.member("Nia", role=Membership.Role.AGENT))


@pytest.fixture
def nia(agent):
    return Membership.objects.get(user__name="Nia").user


def codes(answer):
    return re.findall(r'<li class="row[^"]*" id="(T-\d+)"', answer.text)


def since(ticket, minutes, **fields):
    """The ticket, whose customer waits since so many minutes."""
    at = clock.now() - dt.timedelta(minutes=minutes)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at, updated_at=at, waiting_since=at, **fields)
    return ticket


def test_the_most_urgent_stands_first_and_of_equals_who_waits_longest_and_where_nobody_waits_last(agent, dana):
    low, medium, older, urgent, answered = (make.ticket(dana) for _ in range(5))
    since(low, 600, priority=Priority.LOW)
    since(medium, 20)
    since(older, 50)
    since(urgent, 1, priority=Priority.URGENT)
    since(answered, 900, priority=Priority.URGENT)
    Ticket.objects.filter(pk=answered.pk).update(status=Status.WAITING_CUSTOMER, waiting_since=None)
    expected = [urgent.code, older.code, medium.code, low.code, answered.code]
    assert codes(agent.get("/tickets")) == expected


def test_the_order_holds_over_pages(agent, dana):
    for number in range(7):
        since(make.ticket(dana), number, priority=list(Priority)[number % 3])
    found, cursor = [], ""
    while True:
        page = inbox.inbox(Ticket.objects.all(), cursor=cursor, limit=3)
        found += [one.pk for one in page.rows]
        if not page.next:
            break
        cursor = page.next
    whole = [one.pk for one in inbox.inbox(Ticket.objects.all(), limit=50).rows]
    assert found == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("", "open mine waiting"),
        ("mine", "mine"),
        ("unassigned", "open waiting"),
        ("waiting", "waiting"),
        ("resolved", "done"),
        ("all", "open mine waiting done"),
    ],
)
def test_each_tab_shows_its_tickets(agent, nia, dana, view, shown):
    tickets = {name: make.ticket(dana, subject=f"Ticket {name}") for name in ("open", "mine", "waiting", "done")}
    services.assign(tickets["mine"], nia.email, actor=nia)
    services.set_status(tickets["waiting"], Status.WAITING_CUSTOMER, actor=nia)
    services.set_status(tickets["done"], Status.RESOLVED, actor=nia)
    found = codes(agent.get(f"/tickets?view={view}" if view else "/tickets"))
    assert set(found) == {tickets[name].code for name in shown.split()}


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("status:resolved", "second"), ("priority:urgent", "first"), ("assignee:me", "first second"), ("tag:vip", "first"),
        ("customer:dana@example.com", "first second"), ("customer:nobody@example.com", ""), ("is:unassigned", ""),
        ("category:billing", ""), ("!tag:vip status:resolved", "second"), ("exports", "first second"), ("status:closed", ""),
    ],
)  # fmt: skip
def test_the_search_box_understands_terms_and_words(agent, nia, dana, query, matches):
    first, second = make.ticket(dana), make.ticket(dana)
    services.change(first, Change(priority=Priority.URGENT, add_tags=["vip"], assignee=nia.email), actor=nia)
    services.change(second, Change(status=Status.RESOLVED, assignee=nia.email), actor=nia)
    named = {"first": first.code, "second": second.code}
    found = codes(agent.get("/tickets", {"query": query, "view": "all"}))
    assert set(found) == {named[name] for name in matches.split()}


def test_who_asks_for_a_status_looks_among_all_tickets(agent, nia, dana):
    ticket = make.ticket(dana)
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    assert codes(agent.get("/tickets", {"query": "status:resolved"})) == [ticket.code]


@pytest.mark.parametrize(
    "address", ["?query=is:purple", "?view=purple", "?sort=purple", "?cursor=purple", "?query=purple:1"]
)
def test_an_address_that_nobody_understands_is_refused_in_words_with_a_way_back(agent, dana, address):
    answer = agent.get(f"/tickets{address}")
    assert answer.status_code == 400
    assert "This list cannot be shown" in answer.text
    assert 'href="/tickets"' in answer.text


def test_ticked_tickets_change_together_and_one_undo_takes_all_of_it_back(agent, nia, dana):
    tickets = [make.ticket(dana) for _ in range(3)]
    services.change(tickets[1], Change(priority=Priority.HIGH, assignee=nia.email), actor=nia)
    form = {"do": "status=resolved", "ticket": [str(one.pk) for one in tickets]}
    answer = agent.post("/tickets", form, follow=True)
    assert "3 tickets resolved" in answer.text
    assert set(Ticket.objects.values_list("status", flat=True)) == {"resolved"}
    agent.post(undo_of(answer), {"next": "/tickets"})
    assert list(Ticket.objects.order_by("pk").values_list("status", flat=True)) == ["open", "in_progress", "open"]


@pytest.mark.parametrize(
    ("do", "field", "value"),
    [
        ("priority=urgent", "priority", "urgent"),
        ("assignee=me", "assignee__name", "Nia"),
        ("category=billing", "category", "billing"),
        ("team=?", "team", "Money"),
        ("tag=?", "tags__name", "refund"),
    ],
)
def test_whatever_is_changed_can_be_taken_back(agent, dana, do, field, value):
    ticket = make.ticket(dana)
    before = Ticket.objects.filter(pk=ticket.pk).values(field, "status").get()
    answer = agent.post("/tickets", {"do": do, "ticket": ticket.pk, "team": "Money", "tag": "Refund"}, follow=True)
    assert Ticket.objects.filter(pk=ticket.pk).values_list(field, flat=True).get() == value
    agent.post(undo_of(answer))
    assert Ticket.objects.filter(pk=ticket.pk).values(field, "status").get() == before


def undo_of(answer):
    return re.search(r'action="(/tickets/undo\?back=[^"]+)"', answer.text)[1]


def test_an_undo_leaves_alone_what_somebody_changed_since(agent, nia, dana):
    ticket = make.ticket(dana)
    answer = agent.post("/tickets", {"do": "priority=urgent", "ticket": ticket.pk}, follow=True)
    services.change(ticket, Change(priority=Priority.LOW), actor=nia)
    told = agent.post(undo_of(answer), follow=True)
    assert "Nothing was undone" in told.text
    assert Ticket.objects.get().priority == Priority.LOW


def test_a_forged_or_late_undo_does_nothing(agent, dana, time_machine):
    ticket = make.ticket(dana)
    answer = agent.post("/tickets", {"do": "priority=urgent", "ticket": ticket.pk}, follow=True)
    address = undo_of(answer)
    agent.post(address.replace("back=", "back=x"))
    time_machine.move_to(clock.now() + dt.timedelta(minutes=11), tick=False)
    agent.post(address)
    assert Ticket.objects.get().priority == Priority.URGENT


def test_what_one_ticket_forbids_does_not_stop_the_others_and_is_told(agent, nia, dana):
    closed, fine = make.ticket(dana), make.ticket(dana)
    services.set_status(closed, Status.RESOLVED, actor=nia)
    services.set_status(closed, Status.CLOSED, actor=nia)
    answer = agent.post("/tickets", {"do": "priority=high", "ticket": [closed.pk, fine.pk]}, headers=PART)
    assert (
        f"{fine.code} priority high; 1 could not be. {closed.code}: This ticket is closed"
        in answer.headers["HX-Trigger"]
    )
    assert Ticket.objects.get(pk=fine.pk).priority == Priority.HIGH


def test_closing_is_for_good_and_offers_no_undo(agent, nia, dana):
    ticket = make.ticket(dana)
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    answer = agent.post("/tickets", {"do": "status=closed", "ticket": ticket.pk}, follow=True)
    assert f"{ticket.code} now closed" in answer.text
    assert "/tickets/undo" not in answer.text


def test_all_that_match_are_those_that_were_there_when_the_list_was_shown(agent, dana):
    before, other = make.ticket(dana), make.ticket(dana, subject="Something else", content="Quite another thing.")
    mark = re.search(r"mark=(\d+)", agent.get("/tickets").text)[1]
    after = make.ticket(dana)
    agent.post("/tickets?query=exports", {"do": "priority=high", "every": mark})
    assert dict(Ticket.objects.values_list("pk", "priority")) == {
        before.pk: "high",
        other.pk: "medium",
        after.pk: "medium",
    }


@pytest.mark.parametrize(
    "form",
    [
        {"do": "purple=1"},
        {"do": "status=purple"},
        {"do": "priority="},
        {"do": "tag=?"},
        {"do": "tag=?", "tag": "x" * 60},
        {"do": "assignee=nobody@example.com"},
        {},
    ],
)
def test_nonsense_changes_nothing_and_says_so(agent, dana, form):
    ticket = make.ticket(dana)
    answer = agent.post("/tickets", form | {"ticket": ticket.pk}, headers=PART)
    assert '"level": "error"' in answer.headers["HX-Trigger"]
    assert Ticket.objects.get().updated_at == ticket.updated_at


def test_nothing_is_done_where_nothing_is_ticked(agent, dana):
    make.ticket(dana)
    assert (
        "Nothing is selected" in agent.post("/tickets", {"do": "status=resolved"}, headers=PART).headers["HX-Trigger"]
    )


def test_r_and_n_on_a_row_lead_to_where_it_is_answered(agent, dana):
    ticket = make.ticket(dana)
    for where in ("reply", "note"):
        answer = agent.post("/tickets?view=all", {"do": f"{where}:{ticket.pk}"}, headers=PART)
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (
            204,
            f"/tickets/{ticket.pk}?view=all#draft-{where}",
        )


def test_news_are_told_and_move_nothing(agent, nia, dana):
    changed = make.ticket(dana)
    url = re.search(r'hx-get="(/tickets/news[^"]+)"', agent.get("/tickets").text)[1].replace("&amp;", "&")
    assert agent.get(url).text.strip() == ""
    make.ticket(dana)
    services.change(changed, Change(priority=Priority.HIGH), actor=nia)
    assert "1 new, 1 changed. Show" in agent.get(url).text


def test_news_without_a_mark_are_refused(agent):
    assert agent.get("/tickets/news").status_code == 400


def test_the_navigation_counts_whose_customers_wait(agent, nia, dana):
    answered, waits = make.ticket(dana), make.ticket(dana)
    services.reply(answered, "Hello", actor=nia)
    nav.forget_counts()
    assert list(inbox.waiting()) == [waits]
    assert 'title="1 whose customer waits for an answer"' in agent.get("/tickets").text


def test_an_engineer_reads_and_answers_but_is_offered_no_change(bob, signed_in, dana):
    make.ticket(dana)
    page = signed_in(bob).get("/tickets").text
    assert "New ticket" in page
    assert 'name="do" value="status=' not in page
    assert 'type="checkbox" name="ticket"' not in page


def test_a_list_costs_at_most_eight_queries_whatever_there_is(agent, nia, dana, django_assert_max_num_queries):
    for number in range(60):
        ticket = make.ticket(make.customer(organization=dana.organization), subject=f"Exports are empty {number}")
        services.change(ticket, Change(add_tags=["a", "b"], assignee=nia.email), actor=nia)
    agent.get("/tickets")
    with django_assert_max_num_queries(8) as few:
        answer = agent.get("/tickets")
    assert len(codes(answer)) == 25
    Ticket.objects.filter(pk__gt=5).update(status=Status.WAITING_CUSTOMER)
    with django_assert_max_num_queries(len(few)):
        agent.get("/tickets?view=waiting")


def test_an_empty_view_says_what_to_do(agent, dana):
    assert "Nobody waits" in agent.get("/tickets").text
    assert "No ticket yet" in agent.get("/tickets?view=all").text
    make.ticket(dana)
    assert "Nothing matches" in agent.get("/tickets?query=tag:none").text


def test_a_view_can_be_saved_and_is_a_tab(agent, dana):
    agent.post("/views/", {"page": "tickets", "name": "Big ones", "query": "priority=urgent", "next": "/tickets"})
    assert "Big ones" in agent.get("/tickets").text
