"""Who else has a page open."""

import datetime as dt

import make
import pytest

from daytwo_server.core import clock, live
from daytwo_server.core.ref import Ref
from daytwo_server.desk import selectors, services
from daytwo_server.desk.models import Presence

pytestmark = pytest.mark.django_db

HERE = Ref("issue", 1)


def others(of):
    return [(str(one.user), one.typing) for one in selectors.others_at(HERE, of)]


def version():
    return live.versions([services.presence_topic(HERE)]).get(services.presence_topic(HERE), 0)


def test_people_see_each_other_and_not_themselves(alice, bob, signed_in):
    services.present(alice, HERE)
    page = signed_in(bob).post("/presence/", {"ref": "issue:1"}).text
    assert "Alice is viewing" in page
    assert "Bob" not in page
    assert others(alice) == [("Bob", False)]


def test_who_writes_comes_first_and_stops_writing_after_a_while(alice, bob, time_machine):
    carol = make.member("Carol")
    time_machine.move_to(clock.now(), tick=False)
    services.present(carol, HERE)
    services.present(bob, HERE, typing=True)
    assert others(alice) == [("Bob", True), ("Carol", False)]
    time_machine.shift(dt.timedelta(seconds=25))
    services.present(bob, HERE)
    assert others(alice) == [("Bob", False), ("Carol", False)]


def test_who_left_is_gone_at_once_and_who_fell_silent_after_a_minute(alice, bob, signed_in, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    services.present(bob, HERE)
    signed_in(bob).post("/presence/", {"ref": "issue:1", "gone": "1"})
    assert others(alice) == []
    services.present(bob, HERE)
    time_machine.shift(dt.timedelta(seconds=60))
    assert others(alice) == []


def test_only_news_are_told(bob, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    told = []
    for typing, seconds in ((False, 20), (False, 20), (True, 5), (True, 5), (False, 60), (False, 0)):
        before = version()
        services.present(bob, HERE, typing=typing)
        told.append(version() != before)
        time_machine.shift(dt.timedelta(seconds=seconds))
    assert told == [True, False, True, False, False, True]


def test_asking_alone_says_nothing_about_who_asks(alice, bob, signed_in):
    services.present(alice, HERE)
    assert "Alice is viewing" in signed_in(bob).get("/presence/?ref=issue:1").text
    assert others(alice) == []


@pytest.mark.parametrize("ref", ["", "issue", "issue:", "purple:1", "issue:" + "1" * 65, "issue:\x00"])
def test_only_things_that_have_pages_can_be_looked_at(bob, signed_in, ref):
    assert signed_in(bob).post("/presence/", {"ref": ref}).status_code == 404
    assert not Presence.objects.exists()


def test_names_are_text(alice, signed_in, bob):
    services.present(make.member("<b>Mallory</b>"), HERE)
    assert "<b>" not in signed_in(bob).get("/presence/?ref=issue:1").text


def test_what_is_old_is_forgotten(alice, bob, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    services.present(alice, HERE)
    time_machine.shift(dt.timedelta(hours=2))
    services.present(bob, Ref("issue", 2))
    assert list(Presence.objects.values_list("user__name", flat=True)) == ["Bob"]
