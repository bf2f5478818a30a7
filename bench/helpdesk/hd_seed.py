"""As many tickets with one answer each as `bench/seed_tickets.py` gives Daytwo, with the same words and states."""

import random
import sys
from datetime import timedelta

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402
from helpdesk.models import FollowUp, Queue, Ticket  # noqa: E402

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


def main(count: int) -> None:
    chance, now = random.Random(7), timezone.now()  # noqa: S311
    queue = Queue.objects.create(
        title="Support",
        slug="support",
        email_address="support@example.com",
        allow_public_submission=True,
        new_ticket_cc="team@example.com",
    )
    agent = User.objects.create_superuser("agent", "agent@example.com", "agent")
    tickets = [
        Ticket(
            title=" ".join(chance.choices(WORDS, k=5)), queue=queue, created=now - timedelta(minutes=5 * n),
            submitter_email=f"c{n % 900}@example.com", description=" ".join(chance.choices(WORDS, k=60)),
            status=chance.choice([1, 1, 2, 3, 4]), priority=chance.randint(1, 5), assigned_to=agent if n % 3 else None,
            secret_key=f"{n:036d}",
        )
        for n in range(count)
    ]  # fmt: skip
    Ticket.objects.bulk_create(tickets, batch_size=500)
    answers = [
        FollowUp(ticket=ticket, date=ticket.created, title="Reply", comment="x " * 60, public=True, user=agent)
        for ticket in Ticket.objects.order_by("id")
    ]
    FollowUp.objects.bulk_create(answers, batch_size=500)


main(int(sys.argv[1]))
