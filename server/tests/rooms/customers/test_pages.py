import datetime as dt
import re

import make
import pytest
from django.test import Client
from rooms.errors import happen

from daytwo_server.customers import selectors
from daytwo_server.customers.models import Customer

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
PART = {"HX-Request-Type": "partial"}
NOON = make.moment("2026-11-23T12:00:00")


def names(page) -> list[str]:
    return re.findall(r'href="/customers/\d+/">([^<]+)</a>', page.text)


def test_the_list_begins_with_who_was_seen_last(alice, signed_in):
    make.customer("id:1", name="Early", last_seen=NOON)
    make.customer("id:2", name="Late", last_seen=NOON + dt.timedelta(minutes=1))
    make.customer("email:nameless@example.com", email="nameless@example.com", last_seen=NOON - dt.timedelta(days=1))
    assert names(signed_in(alice).get("/customers/")) == ["Late", "Early", "nameless@example.com"]


def test_customers_are_found_by_email_name_id_and_organization(alice, signed_in):
    make.dana(organization=make.organization("Brightside Dental"))
    make.customer("id:77", name="Otto", email="otto@example.org")
    client = signed_in(alice)
    for search in ("DANA@exa", "dan", "id:dana", "brightside", "email:dana@example.com", "plan:business", "is:verified dana",
                   'organization:"brightside dental"', "!id:77"):  # fmt: skip
        assert names(client.get("/customers/", {"q": search})) == ["Dana"], search
    assert names(client.get("/customers/", {"q": "77"})) == ["Otto"]
    nobody = client.get("/customers/", {"q": "100%_'\"<u>"})
    assert "Nobody found" in nobody.text
    assert "<u>" not in nobody.text.partition("<main")[2]
    part = client.get("/customers/", {"q": "otto"}, headers=PART)
    assert part.text.startswith('<div id="customers">')


def test_a_filter_that_does_not_exist_is_explained(alice, signed_in):
    for search, words in (
        ("is:rich", "is:verified or is:unverified"),
        ("colour:red", "use id:, email:, plan:"),
        ("x" * 501, "longer than 500"),
    ):
        answer = signed_in(alice).get("/customers/", {"q": search})
        assert (answer.status_code, words in answer.text) == (400, True), answer.text[-500:]


def test_a_search_can_be_kept_as_a_view(alice, signed_in):
    client = signed_in(alice)
    form = {"page": "customers", "query": "q=plan:business", "name": "Business", "next": "/customers/"}
    assert client.post("/views/", form).status_code == 302
    assert ">Business</a>" in client.get("/customers/").text


def test_a_long_list_is_paged_both_ways_without_losing_anybody(alice, signed_in):
    for n in range(120):
        make.customer(f"id:{n:03}", name=f"Cora {n:03}", last_seen=NOON + dt.timedelta(seconds=n // 3))
    client, seen, url = signed_in(alice), [], "/customers/?q=cora"
    while url:
        page = client.get(url)
        seen.append(names(page))
        older = re.search(r'rel="next" href="([^"]+)"', page.text)
        url = older[1].replace("&amp;", "&") if older else ""
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert sorted(name for rows in seen for name in rows) == [f"Cora {n:03}" for n in range(120)]
    newer = re.search(r'rel="prev" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    assert names(client.get(newer)) == seen[1]
    assert client.get("/customers/?cursor=nonsense").status_code == 400


def test_the_page_of_a_customer_says_who_this_is(alice, signed_in):
    dana = make.dana(organization=make.organization("Brightside Dental"))
    page = signed_in(alice).get(f"/customers/{dana.pk}/").text
    for words in ("Dana", "dana@example.com", "business", "Brightside Dental", "Verified"):
        assert words in page
    unknown = make.customer("id:9")
    assert "Unverified" in signed_in(alice).get(f"/customers/{unknown.pk}/").text


def test_the_page_of_a_customer_lists_the_errors_they_ran_into_latest_first(alice, signed_in):
    from daytwo_server.errors.models import IssueUser

    dana, shop = make.dana(), make.project("Shop")
    for number in range(3):
        one = happen.issue(shop, f"E{number}", at=NOON + dt.timedelta(minutes=number), user={"id": "dana"})
        IssueUser.objects.filter(issue=one).update(customer_id=dana.pk)
    happen.issue(shop, "Other", user={"id": "otto"})
    page = signed_in(alice).get(f"/customers/{dana.pk}/")
    assert [met.issue.type for met in page.context["errors"]] == ["E2", "E1", "E0"]
    assert f'href="/errors/{one.pk}"' in page.text
    assert "Other" not in page.text
    assert "None. What they run into" in signed_in(alice).get(f"/customers/{make.customer('id:9').pk}/").text
    assert signed_in(alice).get(f"/customers/{dana.pk}/?cursor=nonsense").status_code == 400


def test_what_a_customer_calls_themselves_is_never_markup(alice, signed_in):
    evil = make.customer("id:<script>alert(1)</script>", name="<img src=x onerror=alert(1)>", email="<b>@example.com")
    for path in ("/customers/", f"/customers/{evil.pk}/", f"/customers/{evil.pk}/erase/"):
        page = signed_in(alice).get(path).text
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "<b>@" not in page


def test_erasing_asks_first_and_takes_a_post(alice, signed_in):
    dana = make.dana()
    client = signed_in(alice)
    assert "Erase Dana?" in client.get(f"/customers/{dana.pk}/erase/").text
    assert Customer.objects.get().name == "Dana"
    page = client.post(f"/customers/{dana.pk}/erase/", follow=True)
    assert "The customer was erased" in page.text
    assert "Dana" not in page.text
    assert "Erased" in client.get(f"/customers/{dana.pk}/").text
    assert client.post(f"/customers/{dana.pk}/erase/").status_code == 404


@pytest.mark.parametrize("path", ["/customers/", "/customers/{pk}/", "/customers/{pk}/erase/"])
def test_charlie_sees_no_page_and_visitors_sign_in_first(charlie, signed_in, path):
    path = path.format(pk=make.dana().pk)
    answer = signed_in(charlie).get(path)
    assert answer.status_code == 404
    assert "Dana" not in answer.text
    assert Client().get(path)["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("role", ["viewer", "agent", "engineer"])
def test_who_may_not_erase_is_told_the_role_that_may(signed_in, role):
    dana = make.dana()
    client = signed_in(make.member(role=role))
    assert "Erase" not in client.get(f"/customers/{dana.pk}/").text
    answer = client.post(f"/customers/{dana.pk}/erase/")
    assert answer.status_code == 403
    assert "Owner or Admin" in answer.text
    assert Customer.objects.get().name == "Dana"


def test_pages_cost_the_same_however_many_customers_there_are(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    for n in range(60):
        customer = make.customer(organization=make.organization(f"Org {n}"))
    with django_assert_num_queries(4):  # session, viewer, customers with their organizations, saved views
        client.get("/customers/")
    with django_assert_num_queries(5):  # and what they ran into, and what belongs to them
        client.get(f"/customers/{customer.pk}/")
    ids = list(Customer.objects.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        found = selectors.customers_by_id(ids)
        assert len({c.organization.name for c in found.values()}) == 60
