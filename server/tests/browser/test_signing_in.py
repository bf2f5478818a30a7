"""Passkeys, codes and other services in a real browser, with Chromium's virtual authenticator for a finger."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import issuers
import looks
import make
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from daytwo_server.accounts import services
from daytwo_server.accounts.sessions import SessionStore
from daytwo_server.core import conf

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Desk:
    """Somebody's browser with an authenticator in it, and all that the browser complained about."""

    def __init__(self, chromium: Any, url: str, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.url = url
        self.authenticator = ""

    def _note(self, message: Any) -> None:
        # Streams are no business of this server's; a form that comes back is 422, who is refused elsewhere 400.
        told = f"{message.text} {message.location['url']}"
        if message.type in {"error", "warning"} and not re.search(r"/live|status of 4(22|00)", told):
            self.complaints.append(told)

    def plug_in(self, **options: Any) -> None:
        cdp = self.context.new_cdp_session(self.page)
        cdp.send("WebAuthn.enable")
        finger = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": finger | options})
        self.authenticator, self.cdp = made["authenticatorId"], cdp

    def touch(self, *, possible: bool) -> None:
        finger = {"authenticatorId": self.authenticator, "enabled": possible}
        self.cdp.send("WebAuthn.setAutomaticPresenceSimulation", finger)

    def touched_in_time(self, question: Any) -> None:
        """Before the browser asks for a passkey: the virtual authenticator takes no touch for what waits already."""
        self.touch(possible=True)
        question.continue_()

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def arrive(self, path: str) -> None:
        self.page.wait_for_url(self.url + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sign_in(self, email: str = "alice@example.com") -> None:
        self.open("/login/")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign in")

    def sign_out(self) -> None:
        """Nobody is in any more, here or elsewhere."""
        self.context.clear_cookies(name="daytwo_session")
        Session.objects.all().delete()

    def see(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text)


@pytest.fixture
def desk(chromium, live_server) -> Iterator[Any]:
    desks: list[Desk] = []

    def sit_down(**options: Any) -> Desk:
        desks.append(Desk(chromium, live_server.url, **options))
        return desks[-1]

    yield sit_down
    for one in desks:
        one.context.close()
    assert [one.complaints for one in desks if one.complaints] == []


@pytest.fixture
def alice(transactional_db):
    return make.alice(password=PASSWORD)


def add_passkey(at: Desk, name: str = "My laptop") -> None:
    at.open("/settings/security/")
    at.page.get_by_label("Name of the new passkey").fill(name)
    at.press("Add a passkey")


def who_is_in() -> list[int]:
    """Everybody with a session, which a visitor who was only asked something has too."""
    people = [one.get_decoded().get("_auth_user_id") for one in Session.objects.all()]
    return [int(person) for person in people if person]


def kinds() -> list[str]:
    """The second factors there are."""
    return sorted(Authenticator.objects.values_list("type", flat=True))


def passkey() -> Authenticator:
    return Authenticator.objects.get(type="webauthn")


def test_a_passkey_is_added_and_signs_in_alone(alice, desk):
    at = desk()
    at.plug_in()
    at.sign_in()
    add_passkey(at)
    at.see("Your recovery codes")
    at.open("/settings/security/")
    at.see("My laptop")
    at.sign_out()
    assert (who_is_in(), passkey().last_used_at) == ([], None)
    at.touch(possible=False)  # or what the browser offers by itself would be quicker than the button
    with at.page.expect_response("**/login/passkey/"):
        at.open("/login/?next=/settings/")
    at.page.route("**/login/passkey/", at.touched_in_time, times=1)
    at.press("Sign in with a passkey")
    at.arrive("/settings/")
    assert who_is_in() == [alice.pk]
    assert passkey().last_used_at is not None


def test_the_browser_offers_the_passkey_by_itself_where_the_address_is_typed(alice, desk):
    at = desk()
    at.plug_in()
    at.sign_in()
    add_passkey(at)
    at.see("Your recovery codes")
    at.sign_out()
    assert (who_is_in(), passkey().last_used_at) == ([], None)
    at.open("/login/?next=/settings/")  # the virtual authenticator chooses what the browser offers
    at.arrive("/settings/")
    assert who_is_in() == [alice.pk]
    assert passkey().last_used_at is not None


def test_a_security_key_is_the_second_step_and_cannot_come_alone(alice, desk):
    at = desk()
    at.plug_in(transport="usb", hasResidentKey=False, hasUserVerification=False)
    at.sign_in()
    add_passkey(at, "Key on the ring")
    at.see("Your recovery codes")
    at.open("/settings/security/")
    at.see("Only as the second step")
    at.sign_out()
    at.sign_in()
    at.see("One more step")
    assert (who_is_in(), passkey().last_used_at) == ([], None)
    at.press("Use a passkey")
    at.arrive("/errors")
    assert who_is_in() == [alice.pk]
    assert passkey().last_used_at is not None


def test_a_passkey_is_renamed_and_removed_and_the_same_one_not_added_twice(alice, desk):
    at = desk()
    at.plug_in()
    at.sign_in()
    add_passkey(at, "")
    at.see("Your recovery codes")
    add_passkey(at)
    at.see("This device has a passkey here already")
    assert kinds() == ["recovery_codes", "webauthn"]
    at.page.get_by_text("Rename", exact=True).click()
    at.page.get_by_label("Name of the passkey").fill("<b>Mine</b>")
    at.press("Save")
    at.see("<b>Mine</b>")
    assert passkey().data["name"] == "<b>Mine</b>"
    at.press("Remove")
    at.see("no longer opens your account")
    assert not Authenticator.objects.exists()


def test_a_passkey_of_nobody_is_refused_and_the_form_can_be_sent_again(alice, desk):
    at = desk()
    at.plug_in()
    at.sign_in()
    add_passkey(at)
    at.see("Your recovery codes")
    at.sign_out()
    row = passkey()
    row.user = make.bob(password=PASSWORD)  # the passkey says that it is Alice's, whose it is not any more
    row.save()
    at.open("/login/")
    at.see("That passkey is not known here")
    assert (who_is_in(), passkey().last_used_at) == ([], None)
    at.touch(possible=False)
    at.page.get_by_label("E-mail").fill("alice@example.com")
    at.page.get_by_label("Password").fill(PASSWORD)
    at.press("Sign in")
    at.arrive("/errors")
    assert who_is_in() == [alice.pk]


def test_confirming_with_a_passkey(alice, desk):
    services.switch_on_app(alice, SECRET, make.totp(SECRET, -30))
    at = desk()
    at.plug_in()
    at.sign_in()
    at.page.get_by_label("Code").fill(make.totp(SECRET))
    at.press("Continue")
    add_passkey(at)
    at.see("My laptop")
    forget_proof()
    at.press("Make new ones")
    at.see("Is it still you?")
    assert (kinds(), passkey().last_used_at) == (["totp", "webauthn"], None)
    at.press("Use a passkey")
    at.arrive("/settings/security/")
    assert passkey().last_used_at is not None
    assert kinds() == ["totp", "webauthn"], "what was asked for before the proof is asked for again"
    at.press("Make new ones")
    at.see("Your recovery codes")
    assert kinds() == ["recovery_codes", "totp", "webauthn"]


def test_the_app_is_added_by_its_secret_and_codes_can_be_downloaded(alice, desk):
    at = desk(accept_downloads=True)
    at.sign_in()
    at.open("/settings/security/")
    at.page.get_by_role("link", name="Add", exact=True).click()
    secret = at.page.locator("pre").inner_text().replace(" ", "").strip()
    at.page.get_by_label("Code that the app shows now").fill("000000")
    at.press("Switch on")
    at.see("That is not what the app should show now")
    assert kinds() == []
    assert at.page.locator("pre").inner_text().replace(" ", "").strip() == secret
    at.page.get_by_label("Code that the app shows now").fill(make.totp(secret))
    at.press("Switch on")
    at.see("Your recovery codes")
    shown = at.page.locator("pre").inner_text().split()
    with at.page.expect_download() as download:
        at.page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text().split("\n")[1:11] == shown
    assert kinds() == ["recovery_codes", "totp"]


def test_a_browser_without_passkeys_is_offered_none(alice, desk):
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Hers", "credential": {}})
    at = desk()
    at.page.add_init_script("delete window.PublicKeyCredential")
    at.open("/login/")
    expect(at.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()


def test_a_server_that_will_not_be_asked_leaves_the_page_as_it_is(alice, desk):
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Hers", "credential": {}})
    at = desk()
    at.plug_in()
    asked: list[str] = []
    at.page.on("request", lambda request: asked.append(f"{request.method} {request.url.removeprefix(at.url)}"))
    at.page.route("**/login/passkey/", lambda route: route.fulfill(status=429, body="<p>Too many</p>"))
    at.open("/login/")
    at.press("Sign in with a passkey")
    at.see("The browser gave no passkey. Try again.")
    assert [one for one in asked if "/static/" not in one] == ["GET /login/", *["POST /login/passkey/"] * 2]
    at.complaints.clear()  # the browser's word on 429


def test_asking_again_who_it_is_comes_before_a_new_passkey(alice, desk):
    at = desk()
    at.plug_in()
    at.sign_in()
    at.open("/settings/security/")
    forget_proof()
    at.press("Add a passkey")
    at.see("Is it still you?")
    assert kinds() == []
    at.page.get_by_label("Password").fill(PASSWORD)
    at.press("Continue")
    at.arrive("/settings/security/")
    assert kinds() == [], "the browser asks for the finger only now"
    at.press("Add a passkey")
    at.see("Your recovery codes")
    assert kinds() == ["recovery_codes", "webauthn"]


def forget_proof() -> None:
    """As if ten minutes went by."""
    store = SessionStore(Session.objects.get().session_key)
    store["account_authentication_methods"] = []
    store.save()


@pytest.fixture
def issuer(live_server) -> Iterator[Any]:
    before = conf.current()
    with issuers.Issuer(f"{live_server.url}/login/with/oidc/callback/") as running:
        configured = dataclasses.replace(
            before, url=live_server.url, oidc_url=running.issuer, oidc_client_id=issuers.CLIENT_ID,
            oidc_client_secret=issuers.CLIENT_SECRET, oidc_name="Example SSO",
        )  # fmt: skip
        conf.use(configured)
        yield running
    conf.use(before)


def test_a_button_leads_to_the_issuer_and_back(alice, desk, issuer):
    SocialAccount.objects.create(user=alice, provider="oidc", uid="u-1")
    at = desk()
    at.open("/login/?next=/settings/")
    assert who_is_in() == []
    at.press("Sign in with Example SSO")
    at.arrive("/settings/")
    assert who_is_in() == [alice.pk]
    assert issuer.complaints == []


def test_all_pages_of_signing_in_are_readable_by_everybody(alice, desk, issuer):
    SocialAccount.objects.create(user=alice, provider="oidc", uid="u-1", extra_data={"label": "alice@example.com"})
    # Every other test here sits at a desk. What fades in has no contrast while it does.
    at = desk(viewport=dict(zip(("width", "height"), looks.PHONE, strict=True)), reduced_motion="reduce")
    at.plug_in()

    def check(what: str) -> None:
        looks.check_everywhere(at.page, what)

    at.sign_in()
    at.open("/settings/security/")
    check("security, nothing yet")
    at.open("/settings/security/app/")
    check("app")
    add_passkey(at, "My laptop with a very long name that goes on and on and on")
    at.see("Your recovery codes")
    check("recovery codes")
    services.switch_on_app(alice, SECRET, make.totp(SECRET))
    at.open("/settings/security/")
    check("security, everything")
    at.open("/settings/security/confirm/?next=/settings/")
    check("confirm")
    at.sign_out()
    at.touch(possible=False)
    at.open("/login/")
    check("sign in")
    at.page.get_by_label("E-mail").fill(alice.email)
    at.page.get_by_label("Password").fill(PASSWORD)
    at.press("Sign in")
    at.see("One more step")
    check("second step")
    at.open("/login/with/oidc/callback/?error=access_denied&state=x")
    check("refused")
