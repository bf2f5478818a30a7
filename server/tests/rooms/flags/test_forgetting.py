"""Erasing and exporting a customer whom flags know, and what is kept for how long."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from rooms.flags.flagged import ALICE, change, flag, is_on, place, state

from daytwo_server.core import clock
from daytwo_server.customers import exports
from daytwo_server.customers import services as customers
from daytwo_server.flags import retention
from daytwo_server.flags.models import Asker, Change, ExposureBatch, ExposureCount, Override, Ramp, Segment, State
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import killing, overrides, ramps, segments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful():
    snapshots.forget()


def everything() -> str:
    return str([list(model.objects.values()) for model in (Override, State, Segment, Change)])


def condition(*values: object, **more: object) -> dict[str, object]:
    return {"attribute": "userId", "operator": "in", "values": list(values), **more}


def test_nothing_names_a_customer_who_was_erased_and_everybody_else_gets_what_they_got(alice):
    here, dana = place(), make.dana()
    segments.put(here.project, "friends", [condition("dana", "eve")], by=ALICE)
    rules = [
        {"name": "named", "conditions": [condition("dana")]},
        {
            "name": "not them",
            "conditions": [condition("dana", inverted=True), {"attribute": "vip", "operator": "is_set"}],
        },
        {"name": "friends", "conditions": [{"operator": "segment", "values": ["friends"]}]},
        {"name": "by name", "conditions": [{"attribute": "nick", "operator": "in", "values": ["dana"]}]},
    ]
    flag(here, enabled=True, rolloutPercentage=0, allowedUsers=["dana", "zoe"], rules=rules)
    overrides.put(state(here), user_id="dana", enabled=False, by=ALICE, reason="Because dana asked")
    overrides.put(state(here), user_id="bert", enabled=True, by=ALICE)
    before = snapshots.revision(here.pk)
    customers.erase(dana, actor=alice)
    assert everything().count("dana") == 1  # the rule by nickname, who may be anybody
    assert snapshots.revision(here.pk) > before
    answers = {who: is_on(here, targetingKey=who) for who in ("dana", "eve", "zoe", "bert", "carl")}
    assert answers == {"dana": False, "eve": True, "zoe": True, "bert": True, "carl": False}
    assert is_on(here, targetingKey="carl", vip=True)
    assert is_on(here, targetingKey="carl", nick="dana")
    assert snapshots.ruleset(here.pk).broken == {}


def test_a_customer_with_a_number_is_forgotten_as_a_number_too(alice):
    here = place()
    flag(here, enabled=True, rules=[{"conditions": [condition(4711, "5")]}], allowedUsers=[4711])
    customers.erase(make.customer("id:4711"), actor=alice)
    assert state(here).definition["allowedUsers"] == []
    assert "4711" not in str(state(here).definition["rules"])
    assert "4711" not in str(list(Change.objects.values("before", "after")))


def test_the_history_keeps_a_percentage_that_looks_like_the_number_of_a_customer(alice):
    here = place()
    flag(here, enabled=True, rolloutPercentage=50, rules=[{"conditions": [condition(50)]}])
    customers.erase(make.customer("id:50"), actor=alice)
    [now] = Change.objects.filter(environment=here)
    assert now.after["rolloutPercentage"] == 50
    assert now.after["rules"][0]["conditions"][0]["values"][0].startswith("erased:")


def test_why_a_flag_was_killed_and_a_ramp_was_held_names_them_no_more(alice):
    here, dana = place(), make.dana()
    flag(here, enabled=True, rolloutPercentage=0)
    ramp = ramps.start(state(here), [{"percent": 1, "holdSeconds": 600}, {"percent": 5, "holdSeconds": 600}], by=ALICE)
    ramps.hold(ramp, by=ALICE, note="dana cannot pay")
    killing.kill(state(here), by=ALICE, reason="dana cannot pay, danae can")
    customers.erase(dana, actor=alice)
    assert state(here).kill_reason == f"erased:{dana.pk} cannot pay, danae can"
    assert Ramp.objects.get().note == f"erased:{dana.pk} cannot pay"


def test_the_document_about_a_customer_says_what_flags_make_of_them_alone():
    here, dana = place(), make.dana()
    flag(here, enabled=True, allowedUsers=["dana"])
    flag(here, "other", enabled=True, allowedUsers=["danae"])
    overrides.put(state(here, "other"), user_id="dana", enabled=True, by=ALICE)
    said = exports.of_customer(dana)["flags"]
    assert said["allowed"] == [{"flag": "new-checkout", "environment": "production"}]
    assert [(one["flag"], one["enabled"]) for one in said["overrides"]] == [("other", True)]


def count(here, minute: dt.datetime, n: int = 1, **more: object) -> None:
    known = {"key": "a", "revision": 1, "variant": "on", "enabled": True} | more
    ExposureCount.objects.create(environment=here, minute=minute, count=n, **known)


def test_minutes_become_hours_after_a_day_and_nothing_is_lost_or_counted_twice():
    here, now = place(), make.moment("2026-11-23T12:30:00")
    with time_machine.travel(now, tick=False):
        old = make.moment("2026-11-22T09:00:00")
        count(here, old, 1)
        count(here, old + dt.timedelta(minutes=7), 2)
        count(here, old + dt.timedelta(minutes=59), 4)
        count(here, old + dt.timedelta(minutes=7), 8, variant="off", enabled=False)
        count(here, old + dt.timedelta(hours=1), 16)
        count(here, now - dt.timedelta(hours=2, minutes=3), 32)
        assert retention.merge_minutes() == 1
        rows = set(ExposureCount.objects.values_list("minute", "variant", "count"))
        assert rows == {
            (old, "on", 7), (old, "off", 8), (old + dt.timedelta(hours=1), "on", 16),
            (now - dt.timedelta(hours=2, minutes=3), "on", 32),
        }  # fmt: skip
        assert retention.merge_minutes() == 0


def test_what_is_older_than_its_days_goes():
    here, now = place(), clock.now()
    for days in (1, 100):
        at = now - dt.timedelta(days=days)
        count(here, at)
        Asker.objects.create(environment=here, key="a", service=f"s{days}", last_at=at)
        ExposureBatch.objects.create(environment=here, instance="i", sequence=days, at=at - dt.timedelta(hours=2))
    before = now - dt.timedelta(days=90)
    assert sum(retention.exposures(before)) == 1
    assert list(Asker.objects.values_list("service", flat=True)) == ["s1"]
    retention.drop_batches()
    assert not ExposureBatch.objects.exists()
    flag(here)
    change(here, enabled=True)
    Change.objects.filter(pk=Change.objects.order_by("pk").first().pk).update(at=now - dt.timedelta(days=500))
    assert sum(retention.changes(now - dt.timedelta(days=365))) == 1
    assert Change.objects.count() == 1
