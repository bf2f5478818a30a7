"""What is kept of second factors, who helps whoever lost theirs, and who must have one."""

from __future__ import annotations

import re

import make
import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from factors import PASSWORD, SECRET, STEP, is_in, past_password, send, signed_in, with_app

from daytwo_server.accounts import live, permissions, services
from daytwo_server.accounts.models import User
from daytwo_server.core import conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alice() -> User:
    return with_app(make.alice(password=PASSWORD))


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
