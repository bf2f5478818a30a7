"""Several people and programs who change flags at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import close_old_connections, connection
from rooms.flags.flagged import ALICE, flag, found, place, state

from daytwo.flags import Ruleset
from daytwo_server.flags.models import Change
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import overrides, saving
from daytwo_server.flags.services.common import Conflict, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each of them came to, all begun at one moment."""
    start, done = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        close_old_connections()
        start.wait()
        try:
            done[number] = work()
        except (Refused, Conflict) as problem:
            done[number] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return done


def test_of_two_who_saw_the_same_revision_one_changes_it_and_the_other_is_told():
    here = place()
    revision = flag(here).state.revision
    wanted = found(here.project)

    def to(percent: int) -> Callable[[], Any]:
        return lambda: saving.patch(wanted, here, {"rolloutPercentage": percent}, by=ALICE, expected_revision=revision)

    done = together(to(10), to(20), to(30))
    assert sum(isinstance(one, Conflict) for one in done) == 2
    assert state(here).rollout in {10_000, 20_000, 30_000}
    assert Change.objects.filter(action="changed").count() == 1


def test_two_who_would_close_a_circle_from_both_sides_do_not():
    here = place()
    flag(here, "a")
    flag(here, "b")

    def hang(key: str, on: str) -> Callable[[], Any]:
        flag_ = found(here.project, key)
        return lambda: saving.patch(flag_, here, {"prerequisites": [{"flag": on}]}, by=ALICE)

    done = together(hang("a", "b"), hang("b", "a"))
    assert sum(isinstance(one, Refused) for one in done) == 1
    assert Ruleset(snapshots.document(here.pk)).broken == {}


def test_many_at_once_lose_nothing_and_no_two_changes_have_one_revision():
    here = place()
    made = flag(here).state
    works = [
        lambda number=number: [
            overrides.put(made, user_id=f"u{number}-{step}", enabled=True, by=ALICE) for step in range(5)
        ]
        for number in range(4)
    ]
    together(*works)
    assert len(snapshots.document(here.pk)["flags"][0]["overrides"]) == 20
    revisions = list(Change.objects.order_by("pk").values_list("revision", flat=True))
    assert revisions == sorted(set(revisions))


def test_the_same_new_flag_from_two_sides_is_made_once():
    here = place()
    body = {"enabled": True}
    done = together(*[lambda: saving.put(here.project, here, "new", body, by=ALICE) for _ in range(3)])
    assert sorted(one.created for one in done) == [False, False, True]
