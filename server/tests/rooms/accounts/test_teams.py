"""Teams: who answers together, among the settings."""

from __future__ import annotations

import threading

import make
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from daytwo_server.accounts import selectors, services
from daytwo_server.accounts.models import Team
from daytwo_server.core import conf
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


def team(name="Billing", **fields):
    return services.save_team(services.TeamWords(name=name, **fields), actor=None)


def test_a_team_is_made_changed_archived_and_brought_back_without_a_script(owner, bob):
    assert "No team yet" in owner.get("/settings/teams/").text
    page = owner.post("/settings/teams/new/", {"name": " Billing  desk", "members": bob.email}, follow=True)
    made = Team.objects.get()
    assert (made.name, made.address, selectors.members_of(made)) == ("Billing desk", "", [bob])
    assert "1 member" in page.text
    form = {"name": "Billing", "address": "Billing@Acme.test", "members": ""}
    assert "billing@acme.test" in owner.post(f"/settings/teams/{made.pk}/", form, follow=True).text
    owner.post(f"/settings/teams/{made.pk}/archive/")
    assert selectors.teams() == []
    assert selectors.team_named("Billing") is None
    owner.post(f"/settings/teams/{made.pk}/restore/")
    assert selectors.team_named("billing") == made
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "accounts:team:created", "accounts:team:changed", "accounts:team:archived", "accounts:team:restored",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"name": "billing"}, "name", "Another team has this name."),
        ({"name": " "}, "name", "This field is required."),
        ({"address": "no address"}, "address", "Write one e-mail address"),
        ({"address": "support+x@acme.test"}, "address", "Mail to this address comes back here"),
        ({"members": "eve@example.com"}, "members", "is no member"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(owner, monkeypatch, wrong, field, words):
    known = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_URL": "http://testserver"}))
    try:
        team()
        page = owner.post("/settings/teams/new/", {"name": "Desk", "members": ""} | wrong, headers=PART)
    finally:
        conf.use(known)
    assert page.status_code == 422
    assert "<html" not in page.text
    assert words in page.text.partition(f'id="id_{field}_error"')[2].partition("</div>")[0]
    assert Team.objects.count() == 1


def test_an_archived_team_does_not_come_back_beside_another_of_its_name(owner):
    old = team()
    owner.post(f"/settings/teams/{old.pk}/archive/")
    team()
    page = owner.post(f"/settings/teams/{old.pk}/restore/", follow=True)
    assert "Another team has this name." in page.text
    assert Team.objects.get(pk=old.pk).archived_at is not None


def test_an_archived_team_does_not_come_back_beside_as_many_as_there_may_be(owner, monkeypatch):
    old = team()
    owner.post(f"/settings/teams/{old.pk}/archive/")
    team("Technical")
    monkeypatch.setattr(services.teams, "MAX_TEAMS", 1)
    page = owner.post(f"/settings/teams/{old.pk}/restore/", follow=True)
    assert "There are 1 teams already" in page.text
    assert Team.objects.get(pk=old.pk).archived_at is not None


def test_the_list_needs_as_many_queries_for_many_teams_as_for_one(owner, bob):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert owner.get("/settings/teams/").status_code == 200
        return len(asked)

    team(members=[bob.pk])
    queries()
    one = queries()
    for number in range(5):
        team(f"Team {number}", members=[bob.pk, make.member().pk])
    assert queries() == one


def test_names_are_offered_while_somebody_types(owner):
    team("Billing"), team("Technical")
    assert 'value="Technical"' in owner.get("/settings/teams/names/?of=team&team=tech").text
    assert 'value="Billing"' not in owner.get("/settings/teams/names/?of=team&team=tech").text


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])
def test_of_two_who_take_one_name_at_once_the_second_hears_of_the_first():
    refused = []

    def second():
        try:
            team("billing")
        except services.TeamError as problem:
            refused.append(str(problem))
        finally:
            connection.close()

    with transaction.atomic():
        team("Billing")
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert not refused
        assert other.is_alive(), "it did not wait for the first"
    other.join(10)
    assert refused == ["Another team has this name."]
    assert Team.objects.count() == 1
