"""A session left open: whoever finds it cannot change how its owner signs in."""

from __future__ import annotations

import time

import make
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from factors import PASSWORD, SECRET, past_password, send, signed_in, with_app

from daytwo_server.accounts.models import User

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alice() -> User:
    return with_app(make.alice(password=PASSWORD))


CHANGES = (
    ("get", "/settings/security/app/"), ("post", "/settings/security/app/"), ("post", "/settings/security/app/remove/"),
    ("post", "/settings/security/recovery-codes/"), ("post", "/settings/security/passkeys/"),
    ("post", "/settings/security/passkeys/1/rename/"), ("post", "/settings/security/passkeys/1/remove/"),
    ("post", "/settings/security/identities/oidc/connect/"), ("post", "/settings/security/identities/1/disconnect/"),
    ("post", "/settings/members/1/second-factor/reset/"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_session_left_open_changes_nothing_about_signing_in(alice, method, path):
    left_open = Client()
    left_open.force_login(alice)
    before = list(Authenticator.objects.values())
    answer = getattr(left_open, method)(path, {"code": make.totp(SECRET), "ask": "1", "name": "x"})
    assert answer["Location"].startswith("/settings/security/confirm/?next=")
    assert list(Authenticator.objects.values()) == before


def test_a_session_left_open_sets_no_first_password():
    eve = make.member("Eve")
    left_open = Client()
    left_open.force_login(eve)
    answer = left_open.post("/password/set/", {"password": PASSWORD})
    assert answer["Location"].startswith("/settings/security/confirm/?next=")
    assert make.proven(left_open, eve).post("/password/set/", {"password": PASSWORD})["Location"] == "/profile/"


def test_a_proof_lasts_ten_minutes(alice):
    client = Client()
    past_password(client, alice)
    send(client, make.totp(SECRET))
    assert client.post("/settings/security/recovery-codes/").status_code == 200
    with time_machine.travel(time.time() + 601):
        assert client.post("/settings/security/recovery-codes/").status_code == 302
        wrong = client.post("/settings/security/confirm/", {"password": "guess"})
        assert (wrong.status_code, "not your password" in wrong.text) == (422, True)
        assert client.post("/settings/security/confirm/", {"password": PASSWORD}).status_code == 302
        assert client.post("/settings/security/recovery-codes/").status_code == 200


def test_guessing_the_password_in_an_open_session_is_limited_too(alice):
    client = Client()
    client.force_login(alice)
    for _ in range(5):
        client.post("/settings/security/confirm/", {"password": "guess"})
    assert "Too many failed attempts" in client.post("/settings/security/confirm/", {"password": PASSWORD}).text


def test_nobody_touches_what_is_another_persons(alice):
    mallory = signed_in(make.member("Mallory", password=PASSWORD))
    row = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Hers", "credential": {}})
    mallory.post(f"/settings/security/passkeys/{row.pk}/rename/", {"name": "Mine"})
    mallory.post(f"/settings/security/passkeys/{row.pk}/remove/")
    row.refresh_from_db()
    assert row.data["name"] == "Hers"
