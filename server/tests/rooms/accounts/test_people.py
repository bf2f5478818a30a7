"""Members to choose from while somebody types."""

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered(bob, signed_in):
    """The addresses that the page offers for what was typed."""
    client = signed_in(bob)

    def addresses(query):
        answer = client.get(f"/people/{query}")
        assert answer.status_code == 200
        return [piece.partition('"')[0] for piece in answer.content.decode().split('value="')[1:]]

    return addresses


def test_whoever_has_the_letters_in_name_or_address_is_offered(offered):
    make.member("Eve", email="eve@example.com")
    make.member("Someone", email="adele.evers@example.com")
    assert offered("?q=EVE") == ["eve@example.com", "adele.evers@example.com"]
    assert offered("?of=assignee&assignee=evers") == ["adele.evers@example.com"]


def test_of_a_list_the_last_name_counts(offered):
    make.member("Eve", email="eve@example.com")
    assert offered("?of=owners&owners=bob@example.com,%20ev") == ["eve@example.com"]


def test_who_cannot_sign_in_or_is_no_member_is_not_offered(offered):
    make.member("Gone", is_active=False)
    make.charlie()
    assert offered("?q=") == ["bob@example.com"]


def test_of_a_thousand_twenty_are_offered_with_two_queries_more_than_the_page_itself(offered):
    for number in range(30):
        make.member(f"Member {number:02}")
    with CaptureQueriesContext(connection) as some:
        assert len(offered("?q=member")) == 20
    for number in range(30, 60):
        make.member(f"Member {number:02}")
    with CaptureQueriesContext(connection) as more:
        assert len(offered("?q=member")) == 20
    assert len(more) == len(some)


def test_nothing_that_is_typed_breaks_it(offered):
    for typed in ("?q=%25", "?q=" + "x" * 3000, "?q='%22%3C", "?of=of"):
        assert offered(typed) == []
    assert offered("?q=%00bob") == ["bob@example.com"]
