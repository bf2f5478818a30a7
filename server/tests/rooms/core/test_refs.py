"""Refs: links to objects of rooms that core does not know."""

import pytest

from daytwo_server.core import ref
from daytwo_server.core.ref import Ref, resolve_many, resolver


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setattr(ref, "_resolvers", {})
    calls: list[tuple[str, ...]] = []

    @resolver("kettle")
    def kettles(ids):
        calls.append(tuple(ids))
        return {
            number: Ref("kettle", number, f"Kettle {number}", f"/kettles/{number}") for number in ids if number != "9"
        }

    return calls


def test_a_ref_is_its_kind_and_its_id_however_the_id_was_given():
    assert Ref("kettle", 7) == Ref("kettle", "7")
    assert len({Ref("kettle", 7), Ref("kettle", "7")}) == 1
    with pytest.raises(AttributeError):
        Ref("kettle", 7).id = "8"


def test_many_refs_are_named_in_their_order_with_one_question_for_each_kind(asked):
    named = resolve_many([Ref("kettle", 2), Ref("teapot", 1), Ref("kettle", 1), Ref("kettle", 2), Ref("kettle", 9)])
    assert [item.title for item in named] == ["Kettle 2", "teapot 1", "Kettle 1", "Kettle 2", "kettle 9"]
    assert [item.url for item in named] == ["/kettles/2", "", "/kettles/1", "/kettles/2", ""]
    assert asked == [("1", "2", "9")]


def test_a_title_that_came_along_names_what_is_gone(asked):
    [item] = resolve_many([Ref("kettle", 9, "Grandma's", "/kettles/9")])
    assert (item.title, item.url) == ("Grandma's", "")


def test_a_kind_has_one_resolver(asked):
    with pytest.raises(ValueError, match="already"):

        @resolver("kettle")
        def pots(ids):
            return {}
