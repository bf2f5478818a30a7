"""Fill a stopped installation with tickets up to a number, one answer each, of 900 customers, in all states and over a
year. `python seed_tickets.py DATA_DIR COUNT` prints the middle one's number."""

from __future__ import annotations

import datetime as dt
import os
import random
import sys

os.environ["DAYTWO_DATA_DIR"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "daytwo_server.main.settings"

import django  # noqa: E402 - the settings come first

django.setup()

from django.db import connection, transaction  # noqa: E402

from daytwo_server.accounts.models import User  # noqa: E402
from daytwo_server.core import clock, search  # noqa: E402
from daytwo_server.customers.models import Customer  # noqa: E402
from daytwo_server.tickets.machine import REOPEN_WINDOW  # noqa: E402
from daytwo_server.tickets.models import Category, Message, Priority, Status, Tag, Ticket  # noqa: E402

WORDS = [
    "login",
    "invoice",
    "export",
    "webhook",
    "timeout",
    "error",
    "page",
    "slow",
    "payment",
    "api",
    "key",
    "refund",
    "team",
    "invite",
    "sso",
    "chart",
]
CUSTOMERS, BATCH = 900, 2000
STATES = [Status.OPEN, Status.PENDING, Status.IN_PROGRESS, Status.WAITING_CUSTOMER] + [
    Status.RESOLVED,
    Status.CLOSED,
] * 8


def main(count: int) -> None:
    chance, now = random.Random(7), clock.now()  # noqa: S311 - the same figures every time
    customers, agent = _customers(now), User.objects.order_by("pk").first()
    have = Ticket.objects.count()
    for start in range(have, count, BATCH):
        with transaction.atomic():
            _some(range(start, min(count, start + BATCH)), customers, agent, now, chance)
    if connection.vendor == "postgresql":  # which looks at what came over months by itself
        connection.cursor().execute("ANALYZE")
    print(Ticket.objects.order_by("pk")[count // 2].pk)


def _customers(now: dt.datetime) -> list[Customer]:
    made = [
        Customer(key=f"id:c{n}", email=f"c{n}@example.com", name=f"Customer {n}", first_seen=now, last_seen=now)
        for n in range(CUSTOMERS)
    ]
    Customer.objects.bulk_create(made, ignore_conflicts=True)
    return list(Customer.objects.filter(key__startswith="id:c").order_by("pk")[:CUSTOMERS])


def _some(
    numbers: range, customers: list[Customer], agent: User | None, now: dt.datetime, chance: random.Random
) -> None:
    tickets = Ticket.objects.bulk_create([_ticket(n, customers, agent, now, chance) for n in numbers])
    said = [_message(each, " ".join(chance.choices(WORDS, k=60)), each.created_at) for each in tickets]
    said += [_message(each, "x " * 60, each.created_at + dt.timedelta(hours=1), agent) for each in tickets]
    Message.objects.bulk_create(said)
    Tag.objects.bulk_create([Tag(ticket=each, name=chance.choice(WORDS)) for each in tickets[::3]])
    search.index_many(
        "ticket", [(each.pk, each.subject, words.content) for each, words in zip(tickets, said, strict=False)]
    )


def _ticket(n: int, customers: list[Customer], agent: User | None, now: dt.datetime, chance: random.Random) -> Ticket:
    at, status = now - dt.timedelta(minutes=5 * n), chance.choice(STATES)
    done = at + dt.timedelta(hours=9) if status in (Status.RESOLVED, Status.CLOSED) else None
    if done and done < now - REOPEN_WINDOW:
        status = Status.CLOSED  # or a job would be busy closing them while something is measured
    ours = status in (Status.OPEN, Status.PENDING, Status.IN_PROGRESS)
    return Ticket(
        customer=customers[n % CUSTOMERS], subject=" ".join(chance.choices(WORDS, k=5)), status=status,
        category=chance.choice(list(Category)), priority=chance.choice(list(Priority)), created_at=at, updated_at=done or at,
        status_at=done or at, first_response_at=at + dt.timedelta(hours=1), resolved_at=done,
        closed_at=done if status == Status.CLOSED else None, waiting_since=at if ours else None, last_customer_at=at,
        last_agent_at=at + dt.timedelta(hours=1), assignee=agent if n % 3 else None, reopened_count=n % 17 == 0,
        rating=chance.randint(1, 5) if done and n % 4 == 0 else None, rated_at=done if done and n % 4 == 0 else None,
    )  # fmt: skip


def _message(ticket: Ticket, text: str, at: dt.datetime, agent: User | None = None) -> Message:
    author = Message.Author.AGENT if agent else Message.Author.CUSTOMER
    who = None if agent else ticket.customer
    return Message(
        ticket=ticket, kind="public", author_type=author, author=agent, customer=who, content=text, created_at=at
    )


if __name__ == "__main__":
    main(int(sys.argv[2]))
