"""Codes, recovery codes and passkeys, tried by somebody who has the password, or the session, but not the device."""

from __future__ import annotations

import re
import time
from typing import Any

import make
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client

from daytwo_server.accounts import live, permissions, services
from daytwo_server.accounts.models import User
from daytwo_server.core import clock, conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/login/second-factor/"


@pytest.fixture(autouse=True)
def _fresh(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def alice() -> User:
    """An owner whose app has shown a code a minute ago."""
    return with_app(make.alice(password=PASSWORD))


def with_app(person: User) -> User:
    services.switch_on_app(person, SECRET, make.totp(SECRET, -30))
    return person


def past_password(client: Client, person: User, **more: Any) -> Any:
    form = {"login": person.email, "password": PASSWORD} | more.pop("form", {})
    return client.post("/login/", form, **more)


def signed_in(person: User) -> Client:
    """By the password, and so able to change how they sign in."""
    client = Client()
    assert past_password(client, person)["Location"] == "/"
    return client


def send(client: Client, code: str, **more: Any) -> Any:
    return client.post(STEP, {"code": code}, **more)


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


# -- codes


def test_the_password_alone_opens_nothing(alice):
    client = Client()
    assert past_password(client, alice)["Location"] == STEP
    for path in ("/profile/", "/errors", "/settings/security/", "/password/change/"):
        assert client.get(path)["Location"].startswith("/login/?next="), path
    assert client.get("/login/")["Location"] == STEP
    assert send(client, make.totp(SECRET)).status_code == 302
    assert is_in(client)


def test_a_code_works_once_even_after_a_restart_and_no_older_one_does_after_it(alice):
    code = make.totp(SECRET)
    first = Client()
    past_password(first, alice)
    assert send(first, code).status_code == 302
    cache.clear()  # as a restart does
    for old in (code, make.totp(SECRET, -30)):
        second = Client()
        past_password(second, alice)
        assert "was used already" in send(second, old).text
        assert not is_in(second)


def test_the_code_that_switched_the_app_on_does_not_sign_in():
    alice = make.alice(password=PASSWORD)
    services.switch_on_app(alice, SECRET, code := make.totp(SECRET))
    client = Client()
    past_password(client, alice)
    assert send(client, code).status_code == 422


@pytest.mark.parametrize(("shift", "right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off_and_no_more(shift, right):
    alice = make.alice(password=PASSWORD)
    with time_machine.travel(time.time() - 600):
        with_app(alice)
    client = Client()
    past_password(client, alice)
    assert (send(client, make.totp(SECRET, shift)).status_code == 302) == right


def test_codes_are_taken_as_people_write_them(alice):
    client = Client()
    past_password(client, alice)
    code = make.totp(SECRET)
    assert send(client, f" {code[:3]} {code[3:]} ").status_code == 302


@pytest.mark.parametrize(
    "code", ["", "0", "x" * 50, "x" * 51, "٣٤٥٦٧٨", "\x00", "12345\x006", "-----", "\U0001d7ce" * 6]
)
def test_nonsense_is_no_code(alice, code):
    client = Client()
    past_password(client, alice)
    assert send(client, code).status_code == 422
    assert not is_in(client)


def test_guessing_codes_from_one_address_ends_after_five(alice):
    client = Client()
    past_password(client, alice)
    for _ in range(5):
        assert "That code is wrong" in send(client, "000000").text
    assert "Too many failed attempts" in send(client, make.totp(SECRET)).text
    again = Client()
    past_password(again, alice)
    assert "Too many failed attempts" in send(again, make.totp(SECRET)).text


def test_guessing_codes_from_everywhere_ends_too_and_for_the_day(alice):
    start, wrong = time.time(), 0
    for quarter in range(8):
        with time_machine.travel(start + quarter * 901):
            for number in range(12):
                headers = {"X-Daytwo-Client": f"192.0.{quarter}.{number}"}
                client = Client()
                past_password(client, alice, headers=headers)
                wrong += "That code is wrong" in send(client, "000000", headers=headers).text
    assert wrong == 50


def test_whoever_knows_a_password_cannot_lock_its_owner_out_of_a_browser_they_know(alice):
    hers = Client()
    past_password(hers, alice)
    send(hers, make.totp(SECRET))
    hers.post("/logout/")
    for number in range(12):
        headers = {"X-Daytwo-Client": f"192.0.2.{number}"}
        thief = Client()
        past_password(thief, alice, headers=headers)
        send(thief, "000000", headers=headers)
    past_password(hers, alice)
    assert send(hers, make.totp(SECRET, 30)).status_code == 302


# -- recovery codes


def test_each_recovery_code_works_once_and_new_ones_end_the_old(alice):
    codes = services.new_recovery_codes(alice)
    assert len(set(codes)) == 10
    client = Client()
    past_password(client, alice)
    assert send(client, codes[3]).status_code == 302
    assert "9 are left" in client.get("/settings/security/").text
    second = Client()
    past_password(second, alice)
    assert send(second, codes[3]).status_code == 422
    services.new_recovery_codes(alice)
    assert send(second, codes[4]).status_code == 422


def test_recovery_codes_are_shown_once_and_end_with_the_last_factor():
    client = signed_in(alice := make.alice(password=PASSWORD))
    assert client.post("/settings/security/recovery-codes/")["Location"] == "/settings/security/"
    secret = re.search(r"<pre[^>]*>([A-Z2-7 ]{39})</pre>", client.get("/settings/security/app/").text)[1].replace(
        " ", ""
    )
    page = client.post("/settings/security/app/", {"code": make.totp(secret)}).text
    codes = re.search(r"<pre[^>]*>((?:\d{8}\s*){10})</pre>", page)[1].split()
    assert codes[0] in page.split("data:text/plain", 1)[1]  # to download
    assert codes[0] not in client.get("/settings/security/").text
    assert "10 of 10 are left" in client.get("/settings/security/").text
    assert client.post("/settings/security/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=alice).exists()


# -- sessions


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


# -- proving again


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


# -- passkeys


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


# -- what is kept


def test_a_copy_of_the_database_holds_no_secret_in_the_clear(alice):
    codes = services.new_recovery_codes(alice)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert [text for text in (SECRET, *codes) if text in kept] == []


def test_another_secret_key_is_told_about_and_opens_nothing(alice, settings, caplog):
    services.new_recovery_codes(alice)
    settings.SECRET_KEY = "another"
    client = Client()
    past_password(client, alice)
    assert send(client, make.totp(SECRET)).status_code == 422
    assert "secret key is another one" in caplog.text
    assert services.reset_second_factor(alice, actor=None) == 1


def test_changes_are_written_down_and_mailed_without_a_secret(alice):
    before = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_URL": "smtp://localhost:25", "DAYTWO_URL": "http://testserver"}))
    try:
        codes = services.new_recovery_codes(alice)
        services.switch_off_app(alice)
        run_due_jobs(tick=False)
    finally:
        conf.use(before)
    told = " ".join(message.body for message in mail.outbox)
    assert "New recovery codes were made" in told
    assert "The authenticator app was removed" in told
    assert codes[0] not in told
    done = AuditEntry.objects.filter(action__startswith="accounts:second_factor").order_by("pk")
    assert [entry.action.rpartition(":")[2] for entry in done] == ["app_added", "codes_made", "app_removed"]


# -- help for whoever lost it


def test_an_admin_lets_a_member_in_with_the_password_alone_and_signs_them_out():
    bob = with_app(make.bob(password=PASSWORD))
    his = Client()
    past_password(his, bob)
    send(his, make.totp(SECRET))
    admin = signed_in(make.member("Adam", role="admin", password=PASSWORD))
    assert admin.post(f"/settings/members/{bob.pk}/second-factor/reset/").status_code == 302
    assert not is_in(his)
    assert past_password(Client(), bob)["Location"] == "/"
    assert AuditEntry.objects.filter(action="accounts:second_factor:reset").count() == 1


def test_only_owners_help_owners(alice):
    adam = make.member("Adam", role="admin", password=PASSWORD)
    admin = signed_in(adam)
    admin.post(f"/settings/members/{alice.pk}/second-factor/reset/")
    assert "needs the role Owner" in admin.get("/settings/security/").text
    assert past_password(Client(), alice)["Location"] == STEP
    with pytest.raises(services.NotAllowedError):
        services.reset_second_factor(make.bob(), actor=make.member("Vera"))
    outsider = with_app(make.charlie(password=PASSWORD))
    assert admin.post(f"/settings/members/{outsider.pk}/second-factor/reset/").status_code == 404


# -- policy


@pytest.fixture(params=["admins", "everyone"])
def required(request):
    before = conf.current()
    conf.use(conf.load({"DAYTWO_REQUIRE_SECOND_FACTOR": request.param, "DAYTWO_URL": "http://testserver"}))
    yield request.param
    conf.use(before)


def test_who_must_have_a_second_factor_can_do_nothing_before(required, monkeypatch):
    monkeypatch.setattr(live, "close_old_connections", lambda: None)  # this test's own is among them
    owner, bob = make.alice(password=PASSWORD), make.bob(password=PASSWORD)
    assert permissions.second_factor_is_due(owner)
    assert permissions.second_factor_is_due(bob) == (required == "everyone")
    client = signed_in(owner)
    for path in ("/profile/", "/errors", "/settings/", "/settings/tokens/"):
        for answer in (client.get(path), client.post(path)):
            assert (path, answer.status_code, answer["Location"]) == (path, 302, "/settings/security/")
    part = client.post("/settings/tokens/", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (204, "/settings/security/")
    assert not live._is_member(client.cookies["daytwo_session"].value)
    assert "Add a passkey or an authenticator app to go on" in client.get("/settings/security/").text
    page = client.get("/settings/security/app/").text
    secret = re.search(r"<pre[^>]*>([A-Z2-7 ]{39})</pre>", page)[1].replace(" ", "")
    assert client.post("/settings/security/app/", {"code": make.totp(secret)}).status_code == 200
    assert is_in(client)
    assert live._is_member(client.cookies["daytwo_session"].value)


def test_programs_need_no_second_factor(required):
    token = make.token(make.alice())
    assert Client().get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_charlie_finds_nothing_where_a_second_factor_is_required(required):
    client = Client()
    client.force_login(make.charlie())
    assert {client.get(path).status_code for path in ("/profile/", "/settings/security/")} == {404}
