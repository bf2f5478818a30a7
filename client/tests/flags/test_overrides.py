"""Flags in an app's own tests."""

import threading

from flag_server import flag, snapshot

from daytwo import flags, testing
from daytwo.testing import override


def test_a_test_says_what_a_flag_answers_without_any_server():
    with testing.override(new_checkout=True, limit=5, colour="red"):
        assert flags.enabled("new-checkout", user="u1") is True
        assert flags.enabled("new_checkout") is True
        assert (flags.value("limit", default=1), flags.enabled("limit")) == (5, True)
        assert (flags.variant("colour"), flags.value("colour")) == ("red", "red")
        assert [flags.evaluate("new-checkout", explain=one).source for one in (False, True)] == ["test", "test"]
        assert flags.enabled("other", default=True) is True
        with testing.override({"new-checkout": False}):
            assert flags.enabled("new-checkout", default=True) is False
        assert flags.enabled("new-checkout") is True
    assert flags.enabled("new-checkout") is False


@override(new_checkout=True)
def test_it_decorates_a_test_too():
    assert flags.enabled("new-checkout") is True


def test_it_holds_in_every_thread():
    found = []
    with testing.override(new_checkout=True):
        thread = threading.Thread(target=lambda: found.append(flags.enabled("new-checkout")))
        thread.start()
        thread.join()
    assert found == [True]


def test_a_variant_is_that_of_the_flag_where_there_is_one(client):
    colours = [{"name": "red", "value": "#f00"}, {"name": "none", "value": ""}]
    client.configure(
        bootstrap=snapshot(flag("colour", type="string", variants=colours, offVariant="none", defaultVariant="red"))
    )
    with client.overriding({"colour": "none"}):
        assert (client.variant("colour"), client.value("colour"), client.enabled("colour")) == ("none", "", False)
    assert client.enabled("colour") is True


def test_it_outlasts_new_definitions(client):
    client.configure(bootstrap=snapshot(flag(enabled=False)))
    with client.overriding({"new-checkout": True}):
        client.configure(bootstrap=snapshot(flag(enabled=False), revision=2))
        assert client.enabled("new-checkout") is True
    assert client.enabled("new-checkout") is False
