"""The tag `url`, that works every address out once."""

import pytest
from django.template import Context, engines
from django.urls import NoReverseMatch, get_script_prefix, set_script_prefix
from django.utils.safestring import mark_safe

from daytwo_server.ui import addresses


def shown(text, **words):
    return engines["django"].from_string(text).template.render(Context(words))


@pytest.fixture(autouse=True)
def _afresh():
    addresses._reversed.cache_clear()
    before = get_script_prefix()
    yield
    set_script_prefix(before)


def test_an_address_is_worked_out_once_for_each_argument():
    for number in (7, 8, 7, 7):
        assert shown('{% url "tickets:ticket" number %}', number=number) == f"/tickets/{number}"
    assert addresses._reversed.cache_info().misses == 2


def test_it_is_that_of_the_place_where_daytwo_is_served():
    assert shown('{% url "tickets:list" %}') == "/tickets"
    set_script_prefix("/support/")
    assert shown('{% url "tickets:list" %}') == "/support/tickets"


@pytest.mark.parametrize("number", [True, mark_safe("7"), 7.0])
def test_what_is_no_plain_number_or_text_is_left_to_django(number):
    for _ in range(2):
        try:
            said = shown('{% url "tickets:ticket" number %}', number=number)
        except NoReverseMatch:
            said = ""
        assert said in ("", f"/tickets/{number}")
    assert addresses._reversed.cache_info().currsize == 0


def test_an_address_that_there_is_not_is_an_error_unless_it_is_tried():
    with pytest.raises(NoReverseMatch):
        shown('{% url "tickets:nowhere" %}')
    assert shown('{% url "tickets:nowhere" as it %}[{{ it }}]') == "[]"
    assert shown('{% url "tickets:list" as it %}[{{ it }}]') == "[/tickets]"
