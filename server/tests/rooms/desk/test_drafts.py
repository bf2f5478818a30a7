"""Drafts: text that is being written stays with its writer, on every device, until it is sent."""

import make
import pytest
from django.test import Client

from daytwo_server.desk import selectors, services
from daytwo_server.desk.jobs import prune
from daytwo_server.desk.models import Draft

pytestmark = pytest.mark.django_db

KEY = "errors.comment:7"


def put(client, text, version=0, key=KEY):
    return client.post("/drafts/", {"key": key, "text": text, "version": version})


def text_of(user):
    found = selectors.draft(user, KEY)
    return found.text if found else ""


def test_a_draft_is_kept_and_grows(bob, signed_in):
    client = signed_in(bob)
    assert put(client, "It is").json() == {"version": 1, "other": "", "sent": False}
    assert put(client, "It is the rate limit", 1).json() == {"version": 2, "other": "", "sent": False}
    assert text_of(bob) == "It is the rate limit"


def test_nobody_reads_the_draft_of_another(bob, signed_in):
    put(signed_in(bob), "Between us")
    alice = make.alice()
    assert text_of(alice) == ""
    assert put(signed_in(alice), "Mine").json() == {"version": 1, "other": "", "sent": False}
    assert (text_of(bob), text_of(alice)) == ("Between us", "Mine")


def test_of_two_devices_the_newest_wins_and_the_other_text_is_kept(bob, signed_in):
    laptop, phone = signed_in(bob), signed_in(bob)
    put(laptop, "from the laptop")
    put(phone, "from the laptop, on the phone", 1)
    answer = put(laptop, "from the laptop, later", 1).json()
    assert answer == {"version": 3, "other": "from the laptop, on the phone", "sent": False}
    assert text_of(bob) == "from the laptop, later"
    assert selectors.draft(bob, KEY).other == "from the laptop, on the phone"
    assert put(laptop, "from the laptop, later still", 3).json()["other"] == ""
    assert selectors.draft(bob, KEY).other == "from the laptop, on the phone"


def test_going_back_to_the_other_text_keeps_this_one(bob):
    services.save_draft(bob, KEY, "one", version=0)
    services.save_draft(bob, KEY, "two", version=0)
    services.save_draft(bob, KEY, "one", version=2)
    found = selectors.draft(bob, KEY)
    assert (found.text, found.other) == ("one", "two")


def test_the_same_text_on_two_devices_is_no_conflict(bob):
    services.save_draft(bob, KEY, "same", version=0)
    assert services.save_draft(bob, KEY, "same", version=0).other == ""


def test_a_save_that_was_on_its_way_while_the_text_was_sent_does_not_bring_it_back(bob):
    saved = services.save_draft(bob, KEY, "done", version=0)
    services.clear_draft(bob, KEY)
    late = services.save_draft(bob, KEY, "done", version=saved.version)
    assert late.sent
    assert text_of(bob) == ""
    services.save_draft(bob, KEY, "the next one", version=late.version)
    assert text_of(bob) == "the next one"


def test_not_even_the_first_save(bob):
    services.clear_draft(bob, KEY)
    assert services.save_draft(bob, KEY, "done", version=0).sent
    assert text_of(bob) == ""


def test_an_empty_text_throws_the_draft_away(bob):
    services.save_draft(bob, KEY, "words", version=0)
    services.save_draft(bob, KEY, " \n ", version=1)
    assert text_of(bob) == ""


def test_clearing_is_undone_with_the_transaction_that_sends(bob):
    from django.db import transaction

    services.save_draft(bob, KEY, "words", version=0)
    with transaction.atomic():
        services.clear_draft(bob, KEY)
        transaction.set_rollback(True)
    assert text_of(bob) == "words"


def test_what_is_too_long_is_refused_and_what_was_kept_stays(bob, signed_in):
    client = signed_in(bob)
    put(client, "short")
    answer = put(client, "x" * (services.MAX_DRAFT + 1), 1)
    assert (answer.status_code, answer.text) == (413, "More than 50,000 characters are not kept as a draft.")
    assert put(client, "x", key="k" * 101).status_code == 413
    assert text_of(bob) == "short"


@pytest.mark.parametrize(
    "values", [{}, {"key": "a"}, {"key": "a", "version": "x"}, {"key": "a", "version": "9" * 12}, {"version": "0"}]
)
def test_nonsense_is_refused(bob, signed_in, values):
    assert signed_in(bob).post("/drafts/", values).status_code == 400


def test_line_ends_and_impossible_characters_are_put_right(bob, signed_in):
    put(signed_in(bob), "one\r\ntwo\x00")
    assert text_of(bob) == "one\ntwo"


def test_a_person_keeps_at_most_two_hundred_drafts(bob):
    for number in range(203):
        services.save_draft(bob, f"key:{number}", "words", version=0)
    assert Draft.objects.filter(user=bob).count() == 200
    assert not Draft.objects.filter(key="key:2").exists()


def test_a_text_that_was_refused_stands_in_the_form_again(bob):
    services.keep_draft(bob, KEY, "first")
    assert text_of(bob) == "first"
    services.keep_draft(bob, KEY, "second")
    assert (text_of(bob), selectors.draft(bob, KEY).version) == ("second", 2)


def test_what_was_sent_goes_after_a_day_and_what_nobody_touches_after_half_a_year(bob, time_machine):
    time_machine.move_to("2026-01-01T00:00:00Z")
    services.save_draft(bob, "sent", "words", version=0)
    services.clear_draft(bob, "sent")
    services.save_draft(bob, "kept", "words", version=0)
    time_machine.move_to("2026-01-03T00:00:00Z")
    prune()
    assert list(Draft.objects.values_list("key", flat=True)) == ["kept"]
    time_machine.move_to("2026-07-10T00:00:00Z")
    prune()
    assert not Draft.objects.exists()


def test_a_form_without_its_token_saves_nothing(bob):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert put(client, "words").status_code == 403
    assert text_of(bob) == ""
