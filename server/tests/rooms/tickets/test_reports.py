"""Figures about support, held against counting by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import random
from collections import Counter
from zoneinfo import ZoneInfo

import make
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.sla import selectors as sla
from daytwo_server.sla.models import Clock
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Category, Channel, Message, Priority, Status, Ticket
from daytwo_server.tickets.selectors import reports
from daytwo_server.tickets.selectors.reports import DIMENSIONS, Spread, Stretch
from daytwo_server.tickets.services import Change, Impossible, Said

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

ZONE = ZoneInfo("Asia/Kathmandu")  # five hours and three quarters from UTC
START = make.moment("2026-10-20T00:00:00")
OVER = Stretch(dt.date(2026, 11, 1), dt.date(2026, 11, 20), ZONE)


def live_through(bob, *, count=25):
    """A month of support, the same every time."""
    chance, customers = random.Random(5), [make.customer() for _ in range(5)]
    with time_machine.travel(START, tick=False) as now:
        make.policy(next_response_s=6 * 24 * 3600)
        tickets = []
        for _ in range(count * 5):
            now.shift(dt.timedelta(minutes=chance.randint(1, 700)))
            if len(tickets) < count and chance.random() < 0.3:
                tickets.append(
                    make.ticket(
                        chance.choice(customers), category=chance.choice(list(Category)),
                        priority=chance.choice(list(Priority)), channel=chance.choice(list(Channel)),
                    )
                )  # fmt: skip
            elif tickets:
                _act(chance, chance.choice(tickets), bob)
            run_due_jobs(tick=False)


def _act(chance, ticket, bob):
    try:
        match chance.choice(
            ["reply", "reply", "write", "write", "resolve", "resolve", "reopen", "rate", "assign", "close"]
        ):
            case "reply":
                services.reply(ticket, "Which month?", actor=bob)
            case "resolve":
                services.set_status(ticket, Status.RESOLVED, actor=bob)
            case "close":
                services.set_status(ticket, Status.CLOSED, actor=bob)
            case "write":
                services.customer_reply(ticket, Said(content="Hello?"), customer=ticket.customer)
            case "reopen":
                services.set_status(ticket, Status.OPEN, actor=bob)
            case "rate":
                services.rate(ticket, chance.randint(1, 5), chance.choice(["", "Fine."]))
            case "assign":
                services.change(ticket, Change(assignee=bob.email, team=chance.choice(["", "Money"])), actor=bob)
    except Impossible:
        return


def nearest(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


def seconds(one, other):
    return int(one.timestamp()) - int(other.timestamp())


def inside(moment):
    return moment is not None and OVER.since <= moment < OVER.until


def test_every_figure_is_what_counting_by_hand_gives(bob):
    live_through(bob)
    found = reports.report(OVER, list(DIMENSIONS))
    rows = list(Ticket.objects.all())
    moves = list(Message.objects.exclude(after="").order_by("pk"))
    first = [seconds(one.first_response_at, one.created_at) for one in rows if inside(one.first_response_at)]
    resolved = [seconds(one.resolved_at, one.created_at) for one in rows if inside(one.resolved_at)]
    done = [one for one in moves if one.after == "resolved" and inside(one.created_at)]
    back = [one for one in moves if one.before == "resolved" and one.after != "closed" and inside(one.created_at)]
    now = found.totals
    assert now.opened == sum(inside(one.created_at) for one in rows) > 5
    assert (now.resolved, now.reopened) == (len(done), len(back))
    assert now.reopened > 0
    assert (now.first_reply.count, now.first_reply.median, now.first_reply.p90) == (
        len(first), nearest(first, 0.5), nearest(first, 0.9)
    )  # fmt: skip
    assert (now.resolution.median, now.resolution.p90) == (nearest(resolved, 0.5), nearest(resolved, 0.9))
    ratings = [one.rating for one in rows if inside(one.rated_at)]
    assert dict(now.satisfaction.counts) == dict(Counter(ratings))
    assert now.satisfaction.share == pytest.approx(100 * sum(one >= 4 for one in ratings) / len(ratings))
    assert reports.totals(OVER) == now


def test_the_backlog_of_each_day_is_what_was_open_at_its_end(bob):
    live_through(bob)
    moves = list(Message.objects.exclude(after="").order_by("pk"))
    for day in reports.report(OVER, []).days:
        end = dt.datetime.combine(day.date + dt.timedelta(days=1), dt.time(), ZONE)
        status = {one.pk: "open" for one in Ticket.objects.filter(created_at__lt=end)}
        for one in moves:
            if one.created_at < end:
                status[one.ticket_id] = one.after
        assert day.backlog == sum(one not in ("resolved", "closed") for one in status.values()), day.date
        assert day.opened == sum(
            one.created_at.astimezone(ZONE).date() == day.date for one in Ticket.objects.all()
        )  # fmt: skip


def test_a_ticket_that_was_merged_away_was_in_the_backlog_until_then(bob):
    dana = make.dana()
    with time_machine.travel(START, tick=False) as now:
        one, other, resolved = (make.ticket(dana) for _ in range(3))
        services.set_status(resolved, Status.RESOLVED, actor=bob)
        for merged in (one, resolved):
            now.shift(dt.timedelta(days=2))
            services.merge(merged, other, actor=bob)
        now.shift(dt.timedelta(days=2))
        services.merge(other, make.ticket(dana), actor=bob)

    def backlog(first, last):
        over = Stretch(dt.date(2026, 10, first), dt.date(2026, 10, last), ZoneInfo("UTC"))
        return [day.backlog for day in reports.report(over, []).days]

    assert backlog(18, 28) == [0, 0, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert backlog(18, 21) == [0, 0, 2, 2]
    assert backlog(22, 24) == [1, 1, 1]


def test_a_merge_is_no_resolution_and_what_was_resolved_before_it_is_one(bob):
    dana = make.dana()
    with time_machine.travel(START, tick=False) as now:
        duplicate, solved, other = (make.ticket(dana) for _ in range(3))
        for one in (duplicate, solved):
            services.assign(one, bob.email, actor=bob)
        now.shift(dt.timedelta(hours=1))
        services.set_status(solved, Status.RESOLVED, actor=bob)
        now.shift(dt.timedelta(hours=1))
        for one in (duplicate, solved):
            services.merge(one, other, actor=bob)
    over = Stretch(dt.date(2026, 10, 20), dt.date(2026, 10, 20), ZoneInfo("UTC"))
    found = reports.report(over, ["agent"])
    assert found.totals == reports.totals(over)
    assert (found.totals.resolved, found.totals.resolution) == (1, Spread(1, 3600, 3600))
    [agent] = [group for group in found.groups["agent"] if group.value == bob.pk]
    assert (agent.opened, agent.resolved.count) == (2, 1)
    assert [day.resolved for day in found.days] == [1]


def test_groups_are_those_of_the_tickets(bob):
    live_through(bob)
    found = reports.report(OVER, list(DIMENSIONS)).groups
    assert all(len(groups) > 1 for groups in found.values())
    groups = [(DIMENSIONS[name], group.value, group) for name, groups in found.items() for group in groups]
    rows = list(Ticket.objects.all())
    for column, value, group in groups:
        mine = [one for one in rows if getattr(one, column) == value]
        first = [seconds(one.first_response_at, one.created_at) for one in mine if inside(one.first_response_at)]
        resolved = [seconds(one.resolved_at, one.created_at) for one in mine if inside(one.resolved_at)]
        assert group.opened == sum(inside(one.created_at) for one in mine)
        assert group.first_reply.median == nearest(first, 0.5)
        assert group.resolved.median == nearest(resolved, 0.5)
        assert group.satisfaction.total == sum(inside(one.rated_at) for one in mine)


def test_promises_that_were_kept_are_those_of_the_clocks(bob):
    live_through(bob)
    found = sla.kept(OVER.since, OVER.until)
    for kind, kept in found.items():
        ended = [one for one in Clock.objects.filter(kind=kind) if inside(one.ended_at)]
        assert kept.within == sum(one.state == "met" for one in ended)
        assert kept.late == sum(one.state == "breached" for one in ended)
        if kind == "next_response":
            assert list(kept.wall_s) == sorted(seconds(one.ended_at, one.started_at) for one in ended)
        assert list(kept.working_s) == sorted(one.elapsed_s for one in ended)
    assert found["next_response"].within > 0
    assert found["first_response"].late > 0


def test_the_page_asks_the_same_number_of_questions_however_much_there_is(bob, signed_in):
    client = signed_in(bob)
    address = "/reports/support?from=2026-11-01&to=2026-11-20&by=agent"
    client.get(address)
    counts = []
    for count in (5, 40):
        live_through(bob, count=count) if count == 5 else [make.ticket() for _ in range(40)]
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert 15 <= counts[0] <= 30


def test_an_empty_workspace_has_an_empty_report(bob, signed_in):
    page = signed_in(bob).get("/reports/support")
    assert page.status_code == 200
    assert "No ticket was opened or resolved in these days." in page.text


def test_the_csv_holds_the_figures_of_the_page_and_no_formula(bob, signed_in):
    live_through(bob)
    Ticket.objects.update(team="=HYPERLINK(1)")
    address = "/reports/support.csv?from=2026-11-01&to=2026-11-20"
    answer = signed_in(bob).get(address)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(answer.text)))
    cells = {(row["table"], row["group"], row["figure"]): row["value"] for row in table}
    zone = ZoneInfo(bob.time_zone)
    now = reports.totals(Stretch(OVER.first, OVER.last, zone))
    assert cells["totals", "", "opened"] == str(now.opened)
    assert cells["durations", "First reply", "median"] == str(now.first_reply.median)
    assert ("by team", "'=HYPERLINK(1)", "opened") in cells
    accepted = signed_in(bob).get(address.replace(".csv", ""), headers={"Accept": "text/csv"})
    assert accepted.content == answer.content


@pytest.mark.parametrize(
    "query", ["range=8", "from=yesterday", "from=2026-11-20&to=2026-11-01", "from=2020-01-01&to=2026-01-01", "by=shoe", "from=0001-01-01"]
)  # fmt: skip
def test_days_that_nobody_can_report_on_are_refused_in_words(bob, signed_in, query):
    assert signed_in(bob).get(f"/reports/support?{query}").status_code == 400


def test_the_range_stands_in_the_address_and_the_days_before_beside_it(bob, signed_in):
    with time_machine.travel(make.moment("2026-11-20T12:00:00"), tick=False) as now:
        for _ in range(3):
            make.ticket()
        now.shift(dt.timedelta(days=7))
        make.ticket()
        page = signed_in(bob).get("/reports/support?range=7")
        assert "3 before" in page.text
        assert "21 Nov 2026 to 27 Nov 2026" in page.text
