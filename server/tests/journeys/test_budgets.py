"""How heavy a page may be. Every page of the product is weighed, the lists with fifty long rows in them."""

from __future__ import annotations

import datetime as dt
import gzip
import random
import re
from collections.abc import Iterable
from pathlib import Path

import make
import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from journeys.furnished import browser, furnish, whole_pages
from rooms.errors import happen

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.errors import services
from daytwo_server.errors.models import SLOT_S, Bucket, Issue, IssueUser
from daytwo_server.ui.storage import shrinker

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

HTML = 60_000  # bytes as they are read, not as they travel
CSS = 12_000  # gzip
SCRIPTS = 15_000  # gzip, without the libraries of others
ROWS = 50
VALUES = ("Could not reach the payment provider after 3 attempts: connection reset by peer", "'vat_id'")
WHERE = ("billing.invoices.tax in price_for_country", "checkout/steps/Payment.tsx in onSubmit")


def weigh(paths: Iterable[str]) -> int:
    total = 0
    for path in paths:
        name = path.removeprefix("/static/")
        text, shrink = Path(str(finders.find(name))).read_text("utf-8"), shrinker(name)
        total += len(gzip.compress((shrink(text) if shrink else text).encode(), 9))
    return total


def sheets(html: str) -> set[str]:
    return set(re.findall(r'<link rel="stylesheet" href="([^"]+)"', html))


def scripts(html: str) -> set[str]:
    return {path for path in re.findall(r'<script src="([^"]+)"', html) if "/vendor/" not in path}


@pytest.fixture
def workspace():
    return furnish()


def test_no_page_links_more_style_or_script_than_the_budget_allows(workspace):
    owner = browser(User.objects.get(email="alice@example.com"))
    seen, heavy = 0, {}
    for name, _, answer in whole_pages(owner, workspace):
        seen += 1
        sizes = weigh(sheets(answer.text)), weigh(scripts(answer.text))
        if sizes[0] >= CSS or sizes[1] >= SCRIPTS:
            heavy[name] = sizes
    assert heavy == {}
    assert seen >= 10


def many_issues() -> list[Issue]:
    """Fifty errors as long as real ones are, busy in every hour of the day."""
    shop, pick, now = make.project("Brightside Dental backend"), random.Random(7), clock.now()
    for number in range(ROWS):
        happen.issue(
            shop,
            f"PaymentProviderUnavailable{number}",
            VALUES[number % 2],
            at=now - dt.timedelta(minutes=number),
            function=f"charge_{number}",
            release=f"backend@2026.11.{number % 28}-1",
            user={"id": str(number)},
            level="warning" if number % 5 == 0 else "error",
        )
    Bucket.objects.all().delete()
    slot = int(now.timestamp()) // SLOT_S
    found = list(Issue.objects.order_by("pk"))
    Bucket.objects.bulk_create(
        Bucket(issue=one, slot=slot - 12 * hour, count=pick.randint(1, 3000)) for one in found for hour in range(24)
    )
    for number, one in enumerate(found):
        long_ago = now - dt.timedelta(days=number % 5, hours=1)
        Issue.objects.filter(pk=one.pk).update(
            count=pick.randint(1, 99_999), users=pick.randint(1, 9_999), culprit=WHERE[number % 2], first_seen=long_ago
        )
    return found


def test_fifty_long_errors_are_a_light_page():
    bob = make.bob()
    make.project("Website")
    found = many_issues()
    services.assign([one.pk for one in found[::2]], bob.email, actor=bob)
    page = browser(bob).get("/errors?status=all").content
    assert page.count(b"<tr id=") == ROWS
    assert len(page) < HTML


def test_fifty_events_are_a_light_page():
    bob, shop, now = make.bob(), make.project("Brightside Dental backend"), clock.now()
    for number in range(ROWS):
        one = happen.issue(
            shop, "KeyError", VALUES[0], at=now - dt.timedelta(minutes=number), release="backend@2026.11.23-1",
            user={"id": str(number), "email": f"somebody.{number}@brightside-dental.example"},
        )  # fmt: skip
    page = browser(bob).get(f"/errors/{one.pk}/events").content
    assert page.count(b"<tr>") >= ROWS
    assert len(page) < HTML


def test_fifty_customers_are_a_light_page():
    bob = make.bob()
    for number in range(ROWS):
        make.customer(
            name=f"Dr. Annabel Featherstonehaugh-{number}",
            email=f"annabel.featherstonehaugh.{number}@brightside-dental.example",
            organization=make.organization(f"Brightside Dental Practice No. {number}"),
            plan="enterprise",
        )
    page = browser(bob).get("/customers/").content
    assert page.count(b"<tr") > ROWS
    assert len(page) < HTML


def test_fifty_errors_of_a_customer_are_a_light_page():
    bob, dana = make.bob(), make.dana()
    found = many_issues()
    IssueUser.objects.filter(issue__in=found).update(customer_id=dana.pk)
    page = browser(bob).get(reverse("customers:detail", args=[dana.pk])).content
    assert page.count(b"PaymentProviderUnavailable") >= 20
    assert len(page) < HTML


def test_fifty_projects_and_fifty_tokens_are_light_pages():
    alice = make.alice()
    for number in range(ROWS):
        make.key(make.project(f"Brightside Dental application number {number}"))
        make.token(alice, scopes=("errors.view", "projects.view", "errors.triage"))
    client = browser(alice)
    for path in ("/projects/", "/settings/tokens/"):
        page = client.get(path).content
        assert len(page) < HTML, path
