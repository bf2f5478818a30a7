import datetime as dt
import hashlib

import make
import pytest
import time_machine

from daytwo_server.accounts import services, tokens
from daytwo_server.accounts.models import ApiToken
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_new_token_lets_its_holder_in_and_is_not_stored(alice):
    token, raw = services.create_token("deploys", scopes=["projects.view"], actor=alice)
    assert raw.startswith(f"dt_{token.prefix}_")
    assert len(raw) == 3 + 8 + 1 + 43
    assert services.authenticate(raw) == token
    token.refresh_from_db()
    assert token.digest == hashlib.sha256(raw.encode()).hexdigest()
    assert raw not in str(ApiToken.objects.values().get())
    assert raw[12:] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    "change", [lambda raw: raw[:-1] + ("A" if raw[-1] != "A" else "B"), lambda raw: raw[:-1], str.upper]
)
def test_a_token_that_differs_by_a_character_is_refused(alice, change):
    _, raw = services.create_token("x", scopes=["*"], actor=alice)
    assert services.authenticate(change(raw)) is None


@pytest.mark.parametrize("raw", ["", "dt_", "Bearer", "dt_00000000_" + "x" * 43, "dt_\x00", "ÿ" * 60])
def test_what_is_no_token_is_refused(raw):
    assert services.authenticate(raw) is None


def test_a_token_ends_when_it_expires(alice):
    with time_machine.travel(make.moment("2026-11-23T09:00:00"), tick=False) as clock:
        _, raw = services.create_token("x", scopes=["*"], actor=alice, expires_at=make.moment("2026-11-23T10:00:00"))
        assert services.authenticate(raw)
        clock.shift(dt.timedelta(hours=1))
        assert services.authenticate(raw) is None


def test_a_revoked_token_is_refused_at_once_and_can_be_taken_back_for_ten_minutes(alice):
    with time_machine.travel(make.moment(), tick=False) as clock:
        token, raw = services.create_token("x", scopes=["*"], actor=alice)
        services.revoke_token(token, actor=alice)
        assert services.authenticate(raw) is None
        clock.shift(dt.timedelta(minutes=9))
        services.restore_token(token, actor=alice)
        assert services.authenticate(raw) == token
        services.revoke_token(token, actor=alice)
        clock.shift(dt.timedelta(minutes=10))
        with pytest.raises(services.AccountsError, match="too long ago"):
            services.restore_token(token, actor=alice)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert [a.rpartition(":")[2] for a in actions] == ["created", "revoked", "restored", "revoked"]


def test_the_last_use_is_written_at_most_once_a_minute(alice, django_assert_num_queries):
    with time_machine.travel(make.moment(), tick=False) as clock:
        token, raw = services.create_token("x", scopes=["*"], actor=alice)
        with django_assert_num_queries(2):
            services.authenticate(raw)
        clock.shift(dt.timedelta(seconds=59))
        with django_assert_num_queries(1):
            services.authenticate(raw)
        clock.shift(dt.timedelta(seconds=1))
        services.authenticate(raw)
    token.refresh_from_db()
    assert token.last_used_at == make.moment("2026-11-23T09:01:00")


def test_setup_derives_the_same_token_again_and_again():
    raw = tokens.text(b"\x01" * 36)
    first = services.ensure_derived_token("setup", raw)
    assert services.ensure_derived_token("setup", raw) == first
    assert services.authenticate(raw) == first
    assert first.created_by is None
    assert AuditEntry.objects.count() == 1


def test_setup_does_not_bring_back_a_token_that_was_revoked(alice):
    raw = tokens.text(b"\x01" * 36)
    services.revoke_token(services.ensure_derived_token("setup", raw), actor=alice)
    with pytest.raises(services.AccountsError, match="revoked"):
        services.ensure_derived_token("setup", raw)
    assert services.authenticate(raw) is None


def test_setup_refuses_a_token_of_another_shape():
    with pytest.raises(services.AccountsError, match="must look like"):
        services.ensure_derived_token("setup", "secret")
    with pytest.raises(ValueError, match="36 bytes"):
        tokens.text(b"short")
