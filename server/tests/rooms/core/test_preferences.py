import dataclasses
import threading

import make
import pytest
from django.db import connection, connections

from daytwo_server.core import audit, conf, live, preferences
from daytwo_server.core.models import Setting
from daytwo_server.core.preferences import Origin

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make.alice()


@pytest.fixture
def bob():
    return make.bob()


def change(actor, /, versions=None, **values):
    return preferences.change(values, versions=versions or {}, actor=actor)


def look():
    """As a process that has not looked for a second."""
    preferences._cache.next_look = 0.0
    return preferences.current()


def test_a_page_overrules_the_default_and_the_environment_overrules_the_page(alice, monkeypatch):
    assert preferences.current().ingest_rate == 2000
    change(alice, ingest_rate="500", scrub_keys="iban, tax id")
    assert (preferences.current().ingest_rate, preferences.current().scrub_keys) == (500, ("iban", "tax id"))
    given = conf.load({"DAYTWO_INGEST_RATE": "70"})
    monkeypatch.setattr(conf, "_current", given)
    assert (preferences.current().ingest_rate, preferences.current().scrub_keys) == (70, ("iban", "tax id"))
    found = preferences.sources()
    assert (found["ingest_rate"].origin, found["ingest_rate"].value) == (Origin.ENVIRONMENT, 70)
    assert (found["scrub_keys"].origin, found["scrub_keys"].by) == (Origin.PAGE, alice.pk)
    assert found["ingest_burst"] == preferences.Source("ingest_burst", 60_000, Origin.DEFAULT)


def test_a_setting_goes_back_to_its_default_and_its_version_goes_on(alice):
    change(alice, ingest_rate="500")
    change(alice, {"ingest_rate": 1}, ingest_rate="")
    source = preferences.sources()["ingest_rate"]
    assert (source.value, source.origin, source.version) == (2000, Origin.DEFAULT, 2)
    assert preferences.current().ingest_rate == 2000


def test_a_wrong_value_is_refused_in_the_words_of_the_environment_and_nothing_is_written(alice, monkeypatch):
    monkeypatch.setattr(conf, "_current", conf.load({"LOG_LEVEL": "error"}))
    with pytest.raises(preferences.Refused) as caught:
        change(alice, ingest_rate="many", ingest_burst="5", log_level="debug", web_threads="9", mail_url="smtp://x:25")
    assert caught.value.problems == {
        "ingest_rate": "Give a whole number from 1 to 1000000.",
        "log_level": "This is set by LOG_LEVEL in the environment, which overrules the page.",
        "mail_url": "This is set by DAYTWO_MAIL_URL in the environment only.",
        "web_threads": "This is set by DAYTWO_WEB_THREADS in the environment only.",
    }
    assert not Setting.objects.exists()


def test_what_no_store_can_keep_is_refused(alice):
    for text in ("iban\x00", "iban\nsecret"):
        with pytest.raises(preferences.Refused):
            change(alice, scrub_keys=text)


def test_the_second_editor_is_told_what_the_first_one_did_and_changes_nothing(alice, bob):
    change(alice, ingest_rate="500")
    with pytest.raises(preferences.Conflict) as caught:
        change(bob, {"ingest_rate": 0, "ingest_burst": 0}, ingest_rate="900", ingest_burst="10")
    (now,) = caught.value.now.values()
    assert (now.name, now.value, now.by, now.version) == ("ingest_rate", 500, alice.pk, 1)
    assert preferences.sources()["ingest_burst"].origin == Origin.DEFAULT
    change(bob, {"ingest_rate": now.version}, ingest_rate="900", ingest_burst="10")
    assert (look().ingest_rate, look().ingest_burst) == (900, 10)


def test_who_changes_what_nobody_else_did_or_to_the_same_meets_no_conflict(alice, bob):
    change(alice, ingest_rate="500")
    assert change(bob, ingest_rate="500") == {}
    assert list(change(bob, ingest_burst="10")) == ["ingest_burst"]


def test_every_change_is_in_the_audit_log_once_with_before_and_after(alice):
    change(alice, scrub_keys="iban,  tax id", log_level="DEBUG")
    change(alice, scrub_keys="iban, tax id")
    told = [(entry.ref_id, entry.actor_id, entry.before, entry.after) for entry in audit.entries().rows]
    assert sorted(told) == [
        ("log_level", str(alice.pk), '{"log_level":"info"}', '{"log_level":"debug"}'),
        ("scrub_keys", str(alice.pk), '{"scrub_keys":""}', '{"scrub_keys":"iban, tax id"}'),
    ]
    assert live.versions([preferences.TOPIC])


def test_no_secret_can_be_a_setting_of_a_page():
    assert [name for name, field in conf.fields().items() if field.metadata["secret"] and field.metadata["page"]] == []
    with pytest.raises(ValueError, match="DAYTWO_X is a secret"):
        conf.settings._setting("DAYTWO_X", "Mail", "A password.", "", secret=True, page="Password")


def test_asking_costs_one_query_a_second_at_most(alice, django_assert_num_queries):
    preferences.reset()
    with django_assert_num_queries(1):
        first = preferences.current()
        assert all(preferences.current() is first for _ in range(1000))
    preferences._cache.next_look = 0.0
    with django_assert_num_queries(1):
        assert preferences.current() is first


def test_a_value_that_this_version_does_not_take_leaves_the_default(alice):
    Setting.objects.create(name="log_level", value="shouting")
    Setting.objects.create(name="of_a_later_version", value="1")
    assert look().log_level == "info"
    assert preferences.sources()["log_level"].origin == Origin.DEFAULT


@pytest.mark.django_db(transaction=True)
def test_without_the_store_the_last_known_settings_hold(alice):
    change(alice, ingest_rate="500")
    assert look().ingest_rate == 500
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_setting RENAME TO core_setting_away")
        try:
            assert look().ingest_rate == 500
            preferences.reset()
            assert preferences.current().ingest_rate == 2000
        finally:
            cursor.execute("ALTER TABLE core_setting_away RENAME TO core_setting")
    assert look().ingest_rate == 500


@pytest.mark.django_db(transaction=True)
def test_of_many_who_save_at_once_one_wins_and_the_others_are_told(alice):
    won, lost = [], []
    gate = threading.Barrier(4)

    def save(value):
        gate.wait()
        try:
            change(alice, ingest_rate=value)
            won.append(value)
        except preferences.Conflict:
            lost.append(value)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=[str(n)]) for n in range(101, 105)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 3)
    assert preferences.sources()["ingest_rate"].value == int(won[0])
    assert len(audit.entries().rows) == 1


def test_replaced_settings_of_the_process_are_seen_at_once(monkeypatch):
    preferences.current()
    monkeypatch.setattr(conf, "_current", dataclasses.replace(conf.current(), min_free_disk_mb=7))
    assert preferences.current().min_free_disk_mb == 7
