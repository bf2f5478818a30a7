"""Facts: recorded with the change that makes them true, reacted to at least once, in effect exactly once."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.db import transaction

from daytwo_server.core import facts, jobs
from daytwo_server.core.facts import fact, reaction
from daytwo_server.core.models import Fact, Job, Topic

pytestmark = pytest.mark.django_db

reacted: list[object] = []
broken: set[str] = set()


@fact
@dataclass(frozen=True)
class KettleBoiled:
    kettle: int
    at: dt.datetime
    cups: list[str] = field(default_factory=list)
    how: dict[str, Any] = field(default_factory=dict)


@fact
@dataclass(frozen=True)
class KettleEmptied:
    kettle: int


@fact
@dataclass(frozen=True)
class NobodyCares:
    kettle: int


@reaction(KettleBoiled)
def pour(boiled: KettleBoiled) -> None:
    Topic.objects.create(name=f"poured {boiled.kettle}", version=1)
    if "pour" in broken:
        raise RuntimeError("spilled")
    reacted.append(boiled)


@reaction(KettleBoiled, KettleEmptied)
def write_down(what: KettleBoiled | KettleEmptied) -> None:
    reacted.append((type(what).__name__, what.kettle))


@pytest.fixture(autouse=True)
def _fresh():
    reacted.clear()
    broken.clear()


NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
BOILED = KettleBoiled(7, NOON, ["Alice", "Bob"], {"hot": True, "degrees": 99.5})


def record(*what: object) -> None:
    with transaction.atomic():
        facts.record(*what)


def run() -> int:
    return jobs.run_due_jobs(tick=False)


@pytest.mark.django_db(transaction=True)
def test_a_fact_outside_a_transaction_is_refused():
    with pytest.raises(facts.OutsideTransaction, match=r"transaction\.atomic"):
        facts.record(BOILED)
    assert not Fact.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_of_a_rolled_back_change_never_happened():
    def change():
        with transaction.atomic():
            facts.record(BOILED)
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert not Fact.objects.exists()
    assert not Job.objects.exists()


def test_every_reaction_gets_the_fact_as_it_was_recorded():
    record(BOILED, KettleEmptied(8))
    assert run() == 3
    assert sorted(map(repr, reacted)) == sorted(map(repr, [BOILED, ("KettleBoiled", 7), ("KettleEmptied", 8)]))
    assert run() == 0


def test_many_facts_at_once_keep_each_reaction_with_its_own_fact():
    record(*(KettleEmptied(n) for n in range(500)))
    run()
    assert reacted == [("KettleEmptied", n) for n in range(500)]


def test_a_fact_without_reactions_is_kept_and_costs_no_job():
    record(NobodyCares(1))
    assert Fact.objects.get().data == '{"kettle":1}'
    assert not Job.objects.exists()


def test_a_failing_reaction_is_undone_and_tried_again_while_the_others_go_on():
    broken.add("pour")
    record(BOILED, KettleEmptied(8))
    with time_machine.travel(NOON + dt.timedelta(days=365), tick=False) as clock:
        run()
        assert sorted(reacted) == [("KettleBoiled", 7), ("KettleEmptied", 8)]
        assert not Topic.objects.exists()
        assert Job.objects.get().error == "RuntimeError: spilled"
        broken.clear()
        clock.shift(60)
        assert run() == 1
    assert reacted[-1] == BOILED
    assert Topic.objects.count() == 1
    assert not Job.objects.exists()


def test_a_reaction_that_fails_every_time_ends_as_a_dead_letter_that_can_be_retried():
    broken.add("pour")
    record(BOILED)
    with time_machine.travel(NOON + dt.timedelta(days=365), tick=False) as clock:
        for _ in range(12):
            run()
            clock.shift(3600 * 2)
        dead = Job.objects.get()
        assert (dead.state, dead.kind) == (Job.State.DEAD, "core.react")
        broken.clear()
        jobs.retry(dead.pk)
        run()
    assert BOILED in reacted


def test_a_stored_fact_of_another_version_is_shown_and_not_crashed_on():
    gone = Fact.objects.create(name="TeapotPurchased", data='{"teapot":1}')
    changed = Fact.objects.create(name="KettleEmptied", data='{"pot":1}')
    assert facts.load(gone) == facts.UnknownFact("TeapotPurchased", {"teapot": 1})
    assert facts.load(changed) == facts.UnknownFact("KettleEmptied", {"pot": 1})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda job, row: row.delete(), "no longer kept"),
        (lambda job, row: Fact.objects.filter(pk=row.pk).update(name="TeapotPurchased"), "cannot read fact"),
        (lambda job, row: job.update(args=f'{{"fact":{row.pk},"reaction":"wiring.gone"}}'), "no reaction wiring.gone"),
    ],
)
def test_a_reaction_that_cannot_run_in_this_version_says_so_at_once(change, words):
    record(KettleEmptied(1))
    change(Job.objects.all(), Fact.objects.get())
    run()
    assert words in Job.objects.get(state=Job.State.DEAD).error


def test_what_is_no_fact_is_refused_in_words():
    with pytest.raises(TypeError, match="frozen dataclass"):

        @fact
        @dataclass
        class Thawed:
            kettle: int

    with pytest.raises(TypeError, match="frozen dataclass"):
        fact(dict)

    @dataclass(frozen=True)
    class Undecorated:
        kettle: int

    with pytest.raises(TypeError, match="is no fact"):
        record(Undecorated(1))
    with pytest.raises(TypeError, match="is no fact"):
        reaction(Undecorated)(print)


def test_two_facts_of_one_name_are_refused():
    clash = dataclass(frozen=True)(type("KettleEmptied", (), {"__module__": "daytwo_server.elsewhere.facts"}))
    with pytest.raises(TypeError, match="already"):
        fact(clash)


def test_the_reference_lists_facts_with_their_reactions():
    wired = facts.wired()
    assert [name.rpartition(".")[2] for name in wired["KettleBoiled"]] == ["pour", "write_down"]
    assert wired["NobodyCares"] == []
