"""Exceptions for one user or organization."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from django.db import IntegrityError, transaction
from rooms.flags.flagged import ALICE, change, flag, is_on, place, state

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.flags import words
from daytwo_server.flags.models import Change, Override
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import killing, overrides, reverting
from daytwo_server.flags.services.common import Conflict, Refused
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Status

pytestmark = pytest.mark.django_db
NOW = make.moment("2026-11-23T09:00:00")


@pytest.fixture(autouse=True)
def _forgetful():
    snapshots.forget()


@pytest.fixture
def here(db: None):
    where = place()
    flag(where, enabled=True, rolloutPercentage=0)
    return where


def test_an_override_turns_a_flag_on_for_one_and_never_past_the_kill_switch(here):
    overrides.put(state(here), user_id="u1", enabled=True, by=ALICE)
    assert is_on(here, targetingKey="u1")
    assert not is_on(here, targetingKey="u2")
    killing.kill(state(here), by=ALICE, reason="Down")
    assert not is_on(here, targetingKey="u1")
    killing.revive(state(here), by=ALICE)
    assert is_on(here, targetingKey="u1")


def test_the_user_comes_before_the_organization(here):
    overrides.put(state(here), organization_id="o1", enabled=True, by=ALICE)
    overrides.put(state(here), user_id="u1", enabled=False, by=ALICE)
    assert is_on(here, targetingKey="u2", organizationId="o1")
    assert not is_on(here, targetingKey="u1", organizationId="o1")


def test_one_that_is_over_is_not_there_and_its_row_goes_later_without_a_change(here):
    with time_machine.travel(NOW, tick=False) as clock:
        overrides.put(state(here), user_id="u1", enabled=True, expires_at=NOW + dt.timedelta(hours=1), by=ALICE)
        assert is_on(here, targetingKey="u1")
        clock.shift(dt.timedelta(hours=2))
        assert not is_on(here, targetingKey="u1")  # the same rules in memory
        assert snapshots.document(here.pk)["flags"][0]["overrides"] == []
        changes, revision = Change.objects.count(), snapshots.revision(here.pk)
        assert overrides.drop_expired() == 1
        assert (Override.objects.count(), Change.objects.count()) == (0, changes)
        assert snapshots.revision(here.pk) == revision


def test_one_for_a_ticket_goes_with_it_and_others_stay(here):
    overrides.put(state(here), user_id="u1", enabled=True, ticket=7, by=ALICE)
    overrides.put(state(here), user_id="u2", enabled=True, ticket=8, by=ALICE)
    assert overrides.remove_of_ticket(7) == 1
    assert not is_on(here, targetingKey="u1")
    assert is_on(here, targetingKey="u2")
    assert Change.objects.order_by("-pk")[0].reason == "T-7 was closed"


@pytest.fixture
def ticket(db):
    return make.ticket()


def close(ticket) -> None:
    agent = make.member("Agnes", role=make.Role.AGENT)
    for status in (Status.RESOLVED, Status.CLOSED):
        ticket = tickets.set_status(ticket, status, actor=agent)
    run_due_jobs()


def test_what_is_meant_to_stay_stays_whoever_asks_for_the_same_first(here):
    overrides.put(state(here), user_id="u1", enabled=True, ticket=7, by=ALICE)
    line = overrides.put(state(here), user_id="u1", enabled=True, by=ALICE)
    assert line.before["overrides"] == [{"userId": "u1", "enabled": True, "expiresAt": None, "ticket": 7}]
    overrides.put(state(here), user_id="u2", enabled=True, by=ALICE)
    assert overrides.put(state(here), user_id="u2", enabled=True, ticket=7, by=ALICE) is None
    assert overrides.remove_of_ticket(7) == 0
    assert is_on(here, targetingKey="u1")
    assert is_on(here, targetingKey="u2")


def test_apps_are_not_told_of_the_ticket(here):
    overrides.put(state(here), user_id="u1", enabled=True, ticket=7, by=ALICE)
    [told] = snapshots.document(here.pk)["flags"][0]["overrides"]
    assert told == {"userId": "u1", "enabled": True, "expiresAt": None}


@pytest.mark.parametrize("since", ["removed", "made to stay"])
def test_what_was_for_a_ticket_is_for_it_again_when_its_end_is_taken_back(here, ticket, since):
    overrides.put(state(here), user_id="u1", enabled=True, ticket=ticket.pk, by=ALICE)
    gone = (
        overrides.remove(state(here), user_id="u1", by=ALICE)
        if since == "removed"
        else overrides.put(state(here), user_id="u1", enabled=True, by=ALICE)
    )
    assert "u1 on until T-" in str(words.difference(gone.before, gone.after))
    assert reverting.revert(gone, by=ALICE) is not None
    assert Override.objects.get().ticket == ticket.pk
    close(ticket)
    assert not Override.objects.exists()


def test_what_was_for_a_ticket_that_is_closed_by_now_does_not_come_back(here, ticket):
    overrides.put(state(here), user_id="u1", enabled=True, ticket=ticket.pk, by=ALICE)
    gone = overrides.remove(state(here), user_id="u1", by=ALICE)
    close(ticket)
    with pytest.raises(Refused, match=f"for T-{ticket.pk} alone, which is closed"):
        reverting.revert(gone, by=ALICE)
    assert not Override.objects.exists()


def test_the_same_again_is_no_change_and_other_words_replace_it(here):
    assert overrides.put(state(here), user_id="u1", enabled=True, by=ALICE) is not None
    assert overrides.put(state(here), user_id="u1", enabled=True, by=ALICE) is None
    line = overrides.put(state(here), user_id="u1", variant="off", by=ALICE)
    assert line.before == {"overrides": [{"userId": "u1", "enabled": True, "expiresAt": None}]}
    assert Override.objects.count() == 1
    assert overrides.remove(state(here), user_id="u2", by=ALICE) is None


def test_setting_and_removing_can_be_taken_back_unless_somebody_changed_it_since(here):
    made = overrides.put(state(here), user_id="u1", enabled=True, by=ALICE)
    gone = reverting.revert(made, by=ALICE)
    assert not Override.objects.exists()
    reverting.revert(gone, by=ALICE)
    assert is_on(here, targetingKey="u1")
    overrides.put(state(here), user_id="u1", enabled=False, by=ALICE)
    with pytest.raises(Conflict):
        reverting.revert(made, by=ALICE)


def test_the_table_holds_one_a_unit_and_of_one_kind(here):
    for whose in ({"user_id": "u", "organization_id": "o"}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Override.objects.create(state=state(here), enabled=True, **whose)


def test_there_are_no_more_than_fit(here, monkeypatch):
    monkeypatch.setattr(overrides, "MAX_OVERRIDES", 1)
    overrides.put(state(here), user_id="u1", enabled=True, by=ALICE)
    with pytest.raises(Refused, match="a rule or a segment"):
        overrides.put(state(here), user_id="u2", enabled=True, by=ALICE)
    overrides.put(state(here), user_id="u1", enabled=False, by=ALICE)


def test_a_variant_that_an_override_names_goes_no_more_than_one_a_rule_names(here):
    two = [{"name": "a", "value": "a"}, {"name": "b", "value": "b"}]
    flag(here, "colour", type="string", variants=two, offVariant="a", defaultVariant="a")
    overrides.put(state(here, "colour"), user_id="u1", variant="b", by=ALICE)
    with pytest.raises(Refused) as refused:
        change(here, "colour", variants=two[:1])
    assert list(refused.value.fields) == ["overrides[0].variant"]
