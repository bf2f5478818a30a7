"""What claims to be a passkey, and what a visitor learns by asking for one."""

from __future__ import annotations

import make
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client
from factors import PASSWORD, SECRET, STEP, past_password, send, with_app

from daytwo_server.accounts.models import User
from daytwo_server.core import clock

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alice() -> User:
    return with_app(make.alice(password=PASSWORD))


NO_CREDENTIALS = (
    "", "x", "7", "[]", "{}", "null", '{"id": 1}', '{"id": "x", "rawId": "x", "response": {}}',
    '{"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "MQ"}}',
    '{"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoieCIsIm9yaWdpbiI6IngifQ", "authenticatorData": "' + "A" * 50 + '", "signature": "AA"}}',
    '{"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"clientDataJSON": "e30", "attestationObject": "o2NmbXRkbm9uZQ"}}',
    '{"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"clientDataJSON": "_w", "authenticatorData": "_w", "signature": 3, "userHandle": {}}}',
    "[" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("credential", NO_CREDENTIALS)
def test_what_claims_to_be_a_credential_and_is_none_is_refused_in_words(alice, credential):
    visitor = Client()
    for asked in (False, True):
        if asked:
            visitor.post("/login/passkey/", {"ask": "1"})
        answer = visitor.post("/login/passkey/", {"credential": credential}, follow=True)
        assert "That passkey is not known here" in answer.text
    half = Client()
    past_password(half, alice)
    half.post(STEP, {"ask": "1"})
    assert half.post(STEP, {"credential": credential}).status_code == 422
    send(half, make.totp(SECRET))
    half.post("/settings/security/passkeys/", {"ask": "1"})
    answer = half.post("/settings/security/passkeys/", {"credential": credential}, follow=True)
    assert "was not added" in answer.text
    assert half.post("/settings/security/confirm/", {"credential": credential}).status_code == 422


def test_who_asks_for_passkeys_of_others_learns_nothing(alice):
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Hers", "credential": {}})
    told = Client().post("/login/passkey/", {"ask": "1"}).json()["publicKey"]
    assert (told["allowCredentials"], told["userVerification"]) == ([], "required")


def test_a_visitor_who_is_asked_leaves_a_session_that_ends_soon_and_not_too_many():
    visitors = [Client() for _ in range(61)]
    answers = [visitor.post("/login/passkey/", {"ask": "1"}).status_code for visitor in visitors]
    assert (answers[0], answers[-1]) == (200, 429)
    assert {round((s.expire_date - clock.now()).total_seconds() / 60) for s in Session.objects.all()} == {15}
