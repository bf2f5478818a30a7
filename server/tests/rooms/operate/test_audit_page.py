"""The audit log in words: who changed what, found and taken along."""

import csv
import io
import json
import re
from pathlib import Path

import make
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

import daytwo_server
from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.core import audit, clock
from daytwo_server.core.models import AuditEntry
from daytwo_server.core.ref import Ref
from daytwo_server.errors import services as errors
from daytwo_server.operate.web.audit.lines import changes

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

AUDIT = "/settings/audit/"


@pytest.fixture
def alices(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def shop(db):
    return make.project("Shop")


def words(page):
    """The lines of the log as plain text."""
    rows = page.partition("<tbody data-rows")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    plain = [row.partition("<p>")[2].partition("</p>")[0] for row in rows]
    return [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in plain]


def test_an_entry_is_a_sentence_with_names_and_a_link(alices, bob, shop):
    issue = happen.issue(shop, "KeyError", "boom")
    errors.resolve([issue.pk], actor=bob)
    page = alices.get(AUDIT).text
    assert words(page) == ["Bob resolved issue KeyError: boom"]
    assert f'href="/errors/{issue.pk}"' in page
    assert "<del>status: unresolved</del><ins>status: resolved</ins>" in page


def test_the_system_tokens_and_people_who_left_are_named(alices, shop):
    gone = make.member("Gone", role=Membership.Role.ENGINEER)
    audit.record("errors:issue:resolved", actor=gone)
    left = gone.pk
    gone.delete()
    audit.record("core:facts:pruned", actor=None)
    make.token(None)
    audit.record("catalog:project:created", actor=ApiToken.objects.get(), ref=Ref("project", shop.pk))
    assert words(alices.get(AUDIT).text) == [
        "Script created project Shop", "Daytwo itself pruned facts", f"user {left} resolved issue",
    ]  # fmt: skip


def test_an_object_that_is_not_the_subject_stands_after_a_colon(alices, alice):
    audit.record("accounts:profile:changed", actor=alice, ref=Ref("user", alice.pk))
    audit.record("status:big_thing:set_up", actor=alice, ref=Ref("big_thing", 4))
    assert words(alices.get(AUDIT).text) == ["Alice set up big thing big_thing 4", "Alice changed profile: Alice"]


def test_a_room_can_choose_its_own_words(alices, alice, monkeypatch):
    monkeypatch.setattr(audit, "_wordings", {})
    audit.wording("tests:ship:sunk", "sank the {} at sea")
    audit.record("tests:ship:sunk", actor=alice, ref=Ref("ship", 3))
    assert words(alices.get(AUDIT).text) == ["Alice sank the ship 3 at sea"]


def test_a_difference_is_told_field_by_field():
    told = changes('{"a": 1, "same": 2, "off": "x"}', '{"a": [1], "same": 2, "on_time": true}')
    assert [(one.field, one.before, one.after) for one in told] == [
        ("a", "1", "[1]"), ("off", "x", None), ("on time", None, "true"),
    ]  # fmt: skip
    assert [(one.field, one.before, one.after) for one in changes("", '"x"')] == [("value", None, "x")]
    assert changes('{"a": null}', "") == [type(told[0])("a", "none", None)]
    assert changes("", "") == []


def test_what_somebody_named_cannot_run_here(alices, alice, shop):
    issue = happen.issue(shop, "<script>alert(1)</script>")
    audit.record("errors:issue:named", actor=alice, ref=Ref("issue", issue.pk), after={"<b>": "<i>"})
    page = alices.get(AUDIT).text
    assert "<script>alert" not in page
    assert "<ins>&lt;b&gt;: &lt;i&gt;</ins>" in page


@pytest.fixture
def history(alice, bob, shop):
    """Three entries: Bob's on the first, Alice's on the second day and the system's on the third."""
    issue = happen.issue(shop, "KeyError")
    with time_machine.travel(make.moment("2026-11-01T23:30:00"), tick=False):
        audit.record("errors:issue:resolved", actor=bob, ref=Ref("issue", issue.pk))
    with time_machine.travel(make.moment("2026-11-02T00:30:00"), tick=False):
        audit.record("errors:issue:ignored", actor=alice, ref=Ref("issue", issue.pk))
    with time_machine.travel(make.moment("2026-11-03T12:00:00"), tick=False):
        audit.record("core:facts:pruned", actor=None)
    return {"issue": issue.pk, "alice": alice.pk, "bob": bob.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [("", "pri"), ("?actor=user:{bob}", "r"), ("?actor=system", "p"), ("?action=errors:", "ri"),
     ("?action=errors:issue:ignored", "i"), ("?action=errors:issue", ""), ("?object=issue:{issue}", "ri"),
     ("?since=2026-11-02", "pi"), ("?until=2026-11-01", "r"), ("?since=2026-11-02&until=2026-11-02", "i"),
     ("?object=issue:{issue}&actor=user:{alice}", "i"), ("?object=ship:7", "")],
)  # fmt: skip
def test_the_log_is_narrowed_by_actor_action_object_and_day(alices, history, query, found):
    page = alices.get(AUDIT + query.format(**history)).text
    verbs = {"r": "resolved issue", "i": "ignored issue", "p": "pruned facts"}
    assert "".join(sorted(key for key in verbs for line in words(page) if verbs[key] in line)) == "".join(sorted(found))
    assert found or "No entry like that" in page


def test_days_are_those_of_the_viewer(alices, alice, history):
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")  # where both were on the morning of the second
    assert len(words(alices.get(f"{AUDIT}?since=2026-11-02&until=2026-11-02").text)) == 2


def test_filters_in_force_are_told_in_words_and_lifted_one_by_one(alices, history):
    page = alices.get(f"{AUDIT}?actor=user:{history['bob']}&object=issue:{history['issue']}&action=errors:").text
    chips = page.partition('aria-label="Filters"')[2].partition("</div>")[0]
    assert "<b>Who</b> is Bob" in chips
    assert "<b>Object</b> is KeyError" in chips
    assert "<b>What</b> is everything in errors" in chips
    assert f'href="{AUDIT}?actor=user%3A{history["bob"]}&amp;action=errors%3A"' in chips


@pytest.mark.parametrize("query", ["?actor=bob", "?object=issue", "?object=:7", "?since=soon", "?cursor=x"])
def test_an_address_that_means_nothing_is_refused_with_a_way_back(alices, query):
    for path in (AUDIT, f"{AUDIT}export.csv"):
        answer = alices.get(path + query)
        assert answer.status_code == (400 if "cursor" not in query or path == AUDIT else 200)
        assert answer.status_code == 200 or f'href="{path}"' in answer.text


@pytest.mark.parametrize("query", ["?object=issue:seven", "?object=issue:99999999999999999999", "?object=issue:%00"])
def test_an_object_that_cannot_be_is_not_found(alices, query):
    assert alices.get(AUDIT + query).status_code in {200, 400}


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_what_is_shown_can_be_taken_along_as_csv(alices, history):
    answer = alices.get(f"{AUDIT}export.csv?action=errors:")
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    ignored, resolved = rows_of(answer)
    assert resolved == {
        "at": "2026-11-01T23:30:00+00:00", "actor_kind": "user", "actor_id": str(history["bob"]), "actor": "Bob",
        "action": "errors:issue:resolved", "said": "resolved issue KeyError: 'vat_id'", "object_kind": "issue",
        "object_id": str(history["issue"]), "object": "KeyError: 'vat_id'", "before": "", "after": "", "ip": "",
    }  # fmt: skip
    assert ignored["actor"] == "Alice"


def test_a_spreadsheet_runs_nothing_of_it(alices, alice, shop):
    for n, name in enumerate(("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain")):
        project = make.project(name, slug=f"p{n}")
        audit.record("catalog:project:created", actor=alice, ref=Ref("project", project.pk))
    objects = [row["object"] for row in rows_of(alices.get(f"{AUDIT}export.csv"))]
    assert objects == ["plain", "'\tx", "'@SUM(A1)", "'-1", "'+1", "'=1+1"]


def test_programs_take_json_with_one_object_a_line(alices, bob, shop):
    errors.resolve([happen.issue(shop, "KeyError").pk], actor=bob)
    [line] = alices.get(f"{AUDIT}export.jsonl").getvalue().decode().splitlines()
    entry = json.loads(line)
    assert (entry["before"], entry["after"]) == ({"status": "unresolved"}, {"status": "resolved"})
    assert entry["actor"] == "Bob"


def test_a_long_log_is_written_in_pieces_with_few_queries(alices, alice):
    now = clock.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(at=now, actor_kind="user", actor_id=str(alice.pk), action="tests:ship:sunk") for _ in range(5000)
    )
    answer = alices.get(f"{AUDIT}export.jsonl")
    with CaptureQueriesContext(connection) as captured:
        pieces = list(answer.streaming_content)
    assert len(pieces) == 5
    assert sum(piece.count(b"\n") for piece in pieces) == 5000
    assert len(captured) == 10, "for each piece the entries and the people"


def test_a_long_log_costs_what_a_short_one_does(alices, alice, bob, shop):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            page = alices.get(AUDIT).text
        return len(captured), len(page)

    one = happen.issue(shop, "First")
    errors.resolve([one.pk], actor=bob)
    audit.record("catalog:project:created", actor=alice, ref=Ref("project", shop.pk))
    few, _ = cost()
    for n in range(70):
        errors.resolve([happen.issue(shop, f"Bug{n}", "x" * 80).pk], actor=(alice, bob)[n % 2])
        audit.record("catalog:project:created", actor=alice, ref=Ref("project", make.project().pk))
    many, size = cost()
    assert many == few
    assert size < 60_000


def test_objects_lead_to_their_history_for_those_who_may_read_it(alices, bob, signed_in, shop):
    issue = happen.issue(shop, "KeyError")
    customer = make.dana()
    pages = {
        f"/errors/{issue.pk}": f"issue:{issue.pk}",
        f"/projects/{shop.slug}/": f"project:{shop.pk}",
        f"/customers/{customer.pk}/": f"customer:{customer.pk}",
    }
    for path, object_ in pages.items():
        assert f'href="{AUDIT}?object={object_}"' in alices.get(path).text, path
        assert AUDIT not in signed_in(bob).get(path).text, path


def test_only_owners_and_admins_read_it(signed_in, bob):
    answer = signed_in(bob).get(AUDIT)
    assert answer.status_code == 403
    assert "Owner or Admin" in answer.text
    assert signed_in(bob).get(f"{AUDIT}export.csv").status_code == 403
    assert AUDIT not in signed_in(bob).get("/settings/").text


def test_every_action_of_the_code_reads_as_a_sentence():
    """Whatever rooms record, no entry is shown as a bare code."""
    source = "".join(path.read_text() for path in Path(daytwo_server.__file__).parent.rglob("*.py"))
    actions = set(re.findall(r'audit\.record\(\s*"([a-z_]+:[a-z_]+:[a-z_]+)"', source))
    assert len(actions) > 5
    for action in actions:
        said = audit.sentence(action)[0]
        assert said, action
        assert not set(said) & {"_", ":"}, action
