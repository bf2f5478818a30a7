"""One mail, some time after a ticket was resolved."""

import datetime as dt

import make
import pytest
from django.test import Client
from rooms.portal.visiting import links_to

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock, jobs, preferences
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job
from daytwo_server.mail.models import Delivery
from daytwo_server.portal import services as portal
from daytwo_server.tickets import capability, services
from daytwo_server.tickets.models import Channel, Status, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def nia(db):
    return make.member("Nia", role=Membership.Role.AGENT)


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


def resolve(ticket, nia):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    run_due_jobs()


def an_hour_later(minutes=61):
    """Everything that waits for its time is due now."""
    Job.objects.filter(kind="portal.ask", run_at__lte=clock.now() + dt.timedelta(minutes=minutes)).update(
        run_at=clock.now()
    )
    run_due_jobs()


def asked():
    return Delivery.objects.filter(about__startswith="ticket_rating:")


def test_who_rates_faster_than_people_do_is_asked_to_wait_and_keeps_the_words(ticket, nia):
    services.set_status(ticket, Status.RESOLVED, actor=nia)
    page = f"/help/tickets/{capability.token(ticket)}/rating"
    answers = [Client().post(page, {"rating": 1 + n % 5, "comment": f"Number {n}"}) for n in range(7)]
    assert [answer.status_code for answer in answers] == [302] * 6 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 10
    assert "Number 6</textarea>" in answers[-1].text
    assert Ticket.objects.get(pk=ticket.pk).rating_comment == "Number 5"


def test_an_hour_after_it_was_resolved_the_customer_is_asked_once(ticket, nia):
    resolve(ticket, nia)
    an_hour_later(minutes=59)
    assert not asked().exists()
    an_hour_later()
    mail = asked().get()
    assert (mail.to, mail.automatic) == ("dana@example.com", True)
    assert len([link for link in links_to(mail.to) if "rating=" in link]) == 5
    an_hour_later()
    assert asked().count() == 1


def test_each_of_the_five_links_leads_to_its_own_rating(ticket, nia):
    resolve(ticket, nia)
    an_hour_later()
    for link in links_to("dana@example.com"):
        page = Client().get(link)
        assert page.status_code == 200
        if "rating=" in link:
            assert f'value="{link[-1]}" required checked' in page.text
    assert Ticket.objects.get().rating is None


def test_what_was_opened_again_is_asked_about_after_it_is_resolved_again(ticket, nia):
    resolve(ticket, nia)
    services.set_status(ticket, Status.OPEN, actor=nia)
    an_hour_later()
    assert not asked().exists()
    resolve(ticket, nia)
    an_hour_later()
    services.set_status(ticket, Status.OPEN, actor=nia)
    resolve(ticket, nia)
    an_hour_later()
    assert asked().count() == 2


def test_a_job_that_runs_again_after_a_crash_asks_nobody_twice(ticket, nia):
    resolve(ticket, nia)
    resolved_at = Ticket.objects.get().resolved_at
    assert portal.ask(ticket.pk, resolved_at)
    assert not portal.ask(ticket.pk, resolved_at)
    an_hour_later()
    assert asked().count() == 1


def test_the_mail_and_the_end_of_the_job_are_one_transaction():
    assert jobs.registry.kind_named("portal.ask").atomic


def _phone(ticket, nia):
    Ticket.objects.update(channel=Channel.PHONE)


def _spam(ticket, nia):
    services.mark(ticket, "spam")


def _merged(ticket, nia):
    services.merge(ticket, make.ticket(ticket.customer), actor=nia)


def _rated(ticket, nia):
    services.rate(ticket, 5)


def _no_address(ticket, nia):
    type(ticket.customer).objects.update(email_verified=False)


def _switched_off(ticket, nia):
    preferences.change({"csat": "off"}, versions={}, actor=nia)


def _no_portal(ticket, nia):
    preferences.change({"portal": "off"}, versions={}, actor=nia)


@pytest.mark.parametrize("odd", [_phone, _spam, _merged, _rated, _no_address, _switched_off, _no_portal])
def test_who_is_not_asked(ticket, nia, odd):
    resolve(ticket, nia)
    odd(ticket, nia)
    an_hour_later()
    assert not asked().exists()


def test_the_time_is_a_setting(ticket, nia):
    preferences.change({"csat_delay_minutes": "0"}, versions={}, actor=nia)
    resolve(ticket, nia)
    assert asked().count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])  # the disk is cleaned, too
def test_the_mail_goes_with_an_erasure(ticket, nia, alice):
    from daytwo_server.customers import services as customers

    resolve(ticket, nia)
    an_hour_later()
    customers.erase(ticket.customer, actor=alice)
    run_due_jobs()
    assert not asked().exists()
