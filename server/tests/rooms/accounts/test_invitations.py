"""Coming in by a link that somebody inside made."""

import datetime as dt
import re

import make
import pytest
import time_machine
from django.test import Client

from daytwo_server.accounts import pending, services
from daytwo_server.accounts.models import Invitation, Membership, User
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
Role = Membership.Role
URL = "/settings/members/invitations/"
FORM = {"name": "Eve", "email": "Eve@Example.com", "password": "correct horse battery"}
LINK = re.compile(r"http://testserver/join/([\w-]{43})/")


def invite(client: Client, **form: str) -> str:
    page = client.post(URL, {"role": "engineer"} | form)
    assert page.status_code == 200
    [link] = set(LINK.findall(page.text))
    return link


@pytest.fixture
def admin():
    return make.member("Adam", role=Role.ADMIN)


@pytest.fixture
def link(alice):
    """For whoever has it, as engineer."""
    return services.invite(role=Role.ENGINEER, actor=alice)[1]


# -- inviting


def test_a_link_is_shown_once_and_kept_as_a_digest(admin, signed_in):
    client = signed_in(admin)
    page = client.post(URL, {"role": "viewer", "name": "Eve", "email": "Eve@example.com"})
    assert "no-store" in page["Cache-Control"]
    [link] = set(LINK.findall(page.text))
    assert "no mail is sent" in page.text
    after = client.get(URL).text
    assert link not in after
    assert "Eve" in after
    assert "eve@example.com" in after
    assert "by Adam" in after
    row = Invitation.objects.get()
    assert link not in str(Invitation.objects.values().get())
    assert (row.role, row.invited_by, (row.expires_at - row.created_at).days) == ("viewer", admin, 7)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.after) == (
        "accounts:invitation:created", str(admin.pk), '{"role":"viewer"}',
    )  # fmt: skip
    assert "eve" not in str(AuditEntry.objects.values().get()).lower()


def test_only_owners_invite_owners(alice, admin, signed_in):
    page = signed_in(admin).post(URL, {"role": "owner"})
    assert page.status_code == 422
    assert "needs the role Owner" in page.text
    assert 'value="owner"' not in signed_in(admin).get(URL).text
    assert not Invitation.objects.exists()
    invite(signed_in(alice), role="owner")
    invitation = Invitation.objects.get()
    for verb in ("renew", "revoke"):
        answer = signed_in(admin).post(f"{URL}{invitation.pk}/{verb}/", follow=True)
        assert "needs the role Owner" in answer.text
    assert services.invitation_for(invite(signed_in(alice), role="owner")).role == "owner"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "alice@example.com"}, "belongs to the workspace already"),
        ({"email": "dora@example.com"}, "invited already"),
        ({"email": "dora"}, "valid email"),
        ({"role": "god"}, "valid choice"),
        ({"role": ""}, "required"),
    ],
)
def test_a_wrong_invitation_shows_the_form_again(alice, signed_in, form, words):
    client = signed_in(alice)
    invite(client, email="dora@example.com")
    part = client.post(URL, {"role": "viewer"} | form, headers={"HX-Request-Type": "partial"})
    assert part.status_code == 422
    assert words in part.text
    assert "<!doctype" not in part.text
    assert Invitation.objects.count() == 1


def test_a_new_link_replaces_the_one_before(alice, admin, signed_in):
    old = invite(signed_in(alice))
    invitation = Invitation.objects.get()
    page = signed_in(admin).post(f"{URL}{invitation.pk}/renew/")
    [new] = set(LINK.findall(page.text))
    assert Client().get(f"/join/{old}/").status_code == 410
    assert Client().get(f"/join/{new}/").status_code == 200
    assert services.invitation_for(new).invited_by == admin


def test_a_link_can_be_revoked_and_taken_back_for_ten_minutes(alice, signed_in):
    with time_machine.travel(make.moment(), tick=False) as clock:
        client = signed_in(alice)
        link = invite(client)
        row = f"{URL}{Invitation.objects.get().pk}"
        page = client.post(f"{row}/revoke/", follow=True)
        assert f'action="{row}/restore/"' in page.text
        assert Client().get(f"/join/{link}/").status_code == 410
        assert "works again" in client.post(f"{row}/restore/", follow=True).text
        assert Client().get(f"/join/{link}/").status_code == 200
        client.post(f"{row}/revoke/")
        assert "revoked already" in client.post(f"{row}/revoke/", follow=True).text
        clock.shift(dt.timedelta(minutes=10))
        assert "too long ago" in client.post(f"{row}/restore/", follow=True).text
        assert "accepted or revoked" in client.post(f"{row}/renew/", follow=True).text
        assert "Nobody is invited" in client.get(URL).text
    verbs = [action.rpartition(":")[2] for action in AuditEntry.objects.order_by("pk").values_list("action", flat=True)]
    assert verbs == ["created", "revoked", "restored", "revoked"]


def test_the_list_costs_the_same_for_many_and_is_paged(alice, signed_in, django_assert_num_queries):
    for n in range(60):
        services.invite(role=Role.VIEWER, actor=make.member(role=Role.ADMIN), email=f"{n}@example.com")
    client = signed_in(alice)
    client.get(URL)
    with django_assert_num_queries(3):  # session, viewer, invitations
        page = client.get(URL)
    assert len(page.content) < 60_000
    assert "59@example.com" in page.text
    assert "0@example.com" in client.get(page.context["older"]).text
    assert client.get(f"{URL}?cursor=nonsense").status_code == 400


# -- joining


def test_somebody_new_joins_with_the_role_and_is_signed_in(link):
    client = Client()
    page = client.get(f"/join/{link}/")
    assert "Alice invites you as Engineer" in page.text
    answer = client.post(f"/join/{link}/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    eve = User.objects.get(email="eve@example.com")
    assert (eve.name, eve.membership.role) == ("Eve", "engineer")
    assert eve.check_password(FORM["password"])
    assert "Welcome to" in client.get("/profile/").text
    entry = AuditEntry.objects.get(action="accounts:invitation:accepted")
    assert (entry.actor_id, entry.ref_kind) == (str(eve.pk), "invitation")
    for again in (Client().get(f"/join/{link}/"), Client().post(f"/join/{link}/", FORM | {"email": "b@example.com"})):
        assert again.status_code == 410
        assert "ask whoever invited you" in again.text
    assert User.objects.count() == 2


def test_an_invited_address_cannot_be_changed(alice):
    _, link = services.invite(role=Role.VIEWER, actor=alice, email="eve@example.com", name="Eve E.")
    assert 'value="Eve E."' in Client().get(f"/join/{link}/").text
    assert Client().post(f"/join/{link}/", FORM | {"email": "mallory@example.com"}).status_code == 302
    assert set(User.objects.values_list("email", flat=True)) == {"alice@example.com", "eve@example.com"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"password": "eve@example.com"}, "too similar"),
        ({"email": "eve"}, "valid email"),
        ({"email": "ALICE@example.com"}, "has an account here already"),
        ({"name": " "}, "required"),
    ],
)
def test_a_wrong_answer_keeps_the_link_good(link, wrong, words):
    answer = Client().post(f"/join/{link}/", FORM | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert "autofocus" in answer.text
    assert User.objects.count() == 1
    assert Client().post(f"/join/{link}/", FORM).status_code == 302


def test_the_password_of_an_account_that_exists_is_not_touched(alice, charlie):
    """Or whoever gets hold of a link could take over any account."""
    charlie.set_password("the one he chose")
    charlie.save()
    _, link = services.invite(role=Role.OWNER, actor=alice, email="charlie@example.com")
    page = Client().get(f"/join/{link}/").text
    assert "You have an account already" in page
    assert f'href="/login/?next=%2Fjoin%2F{link}%2F"' in page
    assert Client().post(f"/join/{link}/", FORM).status_code == 422
    with pytest.raises(services.AccountExistsError):
        services.join_with_identity(link, name="C", email="charlie@example.com")
    assert User.objects.get(pk=charlie.pk).check_password("the one he chose")


def test_charlie_signs_in_comes_back_and_accepts(alice):
    charlie = make.charlie(password="correct horse battery")
    _, link = services.invite(role=Role.AGENT, actor=alice, email="charlie@example.com")
    client = Client()
    form = {"login": "charlie@example.com", "password": "correct horse battery", "next": f"/join/{link}/"}
    assert client.post("/login/", form)["Location"] == f"/join/{link}/"
    page = client.get(f"/join/{link}/").text
    assert "You are signed in as charlie@example.com" in page
    assert client.get("/projects/").status_code == 404
    assert client.post(f"/join/{link}/")["Location"] == "/"
    assert client.get("/projects/").status_code == 200
    assert Membership.objects.get(user=charlie).role == "agent"


def test_an_invitation_for_somebody_else_is_refused_and_stays_good(alice, charlie, signed_in):
    _, link = services.invite(role=Role.AGENT, actor=alice, email="eve@example.com")
    answer = signed_in(charlie).post(f"/join/{link}/")
    assert answer.status_code == 409
    assert "This invitation is for eve@example.com" in answer.text
    assert services.invitation_for(link)


def test_a_member_is_told_and_the_link_stays_good_for_others(bob, link, signed_in):
    page = signed_in(bob).get(f"/join/{link}/")
    assert "You belong here already" in page.text
    assert signed_in(bob).post(f"/join/{link}/").status_code == 409
    assert services.invitation_for(link)
    assert Membership.objects.get(user=bob).role == "engineer"


def test_a_link_ends_after_seven_days(alice):
    with time_machine.travel(make.moment(), tick=False) as clock:
        _, link = services.invite(role=Role.VIEWER, actor=alice)
        clock.shift(dt.timedelta(days=7) - dt.timedelta(seconds=1))
        assert services.invitation_for(link)
        clock.shift(dt.timedelta(seconds=1))
        assert Client().get(f"/join/{link}/").status_code == 410
        with pytest.raises(services.LinkGoneError):
            services.accept_invitation(link, **FORM)


@pytest.mark.parametrize(
    "lose",
    [
        lambda admin, alice: services.remove_member(admin, actor=alice),
        lambda admin, alice: services.switch_member(admin, active=False, actor=alice),
        lambda admin, alice: services.change_role(admin, Role.ENGINEER, actor=alice),
    ],
    ids=["removed", "switched off", "demoted"],
)
def test_a_link_is_no_way_back_for_whoever_made_it(alice, admin, lose):
    """An admin who is about to be removed could have made one for themselves."""
    _, link = services.invite(role=Role.ADMIN, actor=admin)
    lose(admin, alice)
    assert services.invitation_for(link) is None
    assert Client().get(f"/join/{link}/").status_code == 410
    assert Client().post(f"/join/{link}/", FORM).status_code == 410
    with pytest.raises(services.LinkGoneError):
        services.accept_invitation(link, **FORM)
    assert Invitation.objects.get().used_at is None
    services.renew_invitation(Invitation.objects.get(), actor=alice)


def test_a_former_owner_who_is_admin_now_lets_no_more_owners_in(alice):
    olga = make.member("Olga", role=Role.OWNER)
    _, link = services.invite(role=Role.OWNER, actor=olga)
    services.change_role(olga, Role.ADMIN, actor=alice)
    assert services.invitation_for(link) is None


def test_a_former_member_who_was_switched_off_can_be_invited_back(alice, bob):
    services.switch_member(bob, active=False, actor=alice)
    services.remove_member(bob, actor=alice)
    _, link = services.invite(role=Role.VIEWER, actor=alice, email="bob@example.com")
    services.accept_invitation_as(link, User.objects.get(pk=bob.pk))
    again = User.objects.get(pk=bob.pk)
    assert (again.is_active, again.membership.role) == (True, "viewer")


def test_who_comes_by_another_service_needs_no_password_and_keeps_the_invited_address(alice):
    _, link = services.invite(role=Role.VIEWER, actor=alice, email="eve@example.com", name="Eve")
    user = services.join_with_identity(link, "", "eve@private.example")
    assert (user.email, user.name, user.membership.role) == ("eve@example.com", "Eve", "viewer")
    assert not user.has_usable_password()


def test_the_link_is_remembered_for_whoever_goes_through_another_service(link):
    client = Client()
    client.get(f"/join/{link}/")
    request = type("Request", (), {"session": client.session})
    assert pending.link(request) == link
    client.post(f"/join/{link}/", FORM)
    assert "invitation" not in client.session
    client.get("/join/unknown/")
    assert "invitation" not in client.session


@pytest.mark.parametrize("link", ["x", "%00", "x" * 2000, "..", "ÿ"])
def test_what_is_no_link_opens_nothing(db, link):
    assert Client().get(f"/join/{link}/").status_code == 410


@pytest.mark.parametrize("role", ["engineer", "agent", "viewer"])
def test_who_may_not_invite_is_told_the_role_that_may(signed_in, role):
    client = signed_in(make.member(role=role))
    for answer in (client.get(URL), client.post(URL, {"role": "viewer"})):
        assert answer.status_code == 403
        assert "Owner or Admin" in answer.text
    assert not Invitation.objects.exists()
