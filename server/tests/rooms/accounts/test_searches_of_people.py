"""What the search boxes above members, invitations and tokens understand."""

import datetime as dt

import make
import pytest

from daytwo_server.accounts import services
from daytwo_server.accounts.models import ApiToken, Invitation, Membership, User
from daytwo_server.core import clock, search

pytestmark = pytest.mark.django_db
MEMBERS, INVITATIONS, TOKENS = "/settings/members/", "/settings/members/invitations/", "/settings/tokens/"


@pytest.fixture
def alices(alice, signed_in):
    return signed_in(alice)


@pytest.mark.parametrize(
    ("search_text", "names"),
    [("role:engineer", ["Bob"]), ("!role:engineer", ["Alice", "Zoë Größe"]), ("is:off", ["Zoë Größe"]),
     ("email:bob@example.com", ["Bob"]), ("email:b*", ["Bob"]), ("lic", ["Alice"]), ("grosse zoe", ["Zoë Größe"]),
     ("is:on role:owner ali", ["Alice"]), ("nobody", [])],
)  # fmt: skip
def test_members_are_found_by_terms_and_words(alices, bob, search_text, names):
    zoe = make.member("Zoë Größe", email="z@example.com", is_active=False)
    search.refresh("user", [zoe.pk])
    page = alices.get(MEMBERS, {"q": search_text})
    assert [str(one.user) for one in page.context["members"]] == names
    assert names or "No member matches all of this" in page.text


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [(MEMBERS, "q=role:god", "There is no role:god; use role:owner, role:admin"),
     (MEMBERS, "role=god", "There is no role:god"), (MEMBERS, "q=age:7", "There is no filter age: here; use role:"),
     (MEMBERS, "cursor=x", "start from the first page"), (INVITATIONS, "q=is:odd", "use is:open, is:expired or"),
     (TOKENS, "q=by:nobody@example.com", "is nobody here; use me"), (TOKENS, "q=is:odd", "There is no is:odd")],
)  # fmt: skip
def test_what_does_not_exist_is_explained_above_a_way_back(alices, path, query, words):
    page = alices.get(f"{path}?{query}")
    assert page.status_code == 400
    assert words in page.text
    assert f'href="{path}"' in page.text
    part = alices.get(f"{path}?{query}", headers={"HX-Request-Type": "partial"})
    assert (part.status_code, part["Content-Type"]) == (400, "text/plain")


def test_a_search_of_members_is_kept_as_a_tab(alices):
    form = {"page": "members", "query": "q=role:engineer", "name": "Engineers", "next": MEMBERS}
    alices.post("/views/", form)
    page = alices.get(MEMBERS).text
    tabs = page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
    assert f'href="{MEMBERS}" aria-current="page">All' in tabs
    assert f'href="{MEMBERS}?q=role%3Aengineer">Engineers' in tabs


def test_a_view_that_means_nothing_any_more_can_be_deleted_where_it_is_refused(alices):
    alices.post("/views/", {"page": "members", "query": "role=pirate", "name": "Pirates", "next": MEMBERS})
    page = alices.get(f"{MEMBERS}?role=pirate")
    assert page.status_code == 400
    assert "Delete view" in page.text
    assert "Save view" not in alices.get(f"{MEMBERS}?role=corsair").text, "a list that cannot be shown is no view"


@pytest.mark.parametrize(
    ("search_text", "names"),
    [("role:viewer", ["Vera"]), ("by:me", ["Eve", "Vera"]), ("is:expired", ["Old"]), ("is:open !by:me", []),
     ("VER", ["Vera"]), ("old@", ["Old"])],
)  # fmt: skip
def test_invitations_are_found_by_terms_and_words(alice, alices, search_text, names):
    other = make.member("Adam", role=Membership.Role.ADMIN)
    for name, by, role in (("Vera", alice, "viewer"), ("Eve", alice, "agent"), ("Old", other, "agent")):
        services.invite(email=f"{name.lower()}@example.com", name=name, role=role, actor=by)
    Invitation.objects.filter(name="Old").update(expires_at=clock.now() - dt.timedelta(days=1))
    page = alices.get(INVITATIONS, {"q": search_text})
    assert [one.name for one in page.context["invitations"]] == names


@pytest.mark.parametrize(
    ("search_text", "labels"),
    [("by:me", ["Mine"]), ("by:alice@example.com is:unused", ["Mine"]), ("is:expired", ["Old"]),
     ("is:active", ["Derived", "Mine"]), ("der", ["Derived"]), ("!is:unused", ["Old"])],
)  # fmt: skip
def test_tokens_are_found_by_terms_and_words(alice, alices, search_text, labels):
    now = clock.now()
    for label, fields in (("Mine", {"by": alice}), ("Old", {"expires_at": now, "last_used_at": now}), ("Derived", {})):
        make.token(**fields)
        ApiToken.objects.filter(label="Script").update(label=label)
    page = alices.get(TOKENS, {"q": search_text})
    assert [one.label for one in page.context["tokens"]] == labels


def test_the_search_box_comes_with_the_thirteenth_row(alice, alices):
    for _ in range(12):
        make.token(alice)
    assert "Search tokens" not in alices.get(TOKENS).text
    make.token(alice)
    assert "Search tokens" in alices.get(TOKENS).text


def test_who_left_is_still_somebody_who_made_tokens(alices, bob):
    make.token(bob)
    Membership.objects.filter(user=bob).delete()
    assert User.objects.filter(pk=bob.pk).exists()
    assert len(alices.get(TOKENS, {"q": "by:bob@example.com"}).context["tokens"]) == 1
