"""Getting in, staying in and getting out, tried by somebody who should not."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import make
import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from journeys.furnished import address, furnish
from journeys.routes import PAGES

from daytwo_server.core import conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PASSWORD = "correct horse battery"
ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "http:/evil.example", "https:///evil.example", "http://evil.example/", "http://localhost/", "http://127.0.0.1/", "/\t/evil.example",
    " //evil.example", "javascript:alert(1)", "data:text/html,x", "http://testserver@evil.example/", "word",
)  # fmt: skip


@pytest.fixture
def workspace() -> dict[str, Any]:
    return furnish()


@pytest.fixture
def mail_server():
    """As if DAYTWO_MAIL_URL were set; Django's test outbox takes the mail."""
    before = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_URL": "smtp://localhost:25", "DAYTWO_URL": "http://testserver"}))
    yield
    conf.use(before)


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/login/", {"login": email, "password": password}, **more)


# -- sessions


def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in():
    make.alice(password=PASSWORD)
    planted = Client()
    planted.post("/password/change/")
    session = planted.session
    session["planted"] = True
    session.save()
    victim = Client()
    victim.cookies["daytwo_session"] = session.session_key
    assert sign_in(victim).status_code == 302
    assert victim.cookies["daytwo_session"].value != session.session_key
    assert planted.get("/profile/").status_code == 302
    assert victim.get("/profile/").status_code == 200


def test_signing_out_ends_the_session_for_whoever_has_its_cookie():
    make.alice(password=PASSWORD)
    alice, thief = Client(), Client()
    sign_in(alice)
    thief.cookies["daytwo_session"] = alice.cookies["daytwo_session"].value
    assert thief.get("/profile/").status_code == 200
    alice.post("/logout/")
    assert thief.get("/profile/").status_code == 302
    assert not Session.objects.exists()


def test_a_visitor_leaves_no_session_behind():
    make.alice(password=PASSWORD)
    for _ in range(3):
        visitor = Client()
        visitor.get("/login/")
        sign_in(visitor, password="guess")
        visitor.get("/errors")
    assert not Session.objects.exists()


def test_a_session_key_is_what_we_make_and_nothing_else():
    for cookie in ("", "a" * 31, "A" * 32, "a" * 33, "a" * 31 + "\x00", "..%2f" * 8):
        client = Client()
        client.cookies["daytwo_session"] = cookie
        assert client.get("/errors")["Location"] == "/login/?next=/errors"


def test_who_was_switched_off_or_taken_out_is_out_at_once(workspace):
    bob = make.bob()
    client = Client()
    client.force_login(bob)
    assert client.get("/errors").status_code == 200
    bob.membership.delete()
    assert client.get("/errors").status_code == 404
    bob.is_active = False
    bob.save()
    assert client.get("/errors").status_code == 302


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # as for DAYTWO_URL=https://...
    make.alice(password=PASSWORD)
    client = Client()
    client.get("/login/", secure=True)
    sign_in(client, secure=True)
    client.post("/theme/", {"theme": "dark"}, secure=True)
    for name in ("daytwo_session", "daytwo_csrf", "daytwo_theme", "daytwo_known"):
        cookie = client.cookies[name]
        assert (name, cookie["secure"], cookie["samesite"]) == (name, True, "Lax")
        assert (name, bool(cookie["httponly"])) == (name, name != "daytwo_csrf")


# -- forged requests


def test_every_page_that_writes_refuses_a_form_without_our_token(workspace):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.member("Owner", role="owner", password=PASSWORD))
    for name, page in PAGES.items():
        if page.write is None:
            continue
        for headers in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}, {"X-CSRFToken": "x" * 64}):
            answer = client.post(address(name, workspace), page.form, headers=headers)
            assert (name, answer.status_code) == (name, 403)
    for path in ("/login/", "/logout/", "/theme/", f"/welcome/{'x' * 43}/"):
        assert Client(enforce_csrf_checks=True).post(path).status_code == 403


def test_a_token_of_ours_sent_by_another_site_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    token = client.cookies["daytwo_csrf"].value
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
    ):
        answer = client.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": token}, headers=headers)
        assert answer.status_code == 403
    assert client.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": token}).status_code == 302


def test_no_page_lets_itself_be_framed_or_its_type_be_guessed(workspace):
    client = Client()
    client.force_login(make.member("Owner", role="owner", password=PASSWORD))
    for name, page in PAGES.items():
        answer = client.get(address(name, workspace)) if page.read else client.post(address(name, workspace))
        ours = name == "tickets:designed"  # a mail, in a frame of the ticket's own page
        assert answer.headers["X-Frame-Options"] == ("SAMEORIGIN" if ours else "DENY"), name
        frames = "frame-ancestors 'self'" if ours else "frame-ancestors 'none'"
        assert frames in answer.headers["Content-Security-Policy"], name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), name


def test_no_shared_cache_may_keep_what_a_member_sees(workspace):
    client = Client()
    client.force_login(make.member("Owner", role="owner", password=PASSWORD))
    for name, page in PAGES.items():
        if page.read:
            told = client.get(address(name, workspace)).headers["Cache-Control"]
            assert ("private" in told or "no-store" in told, name) == (True, name)


# -- leading people elsewhere


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_next_leads_to_another_server(workspace, where):
    make.member("Vera", password=PASSWORD)
    client = Client(raise_request_exception=False)
    answers = {
        "login": client.post("/login/", {"login": "vera@example.com", "password": PASSWORD, "next": where}),
        "again": client.get("/login/", {"next": where}),
        "theme": client.post("/theme/", {"theme": "dark", "next": where}),
        "referer": client.post("/profile/", headers={"Referer": where}),
        "logout": client.post("/logout/", {"next": where}),
    }
    owner = Client(raise_request_exception=False)
    owner.force_login(make.member("Owner", role="owner", password=PASSWORD))
    answers["undo"] = owner.post("/errors/undo?changes=1", {"next": where}, headers={"HX-Current-URL": where})
    for name, answer in answers.items():
        if name == "referer":
            assert answer.status_code in {302, 422}
            continue
        assert (name, answer.status_code) == (name, 302)
        assert re.fullmatch(r"/[a-z/]*", answer["Location"]), (name, answer["Location"])


def test_a_forged_host_is_refused_and_decides_no_address(workspace):
    evil = ("evil.example", "testserver.evil.example", "testserver:80@evil.example", "evil.example:80", "a b", "[")
    for host in evil:
        assert Client().get("/login/", headers={"Host": host}).status_code == 400
    owner = Client()
    owner.force_login(make.member("Owner", role="owner", password=PASSWORD))
    forged = {"Host": "localhost:6666", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for name, page in PAGES.items():
        if page.read:
            answer = owner.get(address(name, workspace), headers=forged)
            text = answer.getvalue().decode()  # of a stream, too
            assert "evil.example" not in text, name
            assert "localhost:6666" not in text, name
            assert "//localhost" not in text, name
            assert "localhost" not in answer.headers.get("Location", ""), name


# -- guessing


def test_guesses_from_one_address_add_up_whatever_host_port_or_capitals_they_name():
    make.alice(password=PASSWORD)
    for number in range(5):
        headers = {"Host": f"localhost:{8000 + number}"}
        answer = sign_in(Client(), "aLiCe@example.com" if number % 2 else "alice@example.com", "guess", headers=headers)
        assert answer.status_code == 422
    assert "Too many failed attempts" in sign_in(Client(), headers={"Host": "localhost:1"}).text


def guess_from_everywhere(times: int = 20) -> None:
    for number in range(times):
        sign_in(Client(), password="guess", headers={"X-Daytwo-Client": f"192.0.2.{number}"})


def test_guesses_at_one_account_add_up_wherever_they_come_from():
    make.alice(password=PASSWORD)
    guess_from_everywhere()
    assert "Too many failed attempts" in sign_in(Client(), headers={"X-Daytwo-Client": "192.0.2.99"}).text


def test_many_strangers_do_not_make_the_server_forget_who_was_guessed_at():
    make.alice(password=PASSWORD)
    guess_from_everywhere()
    for number in range(400):
        headers = {"X-Daytwo-Client": f"2001:db8:{number:x}::1"}
        sign_in(Client(), f"{number}@example.com", "", headers=headers)
    assert "Too many failed attempts" in sign_in(Client(), headers={"X-Daytwo-Client": "192.0.2.99"}).text


def test_a_stranger_who_guesses_locks_nobody_out_elsewhere():
    make.alice(password=PASSWORD)
    for _ in range(50):
        sign_in(Client(), password="guess", headers={"X-Daytwo-Client": "192.0.2.66"})
    assert sign_in(Client(), headers={"X-Daytwo-Client": "192.0.2.1"}).status_code == 302


def test_strangers_everywhere_lock_nobody_out_of_a_browser_they_know():
    make.alice(password=PASSWORD)
    alice = Client()
    sign_in(alice)
    alice.post("/logout/")
    guess_from_everywhere(30)
    for _ in range(30):  # beside her, too
        sign_in(Client(), password="guess")
    assert sign_in(alice).status_code == 302


def test_a_browser_that_is_known_may_guess_as_often_as_another_and_no_oftener():
    make.alice(password=PASSWORD)
    thief = Client()
    sign_in(thief)
    thief.post("/logout/")
    for _ in range(5):
        assert "do not match" in sign_in(thief, password="guess").text
    assert "Too many failed attempts" in sign_in(thief).text


def test_a_browser_is_known_to_the_account_alone_that_signed_in_there():
    make.alice(password=PASSWORD)
    make.bob(password=PASSWORD)
    bob = Client()
    sign_in(bob, "bob@example.com")
    bob.post("/logout/")
    guess_from_everywhere()
    assert "Too many failed attempts" in sign_in(bob).text
    bob.cookies["daytwo_known"] = bob.cookies["daytwo_known"].value[:-2] + "xx"
    assert "Too many failed attempts" in sign_in(bob).text


def test_being_right_in_between_refills_nothing():
    make.alice(password=PASSWORD)
    make.bob(password=PASSWORD)
    for _ in range(4):
        sign_in(Client(), password="guess")
        assert sign_in(Client(), "bob@example.com").status_code == 302
    sign_in(Client(), password="guess")
    assert "Too many failed attempts" in sign_in(Client()).text


def test_neighbours_in_one_ipv6_network_are_one_guesser():
    make.alice(password=PASSWORD)
    for number in range(31):
        headers = {"X-Daytwo-Client": f"2001:db8::{number + 1:x}"}
        sign_in(Client(), f"{number}@example.com", "guess", headers=headers)
    assert sign_in(Client(), headers={"X-Daytwo-Client": "2001:db8::ffff"}).status_code == 429


# -- a forgotten password


def test_asking_for_a_new_password_costs_the_same_whoever_asks(mail_server, django_assert_num_queries):
    """And nothing is mailed while somebody waits: a slow or broken mail server must not tell who has an account."""
    make.alice()
    work = []
    for email in ("alice@example.com", "nobody@example.com"):
        answer = Client().post("/password/reset/", {"email": email})
        assert answer["Location"] == "/password/reset/sent/"
        assert mail.outbox == []
        work.append(Job.objects.count())
    assert work == [1, 2]
    assert "@" not in str(list(Job.objects.values_list("args", flat=True)))
    run_due_jobs(tick=False)
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_a_link_for_a_new_password_is_in_no_job_and_ends_all_sessions(mail_server):
    alice = make.alice(password=PASSWORD)
    old = Client()
    old.force_login(alice)
    Client().post("/password/reset/", {"email": "ALICE@example.com"})
    stored = str(list(Job.objects.values()))
    run_due_jobs(tick=False)
    [link] = re.findall(r"http://testserver(/\S+)", mail.outbox[0].body)
    assert link.split("-")[-1].strip("/") not in stored
    browser = Client()
    page = browser.get(link, follow=True).redirect_chain[-1][0]
    assert "another fine" not in page
    new = {"password1": "another fine phrase", "password2": "another fine phrase"}
    assert browser.post(page, new).status_code == 302
    assert old.get("/profile/").status_code == 302
    assert Client().get(link).status_code == 200
    assert "no longer works" in Client().get(link).text


def test_a_link_for_a_new_password_does_not_work_for_somebody_else(mail_server):
    make.alice(password=PASSWORD)
    make.bob(password=PASSWORD)
    Client().post("/password/reset/", {"email": "bob@example.com"})
    run_due_jobs(tick=False)
    [uid, key] = re.findall(r"/reset/([0-9a-z]+)-(\S+)/", mail.outbox[0].body)[0]
    other = "1" if uid != "1" else "2"
    assert "no longer works" in Client().get(f"/password/reset/{other}-{key}/").text


def test_the_owner_link_lets_one_person_in_once(db):
    from daytwo_server.accounts import services

    link = services.owner_link()
    form = {"name": "Alice", "email": "alice@example.com", "password": "another fine phrase"}
    assert Client().post(f"/welcome/{link}/", form).status_code == 302
    for path in (f"/welcome/{link}/", f"/welcome/{link}x/", f"/welcome/{'x' * 43}/"):
        assert Client().post(path, form | {"email": "mallory@example.com"}).status_code == 410


def test_an_owner_link_ends_after_a_day(db, monkeypatch):
    from daytwo_server.accounts import services
    from daytwo_server.accounts.models import OwnerLink

    link = services.owner_link()
    OwnerLink.objects.update(expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert Client().get(f"/welcome/{link}/").status_code == 410
