"""The address and the password people sign in with."""

import make
import pytest
from django.test import Client

from daytwo_server.accounts.models import User
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def alice(db):
    return make.alice(password=PASSWORD)


def test_the_address_is_changed_with_the_password(alice, signed_in):
    client = signed_in(alice)
    page = client.post("/profile/email/", {"email": "Alice@New.example", "password": PASSWORD}, follow=True)
    assert "E-mail changed" in page.text
    assert "alice@new.example" in page.text
    assert Client().post("/login/", {"login": "alice@new.example", "password": PASSWORD}).status_code == 302
    assert Client().post("/login/", {"login": "alice@example.com", "password": PASSWORD}).status_code == 422
    entry = AuditEntry.objects.get(action="accounts:email:changed")
    assert "example" not in f"{entry.before}{entry.after}"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"password": "guess"}, "not your password"),
        ({"password": ""}, "required"),
        ({"email": "bob@example.com"}, "Another account here has this address"),
        ({"email": "BOB@EXAMPLE.COM"}, "Another account here has this address"),
        ({"email": "nonsense"}, "valid email"),
    ],
)
def test_a_wrong_answer_changes_nothing(alice, bob, signed_in, form, words):
    answer = signed_in(alice).post("/profile/email/", {"email": "a@new.example", "password": PASSWORD} | form)
    assert answer.status_code == 422
    assert words in answer.text
    assert User.objects.get(pk=alice.pk).email == "alice@example.com"


def test_the_password_cannot_be_guessed_on_this_page(alice, signed_in):
    client = signed_in(alice)
    form = {"email": "thief@example.com", "password": "guess"}
    for _ in range(5):
        client.post("/profile/email/", form)
    answer = client.post("/profile/email/", form | {"password": PASSWORD})
    assert answer.status_code == 422
    assert "Too many failed attempts" in answer.text
    assert User.objects.get(pk=alice.pk).email == "alice@example.com"


def test_who_has_no_password_is_led_to_setting_one(signed_in):
    eve = make.member("Eve")
    client = make.proven(signed_in(eve), eve)
    assert "Set a password" in client.get("/profile/").text
    for path in ("/password/change/", "/profile/email/"):
        assert client.get(path)["Location"] == "/password/set/"
    assert client.post("/password/set/", {"password": "short"}).status_code == 422
    elsewhere = signed_in(eve)
    page = client.post("/password/set/", {"password": PASSWORD}, follow=True)
    assert "Password set" in page.text
    assert elsewhere.get("/profile/").status_code == 302
    assert Client().post("/login/", {"login": "eve@example.com", "password": PASSWORD}).status_code == 302
    assert AuditEntry.objects.get().action == "accounts:password:changed"


def test_who_has_a_password_changes_it_only_with_the_old_one(alice, signed_in):
    client = signed_in(alice)
    answer = client.post("/password/set/", {"password": "another fine phrase"})
    assert answer["Location"] == "/password/change/"
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


@pytest.mark.parametrize("path", ["/profile/email/", "/password/set/", "/settings/sessions/", "/settings/members/"])
def test_charlie_sees_no_page_and_visitors_sign_in_first(charlie, signed_in, path):
    assert signed_in(charlie).get(path).status_code == 404
    assert signed_in(charlie).post(path).status_code == 404
    assert Client().get(path)["Location"] == f"/login/?next={path}"
