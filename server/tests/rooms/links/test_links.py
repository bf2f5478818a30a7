"""What belongs together is shown on both sides, and can be taken apart and put together again."""

import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.core.models import AuditEntry
from daytwo_server.core.ref import Ref
from daytwo_server.links import services
from daytwo_server.links.models import Link
from daytwo_server.links.selectors import linked

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def issue():
    return happen.issue(make.project("Shop"), "KeyError")


@pytest.fixture
def dana():
    return make.dana()


def test_a_link_is_shown_on_both_sides_by_title_and_id(bob, signed_in, issue, dana):
    client = signed_in(bob)
    back = f"/errors/{issue.pk}"
    answer = client.post("/links/", {"ref": f"issue:{issue.pk}", "what": "Dana", "next": back})
    assert (answer.status_code, answer["Location"]) == (302, back)
    assert f'href="/customers/{dana.pk}/">Dana</a>' in client.get(back).text
    page = client.get(f"/customers/{dana.pk}/").text
    assert f"ERR-{issue.pk}" in page.partition("Belongs together")[2].partition("</section>")[0]
    assert AuditEntry.objects.get(action="links:link:made").actor_id == str(bob.pk)


def test_an_id_is_enough_and_what_is_not_found_is_said(bob, signed_in, issue, dana):
    client = signed_in(bob)
    for typed, words in (
        ("", "Write an id"),
        ("ERR-999999", "There is no ERR-999999"),
        ("Nobody at all", "There is no Nobody"),
    ):
        client.post("/links/", {"ref": f"customer:{dana.pk}", "what": typed, "next": f"/customers/{dana.pk}/"})
        assert words in client.get(f"/customers/{dana.pk}/").text
    client.post("/links/", {"ref": f"customer:{dana.pk}", "what": "Dana", "next": f"/customers/{dana.pk}/"})
    assert "This is the page of that one" in client.get(f"/customers/{dana.pk}/").text
    client.post("/links/", {"ref": f"customer:{dana.pk}", "what": f"err-{issue.pk}", "next": "/"})
    assert Link.objects.count() == 1


def test_removing_can_be_undone_and_linking_twice_is_one_link(bob, signed_in, issue, dana):
    client = signed_in(bob)
    one, other = Ref("issue", issue.pk), Ref("customer", dana.pk)
    made = services.link(one, other, actor=bob)
    assert services.link(other, one, actor=bob) == made
    page = client.post(f"/links/{made.pk}/remove/", {"next": f"/errors/{issue.pk}"}, follow=True)
    assert linked(bob, one) == []
    undo = re.search(r'action="(/links/\d+/restore/)"', page.text)[1]
    client.post(undo)
    assert [row.ref.title for row in linked(bob, one)] == ["Dana"]


def test_what_a_person_took_apart_no_rule_puts_together(bob, issue, dana):
    one, other = Ref("issue", issue.pk), Ref("customer", dana.pk)
    made = services.link(one, other, actor=None, rule="errors.met")
    services.unlink(made, actor=bob)
    for here, there in ((one, other), (other, one)):
        assert services.link(here, there, actor=None, rule="errors.met") is None
    assert (linked(bob, one), linked(bob, other)) == ([], [])
    assert services.link(other, one, actor=bob) == made, "a person may, and it is the same link"
    assert [row.ref.title for row in linked(bob, one)] == ["Dana"]
    assert Link.objects.get().removed_at is None


def test_nothing_is_linked_with_itself_or_without_end(bob, issue, dana, monkeypatch):
    monkeypatch.setattr(services, "MAX_LINKS", 1)
    one = Ref("issue", issue.pk)
    with pytest.raises(services.LinkError, match="This is the page"):
        services.link(one, one, actor=bob)
    services.link(one, Ref("customer", dana.pk), actor=bob)
    with pytest.raises(services.LinkError, match="remove some"):
        services.link(one, Ref("customer", make.customer().pk), actor=bob)


def test_what_is_gone_is_left_out(bob, issue, dana):
    services.link(Ref("issue", issue.pk), Ref("customer", dana.pk), actor=bob)
    dana.delete()
    assert linked(bob, Ref("issue", issue.pk)) == []


def test_a_page_that_is_not_there_has_no_links(bob, signed_in):
    client = signed_in(bob)
    for ref in ("issue:999999", "secret:1", "issue:x", "issue:" + "9" * 30, ""):
        assert client.post("/links/", {"ref": ref, "what": "Dana"}).status_code == 404


def test_links_cost_one_query_and_one_for_each_kind(bob, issue, django_assert_num_queries):
    one = Ref("issue", issue.pk)
    for number in range(5):
        services.link(one, Ref("customer", make.customer(name=f"C{number}").pk), actor=bob)
    with django_assert_num_queries(2):
        assert len(linked(bob, one)) == 5
