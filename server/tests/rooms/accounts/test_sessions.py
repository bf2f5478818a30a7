"""Where somebody is signed in, and ending that."""

import datetime as dt

import make
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.test import Client

from daytwo_server.accounts import presence, services
from daytwo_server.accounts.jobs import prune
from daytwo_server.accounts.models import UserSession
from daytwo_server.core import clock as daytwo_clock
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
URL = "/settings/sessions/"
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Safari/604.1"


def sign_in(agent: str = FIREFOX, address: str = "192.0.2.1", email: str = "alice@example.com") -> Client:
    client = Client(headers={"User-Agent": agent, "X-Daytwo-Client": address})
    assert client.post("/login/", {"login": email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def alice(db):
    return make.alice(password=PASSWORD)


def test_each_browser_is_named_with_its_address_and_this_one_is_marked(alice):
    here = sign_in()
    sign_in(IPHONE, "2001:db8::7")
    page = here.get(URL).text
    assert page.index("Firefox on Linux") < page.index("This browser")
    assert "Safari on iPhone" in page
    assert "192.0.2.1" in page
    assert "2001:db8::7" in page
    keys = UserSession.objects.values_list("session_key", flat=True)
    assert not any(key in page for key in keys)


def test_one_session_is_ended_and_the_others_go_on(alice):
    here, phone, tablet = sign_in(), sign_in(IPHONE), sign_in(IPHONE)
    ended = UserSession.objects.get(session_key=phone.session.session_key)
    page = here.post(f"{URL}{ended.pk}/end/", follow=True)
    assert "Safari on iPhone is signed out" in page.text
    assert phone.get("/profile/").status_code == 302
    assert tablet.get("/profile/").status_code == here.get("/profile/").status_code == 200
    entry = AuditEntry.objects.get(action="accounts:session:ended")
    assert (entry.ref_id, entry.after) == (str(alice.pk), '{"sessions":1}')


def test_all_others_are_ended_at_once(alice):
    here, *others = [sign_in() for _ in range(4)]
    assert "Signed out of 3 other browsers" in here.post(f"{URL}end-others/", follow=True).text
    assert [client.get("/profile/").status_code for client in others] == [302] * 3
    page = here.get(URL).text
    assert "Sign out everywhere else" not in page
    assert Session.objects.count() == UserSession.objects.count() == 1


def test_nobody_ends_the_session_of_somebody_else(alice, bob, signed_in):
    sign_in()
    other = UserSession.objects.get(user=alice)
    assert "was over already" in signed_in(bob).post(f"{URL}{other.pk}/end/", follow=True).text
    assert "Firefox" not in signed_in(bob).get(URL).text
    assert UserSession.objects.filter(user=alice).exists()


def test_this_browser_is_left_by_signing_out(alice):
    here = sign_in()
    page = here.post(f"{URL}{UserSession.objects.get().pk}/end/", follow=True)
    assert "Sign out to end it" in page.text
    here.post("/logout/")
    assert not UserSession.objects.exists()


def test_last_seen_moves_at_most_once_a_minute(alice, django_assert_num_queries):
    with time_machine.travel(make.moment(), tick=False) as clock:
        here = sign_in()
        here.get("/profile/")
        clock.shift(59)
        with django_assert_num_queries(0):
            presence.note_use(request_of(here))
        clock.shift(1)
        with django_assert_num_queries(1):
            presence.note_use(request_of(here))
        session = UserSession.objects.get()
        assert session.last_seen_at == make.moment("2026-11-23T09:01:00")
        assert session.signed_in_at == make.moment("2026-11-23T09:00:00")


def request_of(client: Client):
    from django.test import RequestFactory

    request = RequestFactory().get("/", headers={"User-Agent": FIREFOX})
    request.session, request.user = client.session, None
    return request


def test_a_page_is_shown_though_its_use_cannot_be_noted(alice, caplog):
    here = sign_in()
    presence._noted.clear()

    def refuse(execute, sql, *rest):
        if "UPDATE" in sql and "accounts_usersession" in sql:
            raise DatabaseError("database is locked")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert here.get("/profile/").status_code == 200
    assert "could not be noted" in caplog.text


def test_a_session_from_before_this_version_is_listed_from_its_next_page_on(alice):
    here = sign_in()
    UserSession.objects.all().delete()
    presence._noted.clear()
    assert "Firefox on Linux" in here.get(URL).text


def test_changing_the_password_ends_the_other_sessions_and_keeps_the_story_of_this_one(alice):
    with time_machine.travel(make.moment(), tick=False) as clock:
        here, other = sign_in(), sign_in(IPHONE)
        clock.shift(dt.timedelta(hours=1))
        new = {"oldpassword": PASSWORD, "password1": "another fine phrase", "password2": "another fine phrase"}
        assert here.post("/password/change/", new).status_code == 302
        assert other.get("/profile/").status_code == 302
        page = here.get(URL).text
        assert "Safari" not in page
        assert "signed in <time" in page
        mine = UserSession.objects.get(session_key=here.session.session_key)
        assert mine.signed_in_at == make.moment()


def test_another_person_at_the_same_browser_gets_a_session_of_their_own(alice, bob):
    browser = sign_in()
    browser.force_login(bob)
    browser.get("/profile/")
    assert list(UserSession.objects.values_list("user", flat=True)) == [bob.pk]


def test_many_sessions_are_paged_at_a_constant_cost(alice, django_assert_num_queries):
    here = sign_in()
    now = daytwo_clock.now()
    for n in range(120):
        key = f"{n:032}"
        Session.objects.create(session_key=key, session_data="", expire_date=now + dt.timedelta(days=1))
        UserSession.objects.create(session_key=key, user=alice, last_seen_at=now - dt.timedelta(minutes=n))
    here.get(URL)
    with django_assert_num_queries(3):  # session, viewer, sessions
        page = here.get(URL)
    assert len(page.content) < 60_000
    assert len(page.context["sessions"]) == 50
    assert len(here.get(page.context["older"]).context["sessions"]) == 50
    assert here.get(f"{URL}?cursor=nonsense").status_code == 400


def test_what_is_over_is_swept_up_once_a_day(alice):
    with time_machine.travel(make.moment(), tick=False) as clock:
        old = sign_in()
        clock.shift(dt.timedelta(days=31))
        here = sign_in(IPHONE)
        assert "Firefox" not in here.get(URL).text
        prune()
        assert [one.session_key for one in UserSession.objects.all()] == [here.session.session_key]
        assert Session.objects.count() == 1
        assert old.get("/profile/").status_code == 302


def test_headers_that_lie_do_no_harm(alice):
    here = sign_in("<script>alert(1)</script>\x00" + "x" * 5000)
    page = here.get(URL).text
    assert "Unknown browser" in page
    assert "alert(1)" not in page
    assert UserSession.objects.get().user == services.ensure_owner("alice@example.com", PASSWORD)
