"""Codes of an app and recovery codes, tried by somebody who has the password but not the device."""

from __future__ import annotations

import re
import time

import make
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from factors import PASSWORD, SECRET, STEP, is_in, past_password, send, signed_in, with_app

from daytwo_server.accounts import services
from daytwo_server.accounts.models import User

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alice() -> User:
    return with_app(make.alice(password=PASSWORD))


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
