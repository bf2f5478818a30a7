"""Numbers beside the links of the navigation: what waits there, for one statement every few seconds."""

import json

import make
import pytest
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.core.models import Job
from daytwo_server.errors import services as errors
from daytwo_server.errors.models import Issue
from daytwo_server.errors.selectors.issues import FRESH
from daytwo_server.ui import nav

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _counting():
    nav.forget_counts()


@pytest.fixture
def shop(db):
    return make.project("Shop")


def dead_letters(n):
    args = json.dumps({"to": 7})
    Job.objects.bulk_create(Job(kind="tests.mail", args=args, state="dead", max_attempts=3) for _ in range(n))


def waiting():
    return {name: one.count for name, one in nav.waiting().items()}


def test_errors_that_are_new_or_came_back_and_are_nobodys_are_counted(bob, shop):
    old, owned, solved, back, new = (happen.issue(shop, name) for name in ("Old", "Owned", "Solved", "Back", "New"))
    long_ago = clock.now() - 2 * FRESH
    Issue.objects.filter(pk__in=[old.pk, back.pk]).update(first_seen=long_ago)
    Issue.objects.filter(pk=back.pk).update(regressed_at=clock.now())
    errors.assign([owned.pk], bob.email, actor=bob)
    errors.resolve([solved.pk], actor=bob)
    nav.forget_counts()
    assert waiting() == {"errors:list": "2"}, "Back and New"
    assert new.status == "unresolved"


def test_everything_is_counted_by_one_statement_and_not_again_for_some_seconds(shop, django_assert_num_queries):
    happen.issue(shop)
    dead_letters(3)
    nav.forget_counts()
    with django_assert_num_queries(1):
        assert waiting() == {"errors:list": "1", "operate:jobs": "3"}
        assert waiting() == {"errors:list": "1", "operate:jobs": "3"}
    dead_letters(1)
    assert waiting()["operate:jobs"] == "3"
    nav._cache.next_look = 0.0  # some seconds later
    assert waiting()["operate:jobs"] == "4"


def test_counting_ends_at_99(db):
    dead_letters(250)
    assert waiting() == {"operate:jobs": "99+"}


def test_the_numbers_stand_beside_their_links_with_what_they_are(alice, signed_in, shop):
    happen.issue(shop)
    dead_letters(2)
    nav.forget_counts()
    page = signed_in(alice).get("/settings/jobs/").text
    assert 'title="2 dead letters">2<span class="visually-hidden"> dead letters</span>' in page
    assert 'title="1 new or back within a day, and nobody&#x27;s">1<' in page
    assert "nav__count--hot" not in page, "a queue wakes nobody"
    assert "2 dead letters" in signed_in(alice).get("/settings/").text


def test_a_page_costs_one_query_more_when_it_counts(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    nav.forget_counts()
    with django_assert_num_queries(3):  # session, viewer, the numbers
        client.get("/profile/")
    with django_assert_num_queries(2):
        client.get("/profile/")
