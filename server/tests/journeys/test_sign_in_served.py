"""Signing in at started servers: below a path, by other services, with a second factor, and what the operator sees."""

from __future__ import annotations

import contextlib
import html
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import issuers
import make
import pytest
from installation import MODULE, PASSWORD, Installation

from daytwo_server.core import conf
from daytwo_server.main.cli import doctor

EMAIL = "alice@example.com"


class Browser:
    """Follows nothing by itself; sends back the token of the form that it saw last."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(timeout=30)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path if path.startswith("http") else self.url + path)

    def post(self, page: str, form: dict[str, str], *, to: str = "") -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page).text)[1]
        return self.client.post(self.url + (to or page), data={"csrfmiddlewaretoken": token} | form)

    def sign_in(self) -> httpx.Response:
        return self.post("/login/", {"login": EMAIL, "password": PASSWORD})

    def add_app(self) -> str:
        page = self.get("/settings/security/app/").text
        secret = re.search(r"<pre[^>]*>([A-Z2-7 ]{39})</pre>", page)[1].replace(" ", "")
        if (left := 30 - time.time() % 30) < 5:  # the code before this one must still be that when it arrives
            time.sleep(left)
        assert self.post("/settings/security/app/", {"code": make.totp(secret, -30)}).status_code == 200
        return secret


@pytest.fixture
def browser(site: Installation) -> Iterator[Any]:
    """`browser()` is another one, which nobody is signed in to."""
    with contextlib.ExitStack() as opened:

        def another() -> Browser:
            made = Browser(site.url)
            opened.enter_context(made.client)
            return made

        yield another


def run(site: Installation, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*MODULE, arguments[0], "--data-dir", str(site.data_dir), *arguments[1:]]
    return subprocess.run(command, env=site.env | env, capture_output=True, text=True)


@pytest.fixture
def site(shop: Any, tmp_path: Path, store_env: Any) -> Installation:
    return shop(env=store_env(f"sign_in_{tmp_path.name[-12:]}") | {"LOG_LEVEL": "debug"})


def test_below_a_path_the_issuer_leads_back_and_nothing_secret_is_logged(site, browser):
    site.url += "/tools"
    site.env["DAYTWO_URL"] = site.url
    with issuers.Issuer(f"{site.url}/login/with/oidc/callback/") as issuer:
        site.env |= {
            "DAYTWO_OIDC_URL": issuer.issuer, "DAYTWO_OIDC_CLIENT_ID": issuers.CLIENT_ID,
            "DAYTWO_OIDC_CLIENT_SECRET": issuers.CLIENT_SECRET, "DAYTWO_OIDC_NAME": "Example SSO",
        }  # fmt: skip
        site.start()
        alice = browser()
        assert alice.sign_in().status_code == 302
        leave = alice.post("/settings/security/", {}, to="/settings/security/identities/oidc/connect/")
        back = agree(leave)
        assert alice.get(back).headers["Location"] == "/tools/settings/security/"
        elsewhere = browser()
        again = agree(elsewhere.post("/login/", {"next": "/tools/settings/"}, to="/login/with/oidc/"))
        assert elsewhere.get(again).headers["Location"] == "/tools/settings/"
        assert elsewhere.get("/profile/").status_code == 200
        secret = elsewhere.add_app()
        code = make.totp(secret)
        third = browser()
        assert third.sign_in().headers["Location"] == "/tools/login/second-factor/"
        assert third.post("/login/second-factor/", {"code": code}).headers["Location"] == "/tools/"
        assert third.get("/profile/").status_code == 200
        assert issuer.complaints == []
        site.stop()
        log = site.log.read_text()
        sessions = [one.client.cookies["daytwo_session"] for one in (alice, elsewhere, third)]
        hidden = [PASSWORD, issuers.CLIENT_SECRET, secret, f'"{code}"', *issuer.tokens, *sessions]
        hidden += [part.split("=")[1] for url in (back, again) for part in url.split("?")[1].split("&")]
        assert [text for text in hidden if text in log] == []


def agree(leave: httpx.Response) -> str:
    there = html.unescape(re.search(r'content="0;url=([^"]+)"', leave.text)[1])
    return httpx.get(there).headers["Location"]


def test_an_owner_who_lost_the_device_is_let_in_from_the_command_line_and_by_setup_is_not(site, browser):
    site.start()
    alice = browser()
    alice.sign_in()
    alice.add_app()
    site.setup()
    assert browser().sign_in().headers["Location"] == "/login/second-factor/"
    done = run(site, "reset-second-factor", "ALICE@example.com")
    assert (done.returncode, "signs in with the password alone now" in done.stdout) == (0, True)
    assert alice.get("/profile/").status_code == 302  # the device may be in somebody's hand
    assert browser().sign_in().headers["Location"] == "/"
    assert "had no second factor" in run(site, "reset-second-factor", EMAIL).stdout
    nobody = run(site, "reset-second-factor", "nobody@example.com")
    assert (nobody.returncode, "Nobody here has the address" in nobody.stderr) == (1, True)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"DAYTWO_GITHUB_CLIENT_ID": "x"}, "DAYTWO_GITHUB_CLIENT_SECRET must be set too, because DAYTWO_GITHUB_CLIENT_ID is"),
        (
            {"DAYTWO_OIDC_CLIENT_SECRET": "hush"},
            "DAYTWO_OIDC_URL and DAYTWO_OIDC_CLIENT_ID must be set too, because DAYTWO_OIDC_CLIENT_SECRET is",
        ),
        ({"DAYTWO_REQUIRE_SECOND_FACTOR": "some"}, "allowed is one of off, admins, everyone"),
        ({"DAYTWO_OIDC_URL": "example.com"}, "allowed is http://... or https://..."),
    ],
)  # fmt: skip
def test_half_a_configuration_is_refused_at_start(tmp_path, given, missing):
    site = Installation(tmp_path / "data")
    done = run(site, "serve", "--port", "0", **given)
    assert (done.returncode, missing in done.stderr) == (2, True), done.stderr
    assert "hush" not in done.stderr
    assert not site.data_dir.exists()


def test_doctor_says_whether_the_issuer_answers():
    def found(url: str) -> tuple[bool, str]:
        settings = {"DAYTWO_OIDC_URL": url, "DAYTWO_OIDC_CLIENT_ID": "x", "DAYTWO_OIDC_CLIENT_SECRET": "y"}
        [finding] = doctor._issuer(conf.load(settings | {"DAYTWO_URL": "https://daytwo.example.com/tools"}))
        return finding

    assert list(doctor._issuer(conf.load({}))) == []
    with issuers.Issuer("") as issuer:
        fine, words = found(issuer.issuer)
        assert (fine, words.split()[-1]) == (True, "https://daytwo.example.com/tools/login/with/oidc/callback/")
        issuer.issuer += "-renamed"
        fine, words = found(issuer.issuer.removesuffix("-renamed"))
        assert (fine, "so set DAYTWO_OIDC_URL to that" in words) == (False, True)
        for answer in ((500, ""), (200, "<html>"), (200, "[]"), (200, '{"issuer": "x"}')):
            issuer.broken = {"/realms/main/.well-known/openid-configuration": answer}
            assert found(issuer.issuer.removesuffix("-renamed"))[0] is False
        url = issuer.issuer
    assert found(url)[0] is False
