"""A lost password where no mail can be sent."""

import datetime as dt
import re
import threading

import make
import pytest
import time_machine
from django.db import connection
from django.test import Client

from daytwo_server.accounts import services
from daytwo_server.accounts.models import Membership, User
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
Role = Membership.Role
PASSWORD, NEW = "correct horse battery", "another fine phrase"


def sign_in(email: str, password: str) -> Client:
    client = Client()
    client.post("/login/", {"login": email, "password": password})
    return client


@pytest.fixture
def alice(db):
    return make.alice(password=PASSWORD)


def test_an_admin_passes_on_a_link_and_the_person_chooses_a_password(alice, bob, signed_in):
    admin = sign_in("alice@example.com", PASSWORD)
    his = signed_in(bob)
    page = admin.post(f"/settings/members/{bob.pk}/password-link/")
    assert "no-store" in page["Cache-Control"]
    [path] = set(re.findall(r"http://testserver(/password/choose/[\w-]+/)", page.text))
    visitor = Client()
    assert "For bob@example.com" in visitor.get(path).text
    assert visitor.post(path, {"password": "short"}).status_code == 422
    assert "is changed" in visitor.post(path, {"password": NEW}).text
    assert visitor.get("/profile/").status_code == 302, "a second factor may have to be asked for"
    assert his.get("/profile/").status_code == 302
    assert sign_in("bob@example.com", NEW).get("/profile/").status_code == 200
    for again in (visitor.get(path), visitor.post(path, {"password": PASSWORD})):
        assert again.status_code == 410
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_id"))
    assert actions == [("accounts:password:link_made", str(alice.pk)), ("accounts:password:changed", str(bob.pk))]


def test_it_ends_after_three_days_or_when_the_person_signs_in(alice):
    bob = make.bob(password=PASSWORD)
    with time_machine.travel(make.moment(), tick=False) as clock:
        link = services.password_link(bob, actor=alice)
        clock.shift(dt.timedelta(days=3, seconds=1))
        assert services.person_of_password_link(link) is None
        link = services.password_link(bob, actor=alice)
        assert services.person_of_password_link(link) == bob
        sign_in("bob@example.com", PASSWORD)
        assert services.person_of_password_link(link) is None


@pytest.mark.parametrize(
    "lose",
    [
        lambda admin, alice: services.remove_member(admin, actor=alice),
        lambda admin, alice: services.switch_member(admin, active=False, actor=alice),
        lambda admin, alice: services.change_role(admin, Role.ENGINEER, actor=alice),
    ],
    ids=["removed", "switched off", "demoted"],
)
def test_it_is_no_way_back_for_whoever_made_it(alice, bob, lose):
    admin = make.member("Adam", role=Role.ADMIN)
    link = services.password_link(bob, actor=admin)
    lose(admin, alice)
    assert services.person_of_password_link(link) is None
    with pytest.raises(services.LinkGoneError):
        services.choose_password(link, NEW)


def test_no_admin_gets_near_an_owners_account(alice, bob):
    admin = make.member("Adam", role=Role.ADMIN)
    with pytest.raises(services.NotAllowedError, match="Owner"):
        services.password_link(alice, actor=admin)
    link = services.password_link(bob, actor=admin)
    services.change_role(bob, Role.OWNER, actor=alice)
    assert services.person_of_password_link(link) is None, "he is an owner by now"


def test_a_link_says_nothing_about_somebody_else(alice, bob):
    link = services.password_link(bob, actor=alice)
    person, maker, token = link.split("-", 2)
    other = make.member("Olga", role=Role.OWNER)
    for forged in (f"{alice.pk}-{maker}-{token}", f"{person}-{other.pk}-{token}", f"{person}-{maker}-{token[:-1]}x"):
        assert services.person_of_password_link(forged) is None


@pytest.mark.parametrize(
    "link", ["x", "1", "1-1", "1-1-", "²-1-x", f"{'9' * 30}-1-x", f"1-{'9' * 18}-x", "-1-1-x", "%00"]
)
def test_what_is_no_link_opens_nothing(alice, link):
    assert Client().get(f"/password/choose/{link}/").status_code == 410


def test_who_was_removed_or_switched_off_gets_none(alice, bob):
    link = services.password_link(bob, actor=alice)
    services.switch_member(bob, active=False, actor=alice)
    assert services.person_of_password_link(link) is None
    services.remove_member(bob, actor=alice)
    with pytest.raises(services.AccountsError):
        services.password_link(bob, actor=alice)


@pytest.mark.django_db(transaction=True)
def test_two_browsers_with_one_link_set_one_password():
    bob, alice = make.bob(), make.alice()
    link = services.password_link(bob, actor=alice)
    outcomes, start = [], threading.Barrier(2)

    def choose(password: str) -> None:
        start.wait(10)
        try:
            services.choose_password(link, password)
            outcomes.append(password)
        except services.LinkGoneError:
            outcomes.append("")
        finally:
            connection.close()

    threads = [threading.Thread(target=choose, args=[password]) for password in (PASSWORD, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    [won] = [password for password in outcomes if password]
    assert User.objects.get(pk=bob.pk).check_password(won)
