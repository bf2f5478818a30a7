import datetime as dt

import make
import pytest
import time_machine
from django.test import Client

from daytwo_server.accounts import services
from daytwo_server.accounts.models import Membership, OwnerLink, User
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
FORM = {"name": "Alice", "email": "Alice@Example.com", "password": "correct horse battery"}


def test_the_first_owner_comes_in_by_the_link_and_is_signed_in():
    link = services.owner_link()
    client = Client()
    assert "Welcome" in client.get(f"/welcome/{link}/").text
    answer = client.post(f"/welcome/{link}/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    alice = User.objects.get()
    assert (alice.email, alice.name, alice.membership.role) == ("alice@example.com", "Alice", "owner")
    assert client.get("/profile/").status_code == 200
    assert AuditEntry.objects.get().action == "accounts:owner:welcomed"


def test_the_link_works_once():
    link = services.owner_link()
    Client().post(f"/welcome/{link}/", FORM)
    for answer in (
        Client().get(f"/welcome/{link}/"),
        Client().post(f"/welcome/{link}/", FORM | {"email": "b@example.com"}),
    ):
        assert answer.status_code == 410
        assert "daytwo serve" in answer.text
    assert User.objects.count() == 1


def test_the_link_expires_after_24_hours():
    with time_machine.travel(make.moment(), tick=False) as clock:
        link = services.owner_link()
        clock.shift(dt.timedelta(hours=24))
        assert Client().get(f"/welcome/{link}/").status_code == 410
        with pytest.raises(services.LinkGoneError):
            services.welcome(link, name="A", email="a@example.com", password="correct horse battery")
    assert User.objects.count() == 0


def test_a_new_link_replaces_the_one_before():
    old, new = services.owner_link(), services.owner_link()
    assert Client().get(f"/welcome/{old}/").status_code == 410
    assert Client().get(f"/welcome/{new}/").status_code == 200


def test_the_link_is_not_kept_in_words():
    link = services.owner_link()
    assert link not in str(OwnerLink.objects.values().get())


def test_there_is_no_link_once_somebody_owns_the_workspace(alice):
    assert services.owner_link() is None


def test_a_link_from_before_setup_made_an_owner_lets_nobody_in():
    link = services.owner_link()
    services.ensure_owner("alice@example.com", "correct horse battery")
    assert Client().post(f"/welcome/{link}/", FORM | {"email": "mallory@example.com"}).status_code == 410
    assert Membership.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"password": "alice@example.com"}, "too similar"),
        ({"email": "alice"}, "valid email"),
        ({"name": " "}, "required"),
    ],
)
def test_a_wrong_answer_shows_the_form_again_and_keeps_the_link(wrong, words):
    link = services.owner_link()
    answer = Client().post(f"/welcome/{link}/", FORM | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert "autofocus" in answer.text
    assert User.objects.count() == 0
    assert Client().post(f"/welcome/{link}/", FORM).status_code == 302


def test_setup_makes_the_same_owner_again_without_a_write(django_assert_num_queries):
    owner = services.ensure_owner("Alice@example.com", "correct horse battery")
    with django_assert_num_queries(1):
        assert services.ensure_owner("alice@example.com", "correct horse battery") == owner
    assert AuditEntry.objects.count() == 1


def test_setup_makes_the_given_password_work_and_the_person_an_owner():
    bob = make.bob(password="the one he chose")
    services.ensure_owner("bob@example.com", "the one from setup")
    bob = User.objects.get(pk=bob.pk)
    assert bob.check_password("the one from setup")
    assert bob.membership.role == Membership.Role.OWNER
    assert bob.name == "Bob"
