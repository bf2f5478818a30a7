"""Components, on pages and by the API."""

import json

import make
import pytest
from django.test import Client

from daytwo_server.catalog.models import Component
from daytwo_server.core import search
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
PART = {"HX-Request-Type": "partial"}


def test_bob_creates_a_component_changes_and_archives_it(alice, bob, signed_in):
    shop, client = make.project("Shop", slug="shop"), signed_in(bob)
    assert "No components yet" in client.get("/components").text
    said = {
        "name": "Checkout API",
        "description": "Takes\r\nmoney.",
        "project": "shop",
        "team": "Payments",
        "owners": "alice@example.com, Bob@example.com",
    }
    page = client.post("/components/new", said, follow=True)
    assert page.redirect_chain == [("/components/checkout-api", 302)]
    for words in ("Takes<br>money.", "Payments", "Alice", "Bob", 'href="/projects/shop/"'):
        assert words in page.text
    component = Component.objects.get()
    assert (component.project, list(component.owners.order_by("pk"))) == (shop, [alice, bob])
    assert search.ids("component", "money", 5) == [component.pk]

    form = client.get("/components/checkout-api/edit").text
    assert 'value="alice@example.com, bob@example.com"' in form
    client.post("/components/checkout-api/edit", said | {"name": "Checkout", "owners": "bob@example.com"})
    component.refresh_from_db()
    assert (component.name, component.slug, list(component.owners.all())) == ("Checkout", "checkout-api", [bob])
    before, after = AuditEntry.objects.filter(action="catalog:component:changed").values_list("before", "after").get()
    assert (json.loads(before)["owners"], json.loads(after)["owners"]) == ([alice.pk, bob.pk], [bob.pk])
    assert "money" not in before + after, "the log holds no person's words"

    page = client.post("/components/checkout-api/archive", follow=True)
    assert 'action="/components/checkout-api/restore"' in page.text
    assert "/components/checkout-api" not in client.get("/components").text
    assert "/components/checkout-api" in client.get("/components?archived=1").text
    assert search.ids("component", "checkout", 5) == []
    client.post("/components/checkout-api/restore")
    assert "/components/checkout-api" in client.get("/components").text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "required"),
        ({"name": "bell\x07"}, "cannot be printed"),
        ({"name": "x" * 101}, "at most 100"),
        ({"description": "x" * 2001}, "at most 2000"),
        ({"description": "a\u200bb"}, "cannot be printed"),
        ({"team": "a\u200bb"}, "cannot be printed"),
        ({"project": "nowhere"}, "valid choice"),
        ({"owners": "bob@example.com, charlie@example.com"}, "is no member"),
    ],
)
def test_a_wrong_answer_is_told_beside_its_field(bob, signed_in, said, words):
    answer = signed_in(bob).post("/components/new", {"name": "API"} | said, headers=PART)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="id_{next(iter(said))}_error"' in answer.text
    assert Component.objects.count() == 0


def test_charlie_sees_no_component_and_a_viewer_changes_none(charlie, signed_in):
    make.component("Checkout API")
    for path in ("/components", "/components/new", "/components/checkout-api", "/components/checkout-api/edit"):
        assert signed_in(charlie).get(path).status_code == 404, path
    viewer = signed_in(make.member(role="viewer"))
    assert "New component" not in viewer.get("/components").text.partition("<main")[2]
    assert "<form" not in viewer.get("/components/checkout-api").text.partition("<main")[2].partition("</main>")[0]
    assert viewer.get("/components/checkout-api/edit").status_code == 403
    assert viewer.post("/components/checkout-api/archive").status_code == 403
    assert viewer.get("/components/nothing").status_code == 404


@pytest.fixture
def api(bob):
    client = Client(headers={"Authorization": f"Bearer {make.token(bob)}"})

    def call(method, path, expected=200, **body):
        answer = client.generic(method, f"/api/v1/components{path}", json.dumps(body), content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    return call


def test_the_api_creates_changes_and_lists_components(api, bob):
    make.project("Shop", slug="shop")
    new = api("POST", "", 201, name="Checkout API", project="shop", owners=["BOB@example.com"], team="Payments")
    assert new == {
        "id": new["id"], "slug": "checkout-api", "name": "Checkout API", "description": "", "project": "shop",
        "team": "Payments", "owners": ["bob@example.com"], "createdAt": new["createdAt"], "archivedAt": None,
    }  # fmt: skip
    assert api("GET", "/checkout-api") == new
    changed = api("PATCH", "/checkout-api", description="Takes money.", project=None)
    assert changed == new | {"description": "Takes money.", "project": None}
    assert AuditEntry.objects.filter(action="catalog:component:changed", actor_kind="token").count() == 1
    assert api("GET", "") == {"results": [changed], "next": None}
    assert api("PATCH", "/checkout-api", archived=True)["archivedAt"]
    assert api("GET", "") == {"results": [], "next": None}
    assert [one["slug"] for one in api("GET", "?archived=true")["results"]] == ["checkout-api"]
    assert api("PATCH", "/checkout-api", archived=False)["archivedAt"] is None
    assert api("POST", "", 201, name="Checkout API")["slug"] == "checkout-api-2"


def test_the_api_lists_components_page_by_page(api):
    names = [f"Part {n:02}" for n in range(5)]
    for name in reversed(names):
        make.component(name)
    seen, pages, cursor = [], 0, ""
    while cursor is not None:
        page = api("GET", f"?limit=2&cursor={cursor}")
        seen, pages, cursor = [*seen, *(one["name"] for one in page["results"])], pages + 1, page["next"]
    assert (seen, pages) == (names, 3)
    for query, field in (("?limit=0", "limit"), ("?limit=101", "limit"), ("?cursor=x", "cursor")):
        assert list(api("GET", query, 400)["fields"]) == [field]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"project": "nowhere"}, "project"),
        ({"project": "\x00"}, "project"), ({"owners": ["charlie@example.com"]}, "owners"), ({"owners": ["\x00"]}, "owners"),
        ({"team": "x" * 101}, "team"), ({"description": "a\x00"}, "description"), ({"nmae": "x"}, "nmae"),
    ],
)  # fmt: skip
def test_the_api_says_which_field_is_wrong_and_changes_nothing(api, charlie, said, field):
    assert field in api("POST", "", 400, **{"name": "API"} | said)["fields"]
    make.component("Kept")
    assert field in api("PATCH", "/kept", 400, **{"team": "x"} | said)["fields"]
    assert Component.objects.get().team == ""
    assert api("GET", "/nothing", 404)["fields"] == {}


def test_the_list_costs_the_same_for_many_components(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    shop = make.project("Shop")
    for n in range(30):
        make.component(f"Part {n}", project=shop).owners.add(alice)
    client.get("/components")
    with django_assert_num_queries(4):  # session, viewer, components with projects, owners
        page = client.get("/components")
    assert len(page.content) < 60_000
