import re

import make
import pytest
from django.core import mail
from django.test import Client

from daytwo_server.core import conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **more):
    return client.post("/login/", {"login": email, "password": password}, **more)


@pytest.fixture
def mail_server():
    """As if DAYTWO_MAIL_URL were set; Django's test outbox takes the mail."""
    before = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_URL": "smtp://localhost:25", "DAYTWO_URL": "http://testserver"}))
    yield
    conf.use(before)


def test_alice_signs_in_with_any_capitals_and_comes_to_the_page_she_wanted():
    make.alice(password=PASSWORD)
    client = Client()
    wanted = client.get("/projects/?a=b")
    assert wanted.status_code == 302
    assert wanted["Location"] == "/login/?next=/projects/%3Fa%3Db"
    form = client.get(wanted["Location"])
    assert 'name="next" value="/projects/?a=b"' in form.text
    answer = client.post("/login/", {"login": "Alice@Example.COM", "password": PASSWORD, "next": "/projects/?a=b"})
    assert (answer.status_code, answer["Location"]) == (302, "/projects/?a=b")
    assert client.get("/projects/").status_code == 200


def test_signing_in_never_leads_to_another_server():
    make.alice(password=PASSWORD)
    answer = Client().post(
        "/login/", {"login": "alice@example.com", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_a_wrong_password_shows_the_form_again_with_422():
    make.alice(password=PASSWORD)
    answer = sign_in(Client(), password="guess")
    assert answer.status_code == 422
    assert "E-mail and password do not match" in answer.text
    assert "guess" not in answer.text


def test_an_unknown_address_gets_the_same_answer_as_a_wrong_password():
    make.alice(password=PASSWORD)

    def words(answer):
        return re.sub(
            r'csrf[^>]*value="[^"]*"|X-CSRFToken[^}]*|value="[^"]*@[^"]*"|\d{10}\.\d|="/login/"', "", answer.text
        )

    assert words(sign_in(Client(), password="guess")) == words(sign_in(Client(), "nobody@example.com", "guess"))


def test_guessing_is_stopped_after_five_attempts_even_with_the_right_password():
    make.alice(password=PASSWORD)
    client = Client()
    for _ in range(5):
        assert sign_in(client, password="guess").status_code == 422
    answer = sign_in(client)
    assert answer.status_code == 422
    assert "Too many failed attempts" in answer.text


def test_attempts_are_counted_by_the_address_that_our_front_resolved():
    make.alice(password=PASSWORD)
    for number in range(31):
        last = sign_in(Client(), f"{number}@example.com", "guess", headers={"X-Daytwo-Client": "192.0.2.1"})
    assert last.status_code in {422, 429}
    blocked = sign_in(Client(), headers={"X-Daytwo-Client": "192.0.2.1"})
    assert blocked.status_code == 429
    assert "Wait five minutes" in blocked.text
    assert sign_in(Client(), headers={"X-Daytwo-Client": "192.0.2.2"}).status_code == 302


def test_somebody_who_was_switched_off_is_told_so():
    make.member("Gone", password=PASSWORD, is_active=False)
    client = Client()
    answer = sign_in(client, "gone@example.com")
    assert answer.status_code == 302
    assert "switched off" in client.get(answer["Location"]).text
    assert client.get("/projects/").status_code == 302


def test_signing_out_asks_first_and_takes_a_post(alice, signed_in):
    client = signed_in(alice)
    assert "Sign out?" in client.get("/logout/").text
    assert client.get("/projects/").status_code == 200
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/projects/").status_code == 302


def test_changing_the_password_keeps_this_session_and_ends_the_others(signed_in):
    alice = make.alice(password=PASSWORD)
    here, elsewhere = signed_in(alice), signed_in(alice)
    form = {"oldpassword": PASSWORD, "password1": "another fine phrase", "password2": "another fine phrase"}
    wrong = here.post("/password/change/", form | {"oldpassword": "guess"})
    assert wrong.status_code == 422
    assert here.post("/password/change/", form)["Location"] == "/settings/security/"
    assert here.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302
    assert sign_in(Client(), password="another fine phrase").status_code == 302
    assert AuditEntry.objects.filter(action="accounts:password:changed").count() == 1


@pytest.mark.parametrize(
    "path", ["/password/reset/", "/password/reset/sent/", "/password/reset/done/", "/password/reset/1-x/"]
)
def test_without_a_mail_server_there_is_no_password_reset(db, path):
    assert Client().get(path).status_code == 404
    assert "password/reset" not in Client().get("/login/").text


def test_a_forgotten_password_is_replaced_through_a_mail(mail_server):
    make.alice(password=PASSWORD)
    client = Client()
    assert "/password/reset/" in client.get("/login/").text
    assert client.post("/password/reset/", {"email": "alice@example.com"})["Location"] == "/password/reset/sent/"
    assert "Look into your mail" in client.get("/password/reset/sent/").text
    run_due_jobs(tick=False)
    [message] = mail.outbox
    assert message.subject == "Choose a new password"
    [link] = re.findall(r"http://testserver(/\S+)", message.body)
    form = client.get(link, follow=True)
    assert "Choose a new password" in form.text
    page = form.redirect_chain[-1][0]
    weak = client.post(page, {"password1": "password", "password2": "password"})
    assert weak.status_code == 422
    new = {"password1": "another fine phrase", "password2": "another fine phrase"}
    assert client.post(page, new)["Location"] == "/password/reset/done/"
    assert "is changed" in client.get("/password/reset/done/").text
    assert sign_in(Client(), password="another fine phrase").status_code == 302
    assert "no longer works" in Client().get(link).text


def test_the_link_in_the_mail_leads_to_the_configured_address_whatever_host_was_asked(mail_server):
    make.alice(password=PASSWORD)
    Client().post("/password/reset/", {"email": "alice@example.com"}, headers={"Host": "localhost"})
    run_due_jobs(tick=False)
    assert "http://testserver/password/reset/" in mail.outbox[0].body


def test_asking_for_an_unknown_address_sends_nothing_and_tells_nothing(mail_server):
    answer = Client().post("/password/reset/", {"email": "nobody@example.com"})
    assert answer["Location"] == "/password/reset/sent/"
    run_due_jobs(tick=False)
    assert mail.outbox == []


@pytest.mark.parametrize("path", ["/signup/", "/accounts/signup/", "/email/", "/accounts/login/", "/reauthenticate/"])
def test_what_we_do_not_offer_is_not_there(db, path):
    assert Client().get(path).status_code == 404
