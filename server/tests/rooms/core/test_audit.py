"""The audit log: written with the change, never rewritten, without secrets."""

import datetime as dt
import json

import pytest
import time_machine
from django.db import transaction

from daytwo_server.core import audit
from daytwo_server.core.models import AuditEntry, Topic
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.ref import Ref

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def person():
    """Any row can act; this one says what kind of actor it is. No model of its own: the migrations would lack it."""
    row = Topic(name="9", version=1)
    row.actor_kind = "user"
    return row


def test_an_entry_tells_who_did_what_to_which_object():
    audit.record(
        "flags:rule:changed", actor=person(), ref=Ref("flag", 7, "checkout", "/flags/7"),
        before={"percent": 10}, after={"percent": 25}, ip="192.0.2.1",
    )  # fmt: skip
    [entry] = audit.entries().rows
    assert (entry.actor_kind, entry.actor_id, entry.action) == ("user", "9", "flags:rule:changed")
    assert (entry.ref_kind, entry.ref_id, entry.ip) == ("flag", "7", "192.0.2.1")
    assert (json.loads(entry.before), json.loads(entry.after)) == ({"percent": 10}, {"percent": 25})


def test_an_actor_without_a_kind_is_named_after_its_model_and_nobody_is_the_system():
    audit.record("core:topic:moved", actor=Topic(name="a", version=1))
    audit.record("core:facts:pruned", actor=None)
    assert [(entry.actor_kind, entry.actor_id) for entry in audit.entries().rows] == [("system", ""), ("topic", "a")]


def test_an_entry_goes_with_the_change_it_tells_of():
    def change():
        with transaction.atomic():
            audit.record("flags:flag:deleted", actor=None)
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert audit.entries().rows == []


def test_an_entry_cannot_be_changed_or_deleted():
    audit.record("flags:flag:deleted", actor=None)
    entry = AuditEntry.objects.get()
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(action="nothing:to:see"),
        lambda: AuditEntry.objects.bulk_update([entry], ["action"]),
    ):
        with pytest.raises(audit.AppendOnlyError):
            attempt()


def test_secrets_are_masked_by_their_names_and_long_texts_cut():
    audit.record(
        "channels:slack:changed", actor=None,
        before={"api_key": "k-123", "nested": [{"smtpPassword": "hunter2", "flag_key": "checkout"}]},
        after={"X-Auth-Token": "t-123", "note": "x" * 500, "keys": {"signing_secret": {"v": 1}}},
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert json.loads(entry.before) == {
        "api_key": "[removed]",
        "nested": [{"smtpPassword": "[removed]", "flag_key": "checkout"}],
    }
    assert json.loads(entry.after) == {
        "X-Auth-Token": "[removed]",
        "note": "x" * 200 + "…",
        "keys": {"signing_secret": "[removed]"},
    }


def test_entries_are_filtered_and_paged_newest_first():
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(5):
            audit.record(f"flags:rule:{number}", actor=None, ref=Ref("flag", number % 2))
            clock.shift(60)
        audit.record("tickets:ticket:opened", actor=person())

    def actions(**wanted):
        return [entry.action.rpartition(":")[2] for entry in audit.entries(**wanted).rows]

    assert actions(action="flags:") == ["4", "3", "2", "1", "0"]
    assert actions(ref=Ref("flag", 1)) == ["3", "1"]
    assert actions(actor_kind="user", actor_id=9) == ["opened"]
    minute = dt.timedelta(minutes=1)
    assert actions(since=NOON + minute, until=NOON + 3 * minute) == ["2", "1"]
    first = audit.entries(action="flags:", limit=2)
    assert actions(action="flags:", limit=2, cursor=first.next) == ["2", "1"]
    with pytest.raises(BadCursor):
        audit.entries(cursor="nonsense")
