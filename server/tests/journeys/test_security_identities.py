"""Coming in by GitHub and OpenID Connect: through real sockets, and by everything that somebody could forge."""

from __future__ import annotations

import html
import logging
import re
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import httpx
import issuers
import make
import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from daytwo_server.accounts import services
from daytwo_server.accounts.models import User
from daytwo_server.core import clock, conf
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PASSWORD = "correct horse battery"
BACK = "http://testserver/login/with/{}/callback/"


def configure(**more: str) -> None:
    conf.use(conf.load({"DAYTWO_URL": "http://testserver"} | more))


@pytest.fixture
def issuer() -> Iterator[issuers.Issuer]:
    before = conf.current()
    with issuers.Issuer(BACK.format("oidc")) as running:
        configure(**oidc(running))
        yield running
    conf.use(before)


def oidc(running: issuers.Issuer) -> dict[str, str]:
    return {
        "DAYTWO_OIDC_URL": running.issuer, "DAYTWO_OIDC_CLIENT_ID": issuers.CLIENT_ID,
        "DAYTWO_OIDC_CLIENT_SECRET": issuers.CLIENT_SECRET, "DAYTWO_OIDC_NAME": "Example SSO",
    }  # fmt: skip


@pytest.fixture
def github() -> Iterator[issuers.GitHub]:
    before = conf.current()
    with issuers.GitHub(BACK.format("github")) as running:
        configure(
            DAYTWO_GITHUB_URL=running.url,
            DAYTWO_GITHUB_CLIENT_ID=issuers.CLIENT_ID,
            DAYTWO_GITHUB_CLIENT_SECRET=issuers.CLIENT_SECRET,
        )
        yield running
    conf.use(before)


def leave(client: Client, way: str, **form: str) -> str:
    """Press the button; where the page leads."""
    answer = client.post(f"/login/with/{way}/", form)
    assert answer.status_code == 200, answer.text
    return html.unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)[1])


def agree(there: str) -> str:
    """The browser at the provider, which sends it back."""
    answer = httpx.get(there)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"].removeprefix("http://testserver")


def come_by(client: Client, way: str, **form: str) -> Any:
    return client.get(agree(leave(client, way, **form)))


def connected(person: User, way: str = "oidc", uid: str = "u-1") -> User:
    SocialAccount.objects.create(user=person, provider=way, uid=uid)
    return person


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


# -- people who may come in


@pytest.mark.parametrize("way", ["oidc", "github"])
def test_somebody_who_connected_it_signs_in(request, way):
    provider = request.getfixturevalue({"oidc": "issuer", "github": "github"}[way])
    connected(make.bob(), way, {"oidc": "u-1", "github": "7"}[way])
    client = Client()
    answer = come_by(client, way, next="/settings/")
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert is_in(client)
    assert provider.complaints == []


def test_whoever_is_signed_in_connects_and_disconnects(issuer):
    alice = make.alice(password=PASSWORD)
    client = Client()
    client.post("/login/", {"login": alice.email, "password": PASSWORD})
    page = client.post("/settings/security/identities/oidc/connect/").text
    there = html.unescape(re.search(r"0;url=([^\"]+)", page)[1])
    assert client.get(agree(there))["Location"] == "/settings/security/"
    [one] = SocialAccount.objects.filter(user=alice)
    assert one.extra_data == {"label": "alice@example.com"}  # nothing else of what the issuer tells
    assert "Example SSO" in client.get("/settings/security/").text
    assert client.post(f"/settings/security/identities/{one.pk}/disconnect/").status_code == 302
    assert not SocialAccount.objects.exists()
    assert [e.action for e in AuditEntry.objects.filter(action__startswith="accounts:identity").order_by("pk")] == [
        "accounts:identity:connected",
        "accounts:identity:disconnected",
    ]


def test_somebody_with_an_invitation_joins_and_has_no_password(issuer):
    owner = make.alice(email="owner@example.com")
    _, link = services.invite(role="engineer", actor=owner)
    client = Client()
    assert "Sign in with Example SSO" in client.get(f"/join/{link}/").text
    assert come_by(client, "oidc").status_code == 302
    person = User.objects.get(email="alice@example.com")
    assert (person.name, person.membership.role, person.has_usable_password()) == ("Alice Elsewhere", "engineer", False)
    assert is_in(client)
    assert client.get("/password/change/", follow=True).redirect_chain[-1][0] == "/password/set/"
    again = Client()
    come_by(again, "oidc")
    assert is_in(again)


def test_an_account_with_that_address_is_opened_only_if_the_operator_says_so_and_the_issuer_verified_it(issuer):
    alice = make.alice(password=PASSWORD)
    assert come_by(Client(), "oidc").status_code == 403
    configure(**oidc(issuer), DAYTWO_CONNECT_BY_EMAIL="on")
    for verified in (False, None, "false", "yes", 0):
        issuer.claims = {"email_verified": verified}
        assert come_by(Client(), "oidc").status_code == 403, verified
    issuer.claims = {"email_verified": "true"}
    client = Client()
    assert come_by(client, "oidc").status_code == 302
    assert is_in(client)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)  # allauth would have taken it away
    assert SocialAccount.objects.get().user == alice


def test_who_has_a_second_factor_is_asked_for_it_whatever_the_issuer_says(issuer):
    bob = connected(make.bob())
    services.switch_on_app(bob, secret := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", make.totp(secret, -30))
    client = Client()
    assert come_by(client, "oidc", next="/settings/")["Location"] == "/login/second-factor/"
    assert not is_in(client)
    assert client.post("/login/second-factor/", {"code": make.totp(secret)})["Location"] == "/settings/"
    assert is_in(client)


# -- people who may not


@pytest.mark.parametrize("way", ["oidc", "github"])
def test_somebody_whom_nobody_knows_is_told_how_to_come_in(request, way):
    request.getfixturevalue({"oidc": "issuer", "github": "github"}[way])
    make.alice(password=PASSWORD)
    client = Client()
    answer = come_by(client, way)
    assert answer.status_code == 403
    assert "Ask an owner or admin for an invitation" in answer.text
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()
    assert not is_in(client)


def test_an_invitation_is_not_for_an_address_that_nobody_verified(issuer):
    _, link = services.invite(role="engineer", actor=make.alice(email="owner@example.com"))
    issuer.claims = {"email_verified": False}
    client = Client()
    client.get(f"/join/{link}/")
    answer = come_by(client, "oidc")
    assert (answer.status_code, "Verify one there" in answer.text) == (403, True)
    assert services.invitation_for(link)


def test_who_was_switched_off_stays_out(issuer):
    bob = connected(make.bob())
    bob.is_active = False
    bob.save()
    client = Client()
    assert come_by(client, "oidc")["Location"] == "/login/inactive/"
    assert not is_in(client)


def test_an_account_elsewhere_opens_one_account_here(issuer):
    connected(make.bob())
    make.alice(password=PASSWORD)
    client = Client()
    client.post("/login/", {"login": "alice@example.com", "password": PASSWORD})
    page = client.post("/settings/security/identities/oidc/connect/").text
    client.get(agree(html.unescape(re.search(r"0;url=([^\"]+)", page)[1])))
    assert "belongs to somebody else" in client.get("/settings/security/").text
    assert SocialAccount.objects.get().user.name == "Bob"


def test_nobody_takes_away_their_only_way_in(issuer):
    bob = connected(make.bob())
    client = Client()
    come_by(client, "oidc")
    client.post(f"/settings/security/identities/{SocialAccount.objects.get(user=bob).pk}/disconnect/")
    assert "only way in" in client.get("/settings/security/").text
    assert SocialAccount.objects.count() == 1


# -- forged and repeated answers


FORGED: dict[str, dict[str, Any]] = {
    "for another program": {"claims": {"aud": "another-client"}},
    "of another issuer": {"claims": {"iss": "http://127.0.0.1:1/realms/main"}},
    "of another sign-in": {"claims": {"nonce": "of-somebody-else-somewhere-else"}},
    "without nonce": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": 1_700_000_000, "iat": 1_699_999_000}},
    "without end": {"claims": {"exp": None}},
    "of nobody": {"claims": {"sub": None}},
    "for several, and another one is meant": {"claims": {"aud": ["daytwo-client", "x"], "azp": "x"}},
    "signed by a stranger": {"key": issuers.STRANGERS_KEY},
    "signed by nobody": {"algorithm": "none"},
    "signed with what everybody knows": {"algorithm": "HS256", "key": "daytwo-client-daytwo-client-daytwo-client"},
    "signed with a key that the issuer has not": {"kid": "key-2"},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_token_that_is_not_what_we_asked_for_lets_nobody_in(issuer, what):
    connected(make.bob())
    for name, value in FORGED[what].items():
        setattr(issuer, name, value)
    client = Client()
    answer = come_by(client, "oidc")
    assert answer.status_code == 400
    assert "You are not signed in" in answer.text
    assert not is_in(client)


def test_a_token_without_key_id_is_taken_from_an_issuer_with_one_key(issuer):
    connected(make.bob())
    issuer.kid = ""
    client = Client()
    come_by(client, "oidc")
    assert is_in(client)


def test_what_the_issuer_tells_besides_must_be_of_the_same_person(issuer):
    connected(make.bob())
    issuer.claims = {"email": None, "email_verified": None}
    issuer.userinfo = {"email": "bob@example.com", "email_verified": True}
    client = Client()
    come_by(client, "oidc")
    assert is_in(client)
    issuer.userinfo = {"sub": "u-2", "email": "bob@example.com"}
    assert come_by(Client(), "oidc").status_code == 400


def test_an_answer_works_once_in_the_browser_that_asked_and_soon(issuer):
    connected(make.bob())
    client, thief = Client(), Client()
    back = agree(leave(client, "oidc"))
    for browser, path in (
        (thief, back),  # login CSRF: somebody else's answer
        (client, re.sub(r"state=\w+", "state=xxxxxxxxxxxxxxxx", back)),
        (client, re.sub(r"&?state=\w+", "", back)),
    ):
        answer = browser.get(path)
        assert (answer.status_code, "another browser" in answer.text) == (400, True)
        assert not is_in(browser)
    assert client.get(back).status_code == 302
    client.post("/logout/")
    assert client.get(back).status_code == 400
    assert not is_in(client)
    late = agree(leave(client, "oidc"))
    with time_machine.travel(time.time() + 601):
        assert client.get(late).status_code == 400


def test_an_answer_of_one_provider_is_none_of_another(issuer, github):
    configure(
        **oidc(issuer), DAYTWO_GITHUB_URL=github.url, DAYTWO_GITHUB_CLIENT_ID=issuers.CLIENT_ID,
        DAYTWO_GITHUB_CLIENT_SECRET=issuers.CLIENT_SECRET,
    )  # fmt: skip
    connected(make.bob())
    client = Client()
    back = agree(leave(client, "oidc"))
    assert client.get(back.replace("/oidc/", "/github/")).status_code == 400
    assert github.requests == []


def test_a_wrong_code_and_a_refusal_are_told_in_words(issuer):
    client = Client()
    back = agree(leave(client, "oidc"))
    answer = client.get(re.sub(r"code=[^&]+", "code=guess", back))
    assert (answer.status_code, "cannot be used" in answer.text) == (400, True)
    back = agree(leave(client, "oidc"))
    answer = client.get(re.sub(r"code=[^&]+", "error=access_denied", back))
    assert (answer.status_code, "you did not agree" in answer.text) == (400, True)
    answer = client.get("/login/with/oidc/callback/?error=server_error&error_description=%3Cscript%3E")
    assert (answer.status_code, "script>" in answer.text.split("<main", 1)[1].split("</main")[0]) == (400, False)


BROKEN = {
    "/realms/main/.well-known/openid-configuration": (
        (500, ""), (200, "<html>"), (200, "[]"), (200, "{}"), (200, '{"issuer": "http://elsewhere.example"}'), (404, "{}")
    ),
    "/realms/main/token": ((500, "{}"), (200, "nonsense"), (200, '{"access_token": "x"}'), (200, '{"access_token": "x", "id_token": "x.y.z"}'),
                           (200, '{"access_token": "x", "id_token": 7}'), (200, '{"access_token": "x", "expires_in": "soon", "id_token": ""}'), (200, "[]")),
    "/realms/main/certs": ((500, ""), (200, "{}"), (200, '{"keys": []}'), (200, '{"keys": [{"kty": "oct", "k": "eA", "kid": "key-1"}]}'), (200, '"x"')),
}  # fmt: skip


@pytest.mark.parametrize("path", BROKEN)
def test_an_issuer_that_talks_nonsense_is_told_about_in_words(issuer, path):
    connected(make.bob())
    for answer in BROKEN[path]:
        cache.clear()
        issuer.broken = {path: answer}
        client = Client()
        told = client.post("/login/with/oidc/")
        if told.status_code == 200:
            told = client.get(agree(html.unescape(re.search(r"0;url=([^\"]+)", told.text)[1])))
        assert (answer, told.status_code) in {(answer, 400), (answer, 502)}
        assert "You are not signed in" in told.text
        assert not is_in(client)


@pytest.mark.parametrize("answer", [{}, [], {"id": None}, {"id": ""}, "x", {"login": "x"}])
def test_a_github_that_talks_nonsense_is_told_about_in_words(github, answer):
    github.user = answer
    told = come_by(Client(), "github")
    assert told.status_code in {400, 403, 502}
    github.user, github.emails = {"id": 7, "login": "x"}, answer
    assert come_by(Client(), "github").status_code in {400, 403, 502}


def test_an_issuer_that_is_down_is_told_about_in_words(issuer):
    issuer.__exit__()
    answer = Client().post("/login/with/oidc/")
    assert (answer.status_code, "Example SSO does not answer" in answer.text) == (502, True)
    with issuers.Issuer(BACK.format("oidc")) as other:  # so that the fixture has one to stop
        issuer.server = other.server


# -- what leaks, and where it leads


def test_no_code_state_secret_or_token_is_logged(issuer, caplog):
    connected(make.bob())
    caplog.set_level(logging.DEBUG)
    client = Client()
    there = leave(client, "oidc")
    back = agree(there)
    client.get(back)
    client.get(back)
    issuer.broken = {"/realms/main/token": (400, '{"error": "the-provider-says-a-secret"}')}
    client.get(agree(leave(client, "oidc")))
    sent = {**dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query)), "secret": issuers.CLIENT_SECRET}
    secrets = [*sent.values(), *issuer.tokens, "the-provider-says-a-secret"]
    # The first two are of this test's own browser; the command line never lets the others say so much.
    quiet = ("httpx", "httpcore", "django.template", "django.request")
    ours = [record for record in caplog.records if not record.name.startswith(quiet)]
    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_no_next_leads_elsewhere_after_coming_back(issuer, where):
    connected(make.bob())
    assert come_by(Client(), "oidc", next=where)["Location"] == "/"


def test_the_way_back_is_the_configured_one_whatever_host_was_asked(issuer):
    answer = Client().post("/login/with/oidc/", headers={"Host": "localhost:6666"})
    assert urllib.parse.quote("http://testserver/login/with/oidc/callback/", safe="") in answer.text
    assert "localhost" not in answer.text


def test_leaving_needs_a_form_of_ours_and_nothing_is_offered_that_is_not_configured(issuer):
    assert Client(enforce_csrf_checks=True).post("/login/with/oidc/").status_code == 403
    assert Client().get("/login/with/oidc/").status_code == 405
    assert Client().post("/login/with/github/").status_code == 404
    assert Client().get("/login/with/github/callback/?code=x&state=x").status_code == 404
    page = Client().get("/login/").text
    assert ("Example SSO" in page, "GitHub" in page) == (True, False)


def test_visits_end_soon_and_strangers_who_press_the_button_cost_the_issuer_nothing(issuer):
    client = Client()
    for _ in range(5):
        leave(client, "oidc")
    assert issuer.requests.count("/realms/main/.well-known/openid-configuration") == 1
    assert {round((s.expire_date - clock.now()).total_seconds() / 60) for s in Session.objects.all()} == {15}
    answers = [Client().post("/login/with/oidc/").status_code for _ in range(30)]
    assert answers[-1] == 429
