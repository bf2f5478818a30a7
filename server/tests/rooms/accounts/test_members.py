"""Who may make whom what, and that nobody who leaves keeps a way in."""

import datetime as dt
import json

import make
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from daytwo_server.accounts import permissions, services
from daytwo_server.accounts.models import FormerMembership, Membership, User, UserSession
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
Role = Membership.Role
URL = "/settings/members/"


def role_of(person: User) -> str | None:
    found = Membership.objects.filter(user=person).first()
    return found.role if found else None


def last_entry() -> tuple[str, str, str, str]:
    entry = AuditEntry.objects.order_by("-pk")[0]
    return entry.action, entry.ref_id, entry.before, entry.after


@pytest.fixture
def admin():
    return make.member("Adam", role=Role.ADMIN)


# -- roles


def test_an_admin_gives_roles_and_the_change_is_written_down(admin, bob, signed_in):
    client = signed_in(admin)
    page = client.post(f"{URL}{bob.pk}/role/", {"role": "viewer", "was": "engineer"}, follow=True)
    assert "Bob is Viewer now" in page.text
    assert role_of(bob) == "viewer"
    assert last_entry() == ("accounts:member:role_changed", str(bob.pk), '{"role":"engineer"}', '{"role":"viewer"}')
    undo = f"{URL}{bob.pk}/role/?role=engineer&amp;was=viewer"
    assert f'action="{undo}"' in page.text
    client.post(undo.replace("&amp;", "&"))
    assert role_of(bob) == "engineer"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_only_owners_make_owners(alice, admin, bob, signed_in, role):
    page = signed_in(admin).post(f"{URL}{bob.pk}/role/", {"role": role}, follow=True)
    assert role_of(bob) == (role if role != Role.OWNER else "engineer")
    assert ("This needs the role Owner" in page.text) == (role == Role.OWNER)
    signed_in(alice).post(f"{URL}{bob.pk}/role/", {"role": role})
    assert role_of(bob) == role


def test_an_admin_can_do_nothing_to_an_owner(alice, admin, signed_in):
    second = make.member("Olga", role=Role.OWNER)
    client = signed_in(admin)
    signed_in(second)
    for what in ("role/?role=viewer", "remove/", "off/", "sign-out/"):
        page = client.post(f"{URL}{second.pk}/{what}", follow=True)
        assert "This needs the role Owner" in page.text, what
    assert role_of(second) == "owner"
    assert User.objects.get(pk=second.pk).is_active
    assert UserSession.objects.filter(user=second).count() == 1
    page = client.get(f"{URL}{second.pk}/").text
    assert "Only an owner changes" in page
    assert "remove/" not in page


def test_nobody_raises_their_own_role_and_owners_may_step_down(alice, admin, signed_in):
    with pytest.raises(services.NotAllowedError, match="Owner"):
        services.change_role(admin, Role.OWNER, actor=admin)
    make.member("Olga", role=Role.OWNER)
    answer = signed_in(alice).post(f"{URL}{alice.pk}/role/", {"role": "engineer", "was": "owner"})
    assert answer["Location"] == URL
    assert role_of(alice) == "engineer"
    with pytest.raises(services.NotAllowedError):
        services.change_role(alice, Role.ADMIN, actor=alice)


@pytest.mark.parametrize(
    ("what", "why"),
    [("role/?role=viewer", "last owner"), ("remove/", "Nobody removes or switches off themselves"),
     ("off/", "Nobody removes or switches off themselves")],
)  # fmt: skip
def test_the_last_active_owner_stays_one(alice, signed_in, what, why):
    """A second owner who is switched off does not count."""
    olga = make.member("Olga", role=Role.OWNER)
    services.switch_member(olga, active=False, actor=alice)
    page = signed_in(alice).post(f"{URL}{alice.pk}/{what}", follow=True)
    assert why in page.text
    assert role_of(alice) == "owner"
    assert User.objects.get(pk=alice.pk).is_active
    services.switch_member(olga, active=True, actor=alice)
    services.switch_member(alice, active=False, actor=olga)
    with pytest.raises(services.LastOwnerError, match="Olga is the last owner"):
        services.change_role(olga, Role.ADMIN, actor=olga)


def test_the_second_of_two_who_change_a_role_sees_what_the_first_did(alice, admin, bob, signed_in):
    services.change_role(bob, Role.AGENT, actor=alice)
    page = signed_in(admin).post(f"{URL}{bob.pk}/role/", {"role": "viewer", "was": "engineer"}, follow=True)
    assert "Somebody else made Bob Support agent meanwhile" in page.text
    assert role_of(bob) == "agent"


def test_a_role_that_does_not_exist_is_refused(alice, bob, signed_in):
    page = signed_in(alice).post(f"{URL}{bob.pk}/role/", {"role": "god"}, follow=True)
    assert "Choose one of the roles" in page.text
    assert role_of(bob) == "engineer"


def test_somebody_who_lost_their_role_meanwhile_changes_nothing(alice, admin, bob):
    as_loaded = User.objects.get(pk=admin.pk)
    services.change_role(admin, Role.VIEWER, actor=alice)
    with pytest.raises(services.NotAllowedError):
        services.remove_member(bob, actor=as_loaded)


# -- leaving


def test_who_is_removed_loses_sessions_pages_and_tokens_at_once(alice, bob, signed_in):
    his, raw = signed_in(bob), make.token(bob)
    page = signed_in(alice).post(f"{URL}{bob.pk}/remove/", follow=True)
    assert "Bob was removed" in page.text
    assert his.get("/projects/").status_code == 302
    assert signed_in(bob).get("/projects/").status_code == 404
    answer = Client().get("/api/v1/projects", headers={"Authorization": f"Bearer {raw}"})
    assert answer.status_code == 403
    assert "does not belong to the workspace" in answer.json()["detail"]
    assert last_entry() == ("accounts:member:removed", str(bob.pk), '{"role":"engineer"}', "")


def test_a_removal_can_be_undone_for_ten_minutes(alice, bob, signed_in):
    with time_machine.travel(make.moment(), tick=False) as clock:
        client, joined = signed_in(alice), bob.membership.created_at
        page = client.post(f"{URL}{bob.pk}/remove/", follow=True)
        assert f'action="{URL}{bob.pk}/restore/"' in page.text
        assert "Just removed" in client.get(URL).text
        assert "Bob is back" in client.post(f"{URL}{bob.pk}/restore/", follow=True).text
        again = Membership.objects.get(user=bob)
        assert (again.role, again.created_at) == ("engineer", joined)
        assert not FormerMembership.objects.exists()
        services.remove_member(bob, actor=alice)
        clock.shift(dt.timedelta(minutes=10))
        assert "Just removed" not in client.get(URL).text
        assert "too long ago" in client.post(f"{URL}{bob.pk}/restore/", follow=True).text
    assert role_of(bob) is None


def test_setup_makes_an_owner_even_of_somebody_just_removed(alice, bob, signed_in):
    services.remove_member(bob, actor=alice)
    services.ensure_owner("bob@example.com", "correct horse battery")
    client = signed_in(alice)
    assert "Just removed" not in client.get(URL).text
    client.post(f"{URL}{bob.pk}/restore/")
    assert role_of(bob) == "owner"


def test_an_admin_does_not_bring_an_owner_back(alice, admin):
    olga = make.member("Olga", role=Role.OWNER)
    services.remove_member(olga, actor=alice)
    with pytest.raises(services.NotAllowedError):
        services.restore_member(olga, actor=admin)
    assert role_of(olga) is None


def test_who_is_switched_off_is_out_until_switched_on(alice, bob, signed_in):
    his, raw = signed_in(bob), make.token(bob)
    client = signed_in(alice)
    page = client.post(f"{URL}{bob.pk}/off/", follow=True)
    assert "Bob is switched off and signed out" in page.text
    assert f'action="{URL}{bob.pk}/on/"' in page.text
    assert his.get("/projects/").status_code == 302
    api = {"Authorization": f"Bearer {raw}"}
    assert Client().get("/api/v1/projects", headers=api).status_code == 403
    assert last_entry()[0] == "accounts:member:switched_off"
    client.post(f"{URL}{bob.pk}/on/")
    assert his.get("/projects/").status_code == 302, "the session is not revived"
    assert Client().get("/api/v1/projects", headers=api).status_code == 200
    entries = AuditEntry.objects.count()
    client.post(f"{URL}{bob.pk}/on/")
    assert AuditEntry.objects.count() == entries, "twice is once"


def test_an_admin_signs_somebody_out_everywhere(admin, bob, signed_in):
    browsers = [signed_in(bob), signed_in(bob)]
    page = signed_in(admin).post(f"{URL}{bob.pk}/sign-out/", follow=True)
    assert "Bob is signed out everywhere" in page.text
    assert [browser.get("/projects/").status_code for browser in browsers] == [302, 302]
    assert role_of(bob) == "engineer"
    assert json.loads(last_entry()[3]) == {"sessions": 2}
    assert Session.objects.count() == 1


# -- pages


def test_everybody_sees_who_works_here_and_only_admins_what_can_be_done(alice, bob, charlie, signed_in):
    page = signed_in(bob).get(URL).text
    assert "Alice" in page
    assert "bob@example.com" in page
    assert "Charlie" not in page
    assert f"{URL}{alice.pk}/" not in page
    assert "Invite people" not in page
    assert signed_in(bob).get(f"{URL}{alice.pk}/").status_code == 403
    assert f"{URL}{bob.pk}/" in signed_in(alice).get(URL).text
    assert signed_in(alice).get(f"{URL}{charlie.pk}/").status_code == 404


def test_members_are_found_by_name_address_and_role(alice, bob, signed_in):
    client = signed_in(alice)

    def found(query: str) -> tuple[bool, bool]:
        page = client.get(f"{URL}{query}", headers={"HX-Request-Type": "partial"})
        assert "<!doctype" not in page.text
        return "alice@example.com" in page.text, "bob@example.com" in page.text

    assert found("?q=ALI") == (True, False)
    assert found("?q=bob@") == (False, True)
    assert found("?role=engineer") == (False, True)
    assert found("?role=engineer&q=alice") == (False, False)
    assert found("?q=%00") == (True, True)
    for query in ("?cursor=nonsense", "?role=nonsense"):
        assert client.get(f"{URL}{query}").status_code == 400


def test_a_thousand_members_are_paged_in_small_pages_at_a_constant_cost(alice, signed_in, django_assert_num_queries):
    people = User.objects.bulk_create(
        User(email=f"person{n}@example.com", name=f"Person With A Rather Long Name {n:04}", password="!")
        for n in range(1000)
    )
    workspace = services.workspace()
    Membership.objects.bulk_create(Membership(user=p, role=Role.VIEWER, workspace=workspace) for p in people)
    UserSession.objects.bulk_create(UserSession(user=p, session_key=f"{p.pk:032}", address="192.0.2.1") for p in people)
    client = signed_in(alice)
    client.get(URL)  # looks up the settings in force, which is done once a second
    with django_assert_num_queries(5):  # session, viewer, members, those just removed, saved views
        page = client.get(URL)
    assert len(page.content) < 60_000
    seen, url = [], URL
    while url:
        rows = client.get(url).context
        seen += [member.user.name for member in rows["members"]]
        url = rows["older"]
    assert seen == sorted(seen)
    assert len(seen) == 1001
    with django_assert_num_queries(4):  # session, viewer, the member with counts, second factor
        client.get(f"{URL}{people[500].pk}/")


def test_the_page_of_a_member_says_where_they_are_signed_in_and_what_they_made(alice, bob, signed_in):
    signed_in(bob)
    signed_in(bob)
    make.token(bob)
    make.token(bob, expires_at=make.moment("2020-01-01T00:00:00"))
    page = signed_in(alice).get(f"{URL}{bob.pk}/").text
    assert "in 2 browsers" in page
    assert "<dt>API tokens</dt><dd>1</dd>" in page
    assert permissions.action("members.manage").needs == "Owner or Admin"
