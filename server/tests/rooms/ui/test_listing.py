"""A list is its address: what it asks for, how it is narrowed further, and the way back from what nobody understands."""

import pytest
from django.http import HttpResponse, QueryDict
from django.test import RequestFactory

from daytwo_server.core.query import BadFilter, Query, Term
from daytwo_server.ui.listing import FEW, Address, address, refusing_bad_filters


def listing(text):
    return Address.of("/ships", QueryDict(text), filters={"owner": "by", "flag": "flag"}, more=("hidden",))


def test_what_is_empty_stays_out_of_an_address():
    assert address("/ships", flag="fr", owner="", hidden=None, n=0) == "/ships?flag=fr&n=0"
    assert address("/ships", flag=None) == "/ships"


def test_filters_and_terms_ask_for_the_same():
    asked = listing("owner=bob&q=!flag:fr+old+oak&cursor=x&strange=1").asked
    assert asked == Query((Term("by", "bob"), Term("flag", "fr", negated=True)), "old oak")


def test_each_chip_leads_to_the_list_without_it():
    found = listing("owner=bob&hidden=1&q=!flag:fr+flag:de+old")
    chips = found.chips({"owner": ("Who", "Bob")})
    assert [(chip["name"], chip["verb"], chip["value"]) for chip in chips] == [
        ("Who", "is", "Bob"), ("flag", "is not", "fr"), ("flag", "is", "de"), ("text", "has", "old"),
    ]  # fmt: skip
    assert [chip["url"] for chip in chips] == [
        "/ships?hidden=1&q=%21flag%3Afr+flag%3Ade+old", "/ships?hidden=1&owner=bob&q=flag%3Ade+old",
        "/ships?hidden=1&owner=bob&q=%21flag%3Afr+old", "/ships?hidden=1&owner=bob&q=%21flag%3Afr+flag%3Ade",
    ]  # fmt: skip


def test_what_is_chosen_stays_a_choice_though_nobody_would_offer_it():
    found = listing("flag=su")
    assert found.choice("flag", "Flag", [("fr", "France")])["options"] == (("fr", "France"), ("su", "su"))
    assert found.choice("flag", "Flag", [("su", "Soviet Union")])["options"] == (("su", "Soviet Union"),)


def test_a_few_rows_need_no_search_box_until_something_is_asked():
    few, many = range(FEW), range(FEW + 1)
    assert [listing("").bar(rows=rows)["bar"] for rows in (few, many, None)] == [False, True, True]
    assert listing("q=oak").bar(rows=few)["bar"]


def test_the_form_keeps_what_it_has_no_field_for():
    found = listing("flag=fr&owner=bob&hidden=1&q=oak")
    assert found.bar(found.choice("flag", "Flag", ()))["kept"] == [("hidden", "1"), ("owner", "bob")]


@pytest.mark.parametrize(
    ("url", "field", "back"),
    [("/ships?flag=xx&q=oak", "flag", "/ships?q=oak"), ("/ships?owner=x&q=oak", "by", "/ships?q=oak"),
     ("/ships?flag=fr&q=by:x&cursor=1", "by", "/ships?flag=fr"), ("/ships?q=odd:x", "query", "/ships")],
)  # fmt: skip
def test_the_way_back_leaves_out_what_is_wrong(url, field, back, monkeypatch):
    shown = {}

    def render(request, template, words, status):
        shown.update(words)
        return HttpResponse(status=status)

    monkeypatch.setattr("daytwo_server.ui.listing.render", render)

    @refusing_bad_filters("Ships", params={"by": "owner"})
    def view(request):
        raise BadFilter(field, "No such ship.")

    assert view(RequestFactory().get(url)).status_code == 400
    assert (shown["back"], shown["problem"]) == (back, "No such ship.")
