"""Beside an error stand the tickets of those that it happened to, as beside a ticket the errors of who asks."""

from __future__ import annotations

import datetime as dt

import make
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.errors.models import Issue, IssueUser
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Status, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def issue(db):
    """It began two hours ago and has happened to nobody yet."""
    found = happen.issue(make.project("Shop"), "KeyError", "'vat_id'")
    IssueUser.objects.all().delete()
    Issue.objects.filter(pk=found.pk).update(first_seen=clock.now() - dt.timedelta(hours=2))
    return Issue.objects.get(pk=found.pk)


def happened_to(issue, customer, *, hours_ago=1):
    IssueUser.objects.create(
        issue=issue, user_key=str(customer.pk), customer_id=customer.pk, count=3,
        last_seen=clock.now() - dt.timedelta(hours=hours_ago),
    )  # fmt: skip


@pytest.fixture
def rail(bob, signed_in, issue):
    """What the page says they wrote about."""

    def text():
        page = signed_in(bob).get(f"/errors/{issue.pk}").text
        return page.partition("They wrote about")[2].partition("</section>")[0]

    return text


def test_a_ticket_of_somebody_it_happened_to_stands_beside_it_and_the_error_beside_the_ticket(
    rail, issue, bob, signed_in
):
    dana = make.dana()
    happened_to(issue, dana)
    ticket, other = make.ticket(dana, "I cannot pay"), make.ticket(make.customer(), "Of somebody else")
    assert f'href="/tickets/{ticket.pk}">I cannot pay' in rail()
    assert f"{ticket.code}, open" in rail()
    assert other.subject not in rail()
    assert f'href="/errors/{issue.pk}"' in signed_in(bob).get(f"/tickets/{ticket.pk}").text


def test_what_cannot_be_about_it_is_left_out(rail, issue, bob):
    dana, frank = make.dana(), make.customer()
    happened_to(issue, dana)
    happened_to(issue, frank, hours_ago=30)
    before, merged, into = (make.ticket(dana, f"Question {name}") for name in ("before", "merged", "into"))
    later = make.ticket(frank, "Long after they met it")
    services.set_status(before, Status.RESOLVED, actor=bob)
    Ticket.objects.filter(pk=before.pk).update(resolved_at=clock.now() - dt.timedelta(hours=3))
    services.merge(merged, into, actor=bob)
    shown = rail()
    assert into.subject in shown
    for one in (before, merged, later):
        assert one.subject not in shown


def test_it_costs_as_many_queries_for_many_customers_as_for_one(bob, signed_in, issue):
    client = signed_in(bob)

    def queries():
        with CaptureQueriesContext(connections["default"]) as asked:
            assert client.get(f"/errors/{issue.pk}").status_code == 200
        return len(asked)

    def one_more():
        customer = make.customer()
        happened_to(issue, customer)
        make.ticket(customer)

    one_more()
    queries()
    one = queries()
    for _ in range(8):
        one_more()
    assert queries() == one
