"""The step between the password and the session, tried by somebody who would leave it out."""

from __future__ import annotations

import time

import make
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from factors import PASSWORD, SECRET, STEP, is_in, past_password, send, with_app

from daytwo_server.accounts.models import User

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alice() -> User:
    return with_app(make.alice(password=PASSWORD))


def test_the_session_changes_its_key_at_the_password_and_at_the_code(alice):
    client = Client()
    client.get("/login/")
    client.post("/login/passkey/", {"ask": "1"})  # leaves a visitor's session
    keys = [client.cookies["daytwo_session"].value]
    past_password(client, alice)
    keys.append(client.cookies["daytwo_session"].value)
    send(client, make.totp(SECRET))
    keys.append(client.cookies["daytwo_session"].value)
    assert len(set(keys)) == 3
    assert list(Session.objects.values_list("session_key", flat=True)) == keys[-1:]


def test_whoever_planted_a_session_is_not_past_the_password_with_it(alice):
    planted = Client()
    planted.post("/login/passkey/", {"ask": "1"})
    victim = Client()
    victim.cookies["daytwo_session"] = planted.cookies["daytwo_session"].value
    past_password(victim, alice)
    assert planted.get(STEP)["Location"] == "/login/"


def test_the_step_can_be_left_and_ends_by_itself(alice):
    client = Client()
    past_password(client, alice)
    assert client.post(STEP, {"cancel": "1"})["Location"] == "/login/"
    assert send(client, make.totp(SECRET))["Location"] == "/login/"
    past_password(client, alice)
    with time_machine.travel(time.time() + 16 * 60):
        assert send(client, make.totp(SECRET))["Location"] == "/login/"


def test_who_is_switched_off_between_the_steps_stays_out(alice):
    client = Client()
    past_password(client, alice)
    User.objects.update(is_active=False)
    send(client, make.totp(SECRET))
    assert not is_in(client)


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_next_leads_elsewhere_at_any_step(alice, where):
    client = Client()
    past_password(client, alice, form={"next": where})
    assert client.post(STEP, {"code": make.totp(SECRET), "next": where})["Location"] == "/"
    page = f"/settings/security/confirm/?next={where}"
    assert client.post(page, {"password": PASSWORD, "next": where})["Location"] == "/settings/security/"


def test_next_survives_the_second_step(alice):
    client = Client()
    past_password(client, alice, form={"next": "/settings/"})
    assert send(client, make.totp(SECRET))["Location"] == "/settings/"


def test_every_step_needs_a_form_of_ours(alice):
    client = Client(enforce_csrf_checks=True)
    for path in (STEP, "/login/passkey/", "/login/with/oidc/"):
        assert client.post(path, {"code": "1", "ask": "1"}).status_code == 403


def test_no_step_is_cached_framed_or_guessed(alice):
    client = Client()
    past_password(client, alice)
    answers = [client.get(STEP), client.post("/login/passkey/", {"ask": "1"})]
    send(client, make.totp(SECRET))
    answers += [client.get(path) for path in ("/settings/security/confirm/", "/settings/security/app/")]
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Frame-Options"] == "DENY"
