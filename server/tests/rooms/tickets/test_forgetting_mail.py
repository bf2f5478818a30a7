"""What stays beside tickets, in mails and in tickets of others, goes with an erased customer as well."""

import make
import pytest
from django.apps import apps
from django.db import transaction
from mail_sink import use_server
from rooms.tickets.mailing import arrives, held, settle

from daytwo_server.core import conf, search
from daytwo_server.customers import erasing
from daytwo_server.customers import services as customers
from daytwo_server.customers.models import Customer
from daytwo_server.desk.models import Draft
from daytwo_server.desk.services import save_draft
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.tickets import services
from daytwo_server.tickets.drafts import note_key, reply_key
from daytwo_server.tickets.models import HeldMail, Mailed, Message, Participant
from daytwo_server.tickets.services import holding

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
DANA = "Dana <dana@example.com>"


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    before = conf.current()
    use_server(settings, 1, SUPPORT_EMAIL="team@acme.test")
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


def rows_with(*words):
    """Every row of the tables of this store that holds one of the words."""
    tables = [table for table in apps.get_models() if table._meta.managed and table._meta.app_label != "errors"]
    rows = [(table._meta.label, row) for table in tables for row in table._base_manager.values()]
    return [(label, row) for label, row in rows if any(word in str(row).lower() for word in words)]


def erased(customer, actor):
    customers.erase(customer, actor=actor)
    settle()


def test_what_somebody_wrote_into_tickets_of_others_goes_with_all_that_tells_of_it(alice, bob):
    eve = make.customer(name="Eve")
    ticket, other = make.ticket(eve), make.ticket(eve)
    holding.accept(held(ticket, "The pelican flies.", sender=DANA), actor=bob, sender_too=True)
    settle()
    held(other, "Another pelican.", sender=DANA)
    settle()
    assert search.ids("ticket", "pelican") == [ticket.pk]
    assert Participant.objects.get().address == "dana@example.com"
    assert Delivery.objects.filter(to="team@acme.test", text__contains="dana@example.com").count() == 2
    erased(Customer.objects.get(key="email:dana@example.com"), alice)
    assert rows_with("dana", "pelican") == []
    assert search.ids("ticket", "pelican") == []
    assert search.ids("ticket", "eve") == [other.pk, ticket.pk]


def test_what_we_were_told_of_events_and_what_we_are_writing_goes_with_the_customer(alice, bob):
    ticket, other = make.ticket(make.dana(), "Dana cannot export"), make.ticket(make.customer(name="Eve"))
    settle()
    with transaction.atomic():
        late = services.remark(ticket.pk, "Promise missed: first response")
    services.tell_of_lateness(late.pk)
    for number in (ticket.pk, other.pk):
        for key in (reply_key(number), note_key(number)):
            save_draft(bob, key, "Dear customer,", version=0)
    assert "Dana" in Delivery.objects.get(about=f"ticket_notice:{late.pk}").from_name
    erased(ticket.customer, alice)
    assert rows_with("dana") == []
    assert Message.objects.filter(pk=late.pk).exists()
    assert set(Draft.objects.values_list("key", flat=True)) == {reply_key(other.pk), note_key(other.pk)}


def test_all_mail_of_an_address_that_is_all_we_know_somebody_by_goes(alice):
    arrives("The pelican is out.", sender=DANA)
    arrives("I am out, too.", sender=DANA, Precedence="bulk")
    arrives("I am in.", sender="Eve <eve@example.com>")
    settle()
    dana = Customer.objects.get(key="email:dana@example.com")
    assert not dana.email_verified
    erased(dana, alice)
    assert rows_with("dana", "pelican") == []
    assert list(InboundMail.objects.values_list("sender", flat=True)) == ["eve@example.com"]


def test_the_pages_of_a_database_are_cleaned_where_words_of_customers_stood():
    cleaned = {table for keeper in erasing.keepers() for table in keeper.tables}
    assert {HeldMail, Mailed, Participant, Draft} <= cleaned
