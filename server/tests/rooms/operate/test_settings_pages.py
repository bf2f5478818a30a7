"""The pages of the settings: what holds and why, changing it, two people at once, what a shorter time removes."""

import datetime as dt
import re

import make
import pytest
from django.core import mail
from django.urls import reverse
from rooms.errors import happen

from daytwo_server.accounts import services
from daytwo_server.core import audit, clock, conf, preferences, retention
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Holding, Job
from daytwo_server.core.preferences import Origin
from daytwo_server.operate.sections import SECTIONS, section_of

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

INTAKE, RETENTION = "/settings/intake/", "/settings/retention/"
HX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def alice():
    return make.alice()


@pytest.fixture
def bob():
    return make.member("Bob", role=make.Role.ADMIN)


def loaded(client, url):
    """What a browser would send back from the page's form, unchanged."""
    page = client.get(url).content.decode()
    form = re.search(rf'<form class="stack" method="post" action="{url}".*?</form>', page, re.DOTALL)[0]
    inputs = re.findall(r"<input[^>]*>", form)
    values = {re.search(r'name="([^"]+)"', tag)[1]: tag for tag in inputs}
    found = {name: (re.search(r'value="([^"]*)"', tag) or ["", ""])[1] for name, tag in values.items()}
    selects = re.findall(r'<select name="([^"]+)".*?</select>', form, re.DOTALL)
    chosen = re.findall(r'<option value="([^"]*)" selected', form)
    return found | dict(zip(selects, chosen, strict=False))


def value(name):
    return preferences.sources()[name].value


def test_every_setting_stands_on_exactly_one_page():
    for name in conf.fields():
        assert section_of(name), f"give the section of {name} a page in operate.sections"
    shown = [name for page in SECTIONS for name in page.settings()]
    assert sorted(shown) == sorted(conf.fields())


def test_every_page_shows_each_of_its_settings_and_never_a_secret(alice, signed_in, monkeypatch):
    secret = "smtp://alice:hunter2@mail.example.com:25"
    monkeypatch.setattr(conf, "_current", conf.load({"DAYTWO_MAIL_URL": secret, "LOG_LEVEL": "error"}))
    client = signed_in(alice)
    for page in SECTIONS:
        text = client.get(reverse(page.url_name)).content.decode()
        for name in page.settings():
            assert f'name="{name}"' in text or f'id="{name}"' in text, name
        assert "hunter2" not in text
    assert "DAYTWO_MAIL_URL" in (mailing := client.get("/settings/mail/").content.decode())
    assert re.search(r"DAYTWO_MAIL_URL.*?>set<.*?set in the environment", mailing, re.DOTALL)
    health = client.get("/settings/health/").content.decode()
    assert re.search(r"LOG_LEVEL.*?>error<.*?the environment overrules this page", health, re.DOTALL)
    assert 'name="log_level"' not in health


def test_a_saved_setting_holds_at_once_says_who_saved_it_and_can_be_undone(alice, signed_in):
    client = signed_in(alice)
    form = loaded(client, INTAKE)
    assert form["ingest_rate"] == ""
    answer = client.post(INTAKE, form | {"ingest_rate": "500"}, follow=True)
    page = answer.content.decode()
    assert value("ingest_rate") == preferences.current().ingest_rate == 500
    assert "Changed here by Alice" in page
    assert "Requests a second saved" in page
    undo = re.search(r'action="(/settings/undo/\?[^"]+)"', page)[1].replace("&amp;", "&")
    page = client.post(undo, {"next": INTAKE}, follow=True).content.decode()
    assert "Undone" in page
    assert preferences.sources()["ingest_rate"].origin is Origin.DEFAULT
    assert "Alice went back to it" in page
    client.post(INTAKE, loaded(client, INTAKE) | {"ingest_rate": "70"})
    page = client.post(undo, {"next": INTAKE}, follow=True).content.decode()
    assert "Nothing was undone" in page
    assert value("ingest_rate") == 70


@pytest.mark.parametrize("query", ["scrub_keys=1:%00", f"scrub_keys={'9' * 5000}:x", "scrub_keys=x", "none=1:2", ""])
def test_an_address_of_undo_that_nobody_gave_out_changes_nothing(alice, signed_in, query):
    preferences.change({"scrub_keys": "iban"}, versions={}, actor=alice)
    assert signed_in(alice).post(f"/settings/undo/?{query}", {"next": INTAKE}).status_code == 302
    assert value("scrub_keys") == ("iban",)


def test_a_setting_goes_back_to_its_default_by_its_button(alice, signed_in):
    client = signed_in(alice)
    client.post(INTAKE, loaded(client, INTAKE) | {"ingest_rate": "500", "ingest_burst": "9"})
    page = client.get(INTAKE).content.decode()
    form = re.search(r'<form id="reset-ingest_rate".*?</form>', page, re.DOTALL)[0]
    sent = dict(re.findall(r'name="(ingest[^"]*)" value="([^"]*)"', form))
    client.post(INTAKE, sent)
    assert (value("ingest_rate"), value("ingest_burst")) == (2000, 9)


@pytest.mark.parametrize("text", ["many", "0", "-1", "1.5", "9" * 30, "\x00", "9" * 3000])
def test_a_wrong_value_comes_back_with_what_is_allowed_and_everything_that_was_typed(alice, signed_in, text):
    client = signed_in(alice)
    answer = client.post(INTAKE, loaded(client, INTAKE) | {"ingest_rate": text, "ingest_burst": "77"}, headers=HX)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "<html" not in page
    assert 'value="77"' in page
    assert 'aria-invalid="true"' in page
    assert value("ingest_burst") == 60_000


def test_the_second_editor_loses_nothing_sees_what_the_first_did_and_can_save_again(alice, bob, signed_in):
    of_alice, of_bob = signed_in(alice), signed_in(bob)
    hers, his = loaded(of_alice, INTAKE), loaded(of_bob, INTAKE)
    of_alice.post(INTAKE, hers | {"ingest_rate": "500"})
    answer = of_bob.post(INTAKE, his | {"ingest_rate": "900", "ingest_burst": "10"}, headers=HX)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Alice set it to 500 meanwhile. Save again to make it 900." in page
    assert 'value="900"' in page
    assert 'value="10"' in page
    assert (value("ingest_rate"), value("ingest_burst")) == (500, 60_000)
    sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
    assert of_bob.post(INTAKE, sent).status_code == 302
    assert (value("ingest_rate"), value("ingest_burst")) == (900, 10)


def test_two_people_who_change_different_settings_of_one_page_are_not_in_each_others_way(alice, bob, signed_in):
    of_alice, of_bob = signed_in(alice), signed_in(bob)
    hers, his = loaded(of_alice, INTAKE), loaded(of_bob, INTAKE)
    of_alice.post(INTAKE, hers | {"ingest_rate": "500"})
    assert of_bob.post(INTAKE, his | {"ingest_burst": "10"}).status_code == 302
    assert (value("ingest_rate"), value("ingest_burst")) == (500, 10)


def test_who_may_not_change_settings_sees_them_and_the_role_that_is_needed(signed_in):
    client = signed_in(make.member("Vera", role=make.Role.VIEWER))
    page = client.get(INTAKE).content.decode()
    assert "Changing this needs the role Owner or Admin." in page
    assert ">Save<" not in page
    assert re.search(r'<input[^>]*name="ingest_rate"[^>]*disabled', page)
    answer = client.post(INTAKE, {"ingest_rate": "1", "ingest_rate.was": "", "ingest_rate.version": "0"})
    assert answer.status_code == 403
    assert value("ingest_rate") == 2000


def test_the_workspace_is_renamed_by_one_of_two_and_the_other_is_told(alice, bob, signed_in):
    of_alice, of_bob = signed_in(alice), signed_in(bob)
    rename = "/settings/general/name/"
    page = of_alice.post(rename, {"name": "Acme", "was": "Daytwo"}, follow=True).content.decode()
    assert "Acme" in page
    answer = of_bob.post(rename, {"name": "Umbrella", "was": "Daytwo"}, headers=HX)
    assert answer.status_code == 409
    assert "Somebody named it Acme meanwhile. Save again to name it Umbrella." in answer.content.decode()
    assert services.workspace().name == "Acme"
    assert of_bob.post(rename, {"name": "Umbrella", "was": "Acme"}).status_code == 302
    assert services.workspace().name == "Umbrella"
    assert of_alice.post(rename, {"name": " ", "was": "Umbrella"}).status_code == 422
    told = [entry.after for entry in audit.entries(action="accounts:workspace:renamed").rows]
    assert told == ['{"name":"Umbrella"}', '{"name":"Acme"}']


def test_renaming_can_be_undone(alice, signed_in):
    client = signed_in(alice)
    page = client.post("/settings/general/name/", {"name": "Acme", "was": "Daytwo"}, follow=True).content.decode()
    undo = re.search(r'action="(/settings/general/name/\?[^"]+)"', page)[1].replace("&amp;", "&")
    client.post(undo, {"next": "/"})
    assert services.workspace().name == "Daytwo"


def old_error(days, **fields):
    shop = make.project()
    at = clock.now() - dt.timedelta(days=days)
    happen.send(shop, happen.payload(timestamp=at.timestamp(), **fields), at=at)


def test_shortening_a_time_says_what_goes_and_asks_before_it_is_saved(alice, signed_in):
    for days in (5, 40, 50):
        old_error(days)
    client = signed_in(alice)
    form = loaded(client, RETENTION) | {"retention_events_days": "30"}
    answer = client.post(RETENTION, form, headers=HX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Errors, kept for 30 days: about 2 events" in page
    assert value("retention_events_days") == 90
    confirmed = re.search(r'name="confirmed" value="([^"]+)"', page)[1]
    # Another number is another question.
    other = client.post(RETENTION, form | {"retention_events_days": "3", "confirmed": confirmed}, headers=HX)
    assert "kept for 3 days: about 3 events" in other.content.decode()
    assert client.post(RETENTION, form | {"confirmed": confirmed}).status_code == 302
    assert value("retention_events_days") == 30


def test_what_removes_nothing_is_not_asked_about(alice, signed_in):
    client = signed_in(alice)
    form = loaded(client, RETENTION)
    assert client.post(RETENTION, form | {"retention_events_days": "30"}).status_code == 302
    assert client.post(RETENTION, loaded(client, RETENTION) | {"retention_events_days": "300"}).status_code == 302
    assert value("retention_events_days") == 300


def test_the_page_tells_how_much_of_each_kind_there_is_and_what_the_last_run_removed(alice, signed_in):
    client = signed_in(alice)
    assert "not measured" in client.get(RETENTION).content.decode()
    old_error(100)
    old_error(3)
    page = client.post("/settings/retention/run/", follow=True).content.decode()
    assert "The run begins" in page
    run_due_jobs()
    page = client.get("/settings/retention/run/").content.decode()
    assert "1 event removed" in page
    assert "nothing was too old" in page
    assert "Next run" in page
    assert {held.rows for held in Holding.objects.filter(kind="errors")} == {1}
    assert len(audit.entries(action="operate:retention:started").rows) == 1


def test_the_pages_cost_few_queries_and_little_to_send(alice, signed_in, django_assert_max_num_queries):
    client = signed_in(alice)
    retention.run_now()
    run_due_jobs()
    for page in SECTIONS:
        with django_assert_max_num_queries(12):
            assert len(client.get(reverse(page.url_name)).content) < 60_000


@pytest.fixture
def mail_server(monkeypatch, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr(conf, "_current", conf.load({"DAYTWO_MAIL_URL": "smtp://127.0.0.1:1"}))


def test_a_test_mail_goes_to_who_asked_and_the_page_says_how_it_went(alice, signed_in, mail_server):
    client = signed_in(alice)
    assert "No test mail was sent yet" in client.get("/settings/mail/").content.decode()
    assert "is being sent" in client.post("/settings/mail/test/", follow=True).content.decode()
    run_due_jobs(tick=False)
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]
    page = client.get("/settings/mail/test/").content.decode()
    assert "The mail server took a mail for alice@example.com" in page
    assert "is being sent" not in page


def test_a_test_mail_that_fails_says_what_the_server_said(alice, signed_in, mail_server, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client = signed_in(alice)
    client.post("/settings/mail/test/")
    run_due_jobs(tick=False)
    page = client.get("/settings/mail/test/").content.decode()
    assert "The mail server did not take it" in page
    assert "ConnectionRefusedError" in page
    assert not Job.objects.filter(kind="operate.send_test").exists()


def test_without_a_mail_server_there_is_nothing_to_send_with(alice, signed_in):
    client = signed_in(alice)
    page = client.get("/settings/mail/").content.decode()
    assert "No mail is sent" in page
    assert "Send a test mail" not in page
    assert "no mail server is configured" in client.post("/settings/mail/test/", follow=True).content.decode()
    assert not Job.objects.exists()
