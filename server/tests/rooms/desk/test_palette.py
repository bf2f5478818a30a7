"""The palette: ids before titles before words, what one had in hand first, and nothing one may not see."""

import html
import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.accounts import permissions
from daytwo_server.core import search
from daytwo_server.desk import palette, selectors
from daytwo_server.desk.models import Recent

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

OPTION = re.compile(r'<a class="palette__item"[^>]* href="([^"]+)">.*?<span class="truncate">([^<]*)</span>', re.DOTALL)
HEADING = re.compile(r'<div class="palette__group"[^>]*>([^<]*)</div>')


@pytest.fixture
def shop(db):
    return make.project("Shop")


def options(client, text):
    """(address, title) of what the palette offers."""
    found = client.get("/palette", {"q": text})
    assert found.status_code == 200
    return [(url, html.unescape(title)) for url, title in OPTION.findall(found.text)]


def titles(client, text):
    return [title for _, title in options(client, text)]


def headings(client, text):
    return HEADING.findall(client.get("/palette", {"q": text}).text)


@pytest.mark.parametrize("text", ["ERR-{}", "err-{}", "{}", "  ERR-{} "])
def test_an_id_leads_straight_to_its_object(bob, signed_in, shop, text):
    issue = happen.issue(shop, "KeyError", "'vat_id'")
    assert options(signed_in(bob), text.format(issue.pk))[0] == (f"/errors/{issue.pk}", "KeyError: 'vat_id'")


def test_an_id_that_nothing_has_offers_nothing(bob, signed_in, shop):
    assert options(signed_in(bob), "ERR-999999") == []
    assert options(signed_in(bob), "XYZ-1") == []
    assert options(signed_in(bob), "9" * 30) == []


def test_a_whole_title_comes_before_a_beginning_and_that_before_words(bob, signed_in, shop):
    happen.issue(shop, "ValueError", "cannot pay the invoice")
    happen.issue(shop, "PaymentFailed later", "x")
    happen.issue(shop, "PaymentFailed", "")
    happen.issue(shop, "OtherError", "because of paymentfailed")
    assert titles(signed_in(bob), "paymentfailed") == [
        "PaymentFailed", "PaymentFailed later: x", "OtherError: because of paymentfailed",
    ]  # fmt: skip


def test_of_equals_the_one_that_was_in_hand_last_comes_first(bob, signed_in, shop):
    first, second, third = [happen.issue(shop, f"Timeout{n}", "while paying") for n in range(3)]
    client = signed_in(bob)
    assert titles(client, "while paying")[0] == third.title
    assert client.post("/recent/", {"ref": f"issue:{first.pk}"}).status_code == 204
    assert titles(client, "while paying") == [first.title, third.title, second.title]
    assert titles(signed_in(make.alice()), "while paying")[0] == third.title


def test_what_was_in_hand_is_found_among_any_number(bob, signed_in, shop):
    old = happen.issue(shop, "OldError", "while paying by card")
    for number in range(8):
        happen.issue(shop, f"New{number}", "while paying by card")
    client = signed_in(bob)
    assert old.title not in titles(client, "while paying")
    client.post("/recent/", {"ref": f"issue:{old.pk}"})
    for text in ("while paying", "paying car", "card"):
        assert titles(client, text)[0] == old.title, text
    for text in ("car paying", "whi paying", "nothing"):
        assert old.title not in titles(client, text), text


def test_without_a_word_it_shows_where_the_person_was(bob, signed_in, shop):
    one, other = happen.issue(shop, "One", "x"), happen.issue(shop, "Other", "x")
    client = signed_in(bob)
    assert "Recent" not in headings(client, "")
    for issue in (one, other, one):
        client.post("/recent/", {"ref": f"issue:{issue.pk}"})
    assert headings(client, "")[0] == "Recent"
    assert titles(client, "")[:2] == ["One: x", "Other: x"]
    here = client.get("/palette", {"q": "", "at": f"/errors/{one.pk}"}).text
    assert "One: x" not in here
    assert "Other: x" in here


def test_the_last_fifty_are_remembered(bob, signed_in):
    client = signed_in(bob)
    for number in range(1, 54):
        client.post("/recent/", {"ref": f"customer:{number}"})
    assert Recent.objects.filter(user=bob).count() == 50
    assert not Recent.objects.filter(user=bob, object_id="3").exists()


@pytest.mark.parametrize("ref", ["", "issue", "issue:", "nothing:1", "issue:" + "1" * 65, "issue:\x001"])
def test_only_pages_of_known_things_are_remembered(bob, signed_in, ref):
    assert signed_in(bob).post("/recent/", {"ref": ref}).status_code == 404


def test_pages_and_settings_are_found_by_their_names(bob, signed_in):
    client = signed_in(bob)
    assert ("/errors", "Errors") in options(client, "err")
    assert ("/profile/", "Profile") in options(client, "time zone")
    assert headings(client, "profile") == ["Settings"]


def test_a_page_comes_before_what_only_begins_alike(bob, signed_in, shop):
    happen.issue(shop, "Errors everywhere", "x")
    assert headings(signed_in(bob), "errors") == ["Go to", "Errors"]
    assert titles(signed_in(bob), "errors") == ["Errors", "Errors everywhere: x"]


def test_a_command_that_posts_is_a_button_and_asks_for_the_right_role(bob, signed_in, monkeypatch):
    monkeypatch.setattr(palette, "_commands", {})
    palette.register_command(
        "x.theme",
        "Switch the colours",
        action="tokens.manage",
        icon="moon",
        url_name="theme",
        post=True,
        keywords="dark",
    )
    owner = signed_in(make.alice()).get("/palette", {"q": "dark"}).text
    assert re.search(r'<button class="palette__item" role="option"[^>]*form="palette-post" formaction="/theme/"', owner)
    assert "Switch the colours" not in signed_in(bob).get("/palette", {"q": "dark"}).text


def test_a_role_that_may_not_see_a_kind_finds_none_of_it(bob, signed_in, shop, monkeypatch):
    issue = happen.issue(shop, "KeyError", "secret")
    owner, engineer = signed_in(make.alice()), signed_in(bob)
    engineer.post("/recent/", {"ref": f"issue:{issue.pk}"})
    action = permissions.action("errors.view")
    monkeypatch.setitem(
        permissions._actions, "errors.view", permissions.Action("errors.view", permissions.ADMINS, action.text)
    )
    for text in ("secret", f"ERR-{issue.pk}", str(issue.pk), "keyerror secret", ""):
        assert (f"/errors/{issue.pk}", issue.title) not in options(engineer, text), text
        assert issue.title not in engineer.get("/search", {"q": text}).text, text
    assert engineer.get(f"/x/ERR-{issue.pk}").status_code == 404
    assert engineer.post("/recent/", {"ref": f"issue:{issue.pk}"}).status_code == 404
    assert (f"/errors/{issue.pk}", issue.title) in options(owner, "secret")


@pytest.mark.parametrize("role", list(permissions.Role))
def test_every_role_finds_exactly_the_pages_it_may_open(role, signed_in, shop):
    happen.issue(shop, "KeyError", "findable")
    make.dana()
    search.refresh("customer", [make.customer("id:findable").pk])
    client = signed_in(make.member("Somebody", role=role))
    offered = {
        url for text in ("", "a", "e", "o", "p", "s", "findable", "settings") for url, _ in options(client, text)
    }
    assert len(offered) > 5
    for url in offered:
        assert client.get(url, follow=True).status_code == 200, url
    assert ("/settings/tokens/" in offered) == (role in permissions.ADMINS)


@pytest.mark.parametrize("path", ["/palette?q=key", "/search?q=key", "/x/ERR-1", "/palette", "/search"])
def test_charlie_finds_nothing(charlie, signed_in, shop, path):
    happen.issue(shop, "KeyError", "secret")
    answer = signed_in(charlie).get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_an_erased_customer_is_not_found_any_more(signed_in):
    alice = make.alice()
    from daytwo_server.customers import services

    services.see(
        [services.Sighting(key="id:7", project=1, at=make.moment(), email="dana@example.com", name="Dana Miller")]
    )
    client = signed_in(alice)
    ((url, _),) = options(client, "dana miller")
    assert titles(client, "dana@example.com") == ["Dana Miller"]
    assert options(client, "7") != []
    client.post("/recent/", {"ref": f"customer:{url.split('/')[2]}"})
    client.post(f"{url}erase/")
    for text in ("dana miller", "dana@example", "miller", ""):
        answer = client.get("/palette", {"q": text}).text
        assert "Dana" not in answer, text
        assert "dana@" not in answer, text


def test_what_is_typed_is_shown_as_text_and_any_text_is_an_answer(bob, signed_in, shop):
    happen.issue(shop, "KeyError", "<script>alert(1)</script>")
    client = signed_in(bob)
    assert "<script>alert" not in client.get("/palette", {"q": "alert"}).text
    for text in ("<script>", "\x00", "a\x00b", "' OR 1=1 --", "x" * 5000, "🔥", "%", '"', "ERR-", "-1", "٣", "¹"):
        assert client.get("/palette", {"q": text}).status_code == 200, text
        assert client.get("/search", {"q": text}).status_code == 200, text


def test_the_same_is_a_page_without_a_script(bob, signed_in, shop):
    issue = happen.issue(shop, "KeyError", "'vat_id'")
    page = signed_in(bob).get("/search", {"q": "vat"})
    assert f'href="/errors/{issue.pk}"' in page.text
    assert f"ERR-{issue.pk}" in page.text
    assert 'value="vat"' in page.text
    assert "Nothing found" in signed_in(bob).get("/search", {"q": "nothinglikethis"}).text


def test_every_page_has_the_button_and_without_a_script_it_is_a_link(bob, signed_in):
    page = signed_in(bob).get("/profile/").text
    assert re.search(r'<a [^>]*href="/search"[^>]* data-palette', page)


def test_a_short_link_leads_to_the_page_of_an_id_or_of_a_title(bob, signed_in, shop):
    issue = happen.issue(shop, "KeyError", "x")
    client = signed_in(bob)
    for code in (f"ERR-{issue.pk}", f"err-{issue.pk}", str(issue.pk), f"ERR-{issue.pk}/", "KeyError: x"):
        answer = client.get(f"/x/{code}")
        assert (code, answer.status_code, answer.get("Location")) == (code, 302, f"/errors/{issue.pk}")
    for code in ("ERR-999999", "INC-1", "nothing", "KeyError x", "../../login", "\x00", "ERR-" + "9" * 40):
        assert client.get(f"/x/{code}").status_code == 404, code


def test_a_title_that_several_have_leads_to_the_search(bob, signed_in):
    for name in ("Shop", "Other"):
        happen.issue(make.project(name), "KeyError", "same")
    answer = signed_in(bob).get("/x/KeyError: same")
    assert answer["Location"] == "/search?q=KeyError%3A+same"


def test_it_costs_the_same_however_much_there_is(bob, signed_in, shop, django_assert_num_queries):
    client = signed_in(bob)
    for number in range(2):
        happen.issue(shop, f"Error{number}", "while paying")
    for text, queries in (("while paying", 5), ("", 3), ("ERR-1", 5)):
        # session, viewer, recent ones; the index, and one for each kind that is found
        client.get("/palette", {"q": text})
        with django_assert_num_queries(queries):
            client.get("/palette", {"q": text})
    for number in range(30):
        happen.issue(shop, f"Many{number}", "while paying")
    with django_assert_num_queries(5):
        client.get("/palette", {"q": "while paying"})


def test_at_most_five_of_a_kind_are_offered_and_twenty_on_the_page(bob, signed_in, shop):
    for number in range(30):
        happen.issue(shop, f"Many{number}", "while paying")
    assert len(options(signed_in(bob), "while paying")) == 5
    assert signed_in(bob).get("/search", {"q": "while paying"}).text.count('class="row"') == 20


def test_two_kinds_cannot_share_a_prefix():
    with pytest.raises(ValueError, match="already means Errors"):
        palette.register_kind("else", "Else", "errors.view", "bug", prefix="ERR")
    with pytest.raises(ValueError, match="capital letters"):
        palette.register_kind("else", "Else", "errors.view", "bug", prefix="err")
    assert "else" not in {kind.name for kind in palette.kinds()}


def test_a_number_is_looked_up_in_every_kind_with_numbers():
    kinds = [
        palette.Kind(name=n, label=n, action="errors.view", icon="bug", prefix=p)
        for n, p in (("issue", "ERR"), ("ticket", "T"), ("flag", ""))
    ]
    assert [(ref.kind, ref.id) for ref in selectors.by_code("12", kinds)] == [("issue", "12"), ("ticket", "12")]
    assert [(ref.kind, ref.id) for ref in selectors.by_code("t-12", kinds)] == [("ticket", "12")]
