"""What the services promise about second factors; how they are attacked is in journeys/test_security_second_factor."""

from __future__ import annotations

import threading

import make
import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from daytwo_server.accounts import jobs, selectors, services

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def at_once(work, times: int = 4) -> list[object]:
    """Run `work` in that many threads that start together; what each returned."""
    found: list[object] = []
    start = threading.Barrier(times)

    def one() -> None:
        try:
            start.wait(10)
            found.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_several_who_send_the_same_code_at_once_one_comes_in(kind):
    alice = make.alice()
    services.switch_on_app(alice, SECRET, make.totp(SECRET, -30))
    codes = services.new_recovery_codes(alice)
    code = make.totp(SECRET) if kind == "app" else codes[0]
    used = at_once(lambda: services.use_code(alice, code))
    assert [one is not None for one in used].count(True) == 1
    assert len(used) == 4


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])
def test_of_several_who_ask_for_new_codes_at_once_the_last_ones_set_is_kept_whole():
    alice = make.alice()
    services.switch_on_app(alice, SECRET, make.totp(SECRET, -30))
    sets = at_once(lambda: services.new_recovery_codes(alice))
    assert Authenticator.objects.filter(user=alice, type="recovery_codes").count() == 1
    working = [codes for codes in sets if services.use_code(alice, codes[0])]
    assert len(working) == 1
    assert selectors.second_factors(alice).codes_left == 9


@pytest.mark.django_db(databases=["default", "telemetry"])
def test_a_second_factor_outlives_the_secret_key_that_it_was_sealed_with(settings):
    alice = make.alice()
    services.switch_on_app(alice, SECRET, make.totp(SECRET, -30))
    codes = services.new_recovery_codes(alice)
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [before]
    assert services.use_code(alice, codes[0])
    jobs.seal_again()
    settings.SECRET_KEY_FALLBACKS = []
    assert services.use_code(alice, make.totp(SECRET))
    assert services.use_code(alice, codes[1])
    assert not services.use_code(alice, codes[0]), "it was used before"


def test_recovery_codes_stand_in_for_something(alice):
    with pytest.raises(services.AccountsError, match="Add a passkey or an authenticator app first"):
        services.new_recovery_codes(alice)
    services.switch_on_app(alice, SECRET, make.totp(SECRET))
    services.new_recovery_codes(alice)
    assert selectors.has_second_factor(alice)
    services.switch_off_app(alice)
    assert not Authenticator.objects.exists()
    assert not selectors.has_second_factor(alice)


def test_a_wrong_code_leaves_the_app_that_was_there(alice):
    services.switch_on_app(alice, SECRET, make.totp(SECRET, -30))
    with pytest.raises(services.WrongCodeError):
        services.switch_on_app(alice, "A" * 32, "000000")
    assert services.use_code(alice, make.totp(SECRET))


def test_looking_at_what_somebody_has_costs_one_query(alice, django_assert_num_queries):
    services.switch_on_app(alice, SECRET, make.totp(SECRET))
    services.new_recovery_codes(alice)
    with django_assert_num_queries(1):
        found = selectors.second_factors(alice)
        assert (bool(found), found.codes_left, found.passkeys) == (True, 10, [])
