import make
import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from daytwo_server.accounts import permissions, services
from daytwo_server.accounts.models import ApiToken, Membership, User

pytestmark = pytest.mark.django_db
Role = Membership.Role


def test_a_role_may_do_what_the_table_says(alice, bob):
    assert permissions.can(alice, "tokens.manage")
    assert not permissions.can(bob, "tokens.manage")
    assert permissions.can(bob, "projects.manage")


def test_charlie_may_do_nothing(charlie):
    assert not any(permissions.can(charlie, row.name) for row in permissions.table())


def test_somebody_who_was_switched_off_may_do_nothing():
    gone = make.member("Gone", role=Role.OWNER, is_active=False)
    assert not permissions.can(gone, "projects.view")


def test_an_action_nobody_registered_is_an_error_even_for_the_owner(alice):
    with pytest.raises(permissions.UnknownActionError, match=r"misteaks\.make"):
        permissions.can(alice, "misteaks.make")
    with pytest.raises(permissions.UnknownActionError):
        permissions.require("misteaks.make")


def test_asking_costs_no_query_for_a_person_loaded_by_the_session(alice, charlie, django_assert_num_queries):
    people = [User.objects.get(pk=alice.pk), User.objects.get(pk=charlie.pk)]
    with django_assert_num_queries(0):
        assert [permissions.can(person, "projects.view") for person in people] == [True, False]


def test_a_token_may_do_what_its_scopes_and_its_creator_allow(bob):
    def may(raw: str, action: str) -> bool:
        token = services.authenticate(raw)
        assert token is not None
        return permissions.can(token, action)

    everything, one_thing = make.token(bob), make.token(bob, scopes=("projects.view",))
    assert may(everything, "projects.manage")
    assert not may(everything, "tokens.manage"), "Bob is no admin, so no token of his can manage tokens"
    assert may(one_thing, "projects.view")
    assert not may(one_thing, "projects.manage")
    assert may(make.token(), "tokens.manage"), "a derived token has nobody's limits"


def test_a_token_loses_its_rights_with_its_creator(bob):
    raw = make.token(bob)
    Membership.objects.filter(user=bob).delete()
    token = services.authenticate(raw)
    assert isinstance(token, ApiToken)
    assert not permissions.can(token, "projects.view")


def test_the_needed_roles_are_told_in_words():
    assert permissions.action("projects.manage").needs == "Owner, Admin or Engineer"


def test_every_action_of_the_table_explains_itself():
    assert {"profile.edit", "tokens.manage", "projects.view", "customers.view"} <= {a.name for a in permissions.table()}
    assert all(row.text and row.roles for row in permissions.table())


def test_a_guarded_page_finds_the_membership_and_the_viewers_time_zone(alice):
    from django.utils import timezone

    alice.time_zone = "Asia/Tokyo"
    request = RequestFactory().get("/")
    request.user = alice

    @permissions.require("projects.view")
    def page(request):
        return HttpResponse(f"{request.membership.role} {timezone.get_current_timezone_name()}")

    assert page(request).content == b"owner Asia/Tokyo"
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_refusal_on_the_api_names_the_scope_or_the_role(bob):
    def told(raw: str) -> str:
        issue = "/api/v1/issues/1"
        answer = Client().patch(issue, {}, "application/json", headers={"Authorization": f"Bearer {raw}"})
        assert answer.status_code == 403
        return answer.json()["detail"]

    assert "lacks the scope errors.triage" in told(make.token(bob, scopes=("errors.view",)))
    viewer = make.member("Vera", role=Role.VIEWER)
    words = told(make.token(viewer))
    assert "errors.triage needs the role Owner, Admin or Engineer" in words
    assert "has the role Viewer" in words
    Membership.objects.filter(user=viewer).delete()
    assert "does not belong to the workspace any more" in told(make.token(viewer))
    for may in (make.token(bob), make.token(bob, scopes=("errors.triage",)), make.token()):
        assert permissions.refusal(services.authenticate(may), "errors.triage") == ""
