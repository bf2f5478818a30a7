"""What the search boxes above jobs, facts and the audit log understand."""

import csv
import io
import json

import make
import pytest
import time_machine
from django.db import transaction
from rooms.errors import happen

from daytwo_server.core import audit, clock, facts
from daytwo_server.core.models import Fact, Job
from daytwo_server.core.ref import Ref
from daytwo_server.errors import services as errors
from daytwo_server.errors.facts import IssueOpened

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
JOBS, FACTS, AUDIT = "/settings/jobs/", "/settings/facts/", "/settings/audit/"
REACTION = "daytwo_server.wiring.customers_to_errors.forget_the_events"


@pytest.fixture
def alices(alice, signed_in):
    return signed_in(alice)


def job(kind, args, *, error="", state="dead"):
    text = json.dumps(args, separators=(",", ":"))
    return Job.objects.create(kind=kind, args=text, error=error, state=state, run_at=clock.now(), max_attempts=3)


@pytest.fixture
def letters(db):
    return [
        job("tests.mail", {"token": "hush-hush"}, error="ConnectionRefusedError: smtp.example.com"),
        job("tests.prune", {}, error="TimeoutError"),
        job("core.react", {"fact": 12, "reaction": REACTION}, error="IntegrityError"),
        job("core.react", {"fact": 123, "reaction": "daytwo_server.wiring.x.tell"}),
    ]


@pytest.mark.parametrize(
    ("search_text", "found"),
    [("kind:tests.mail", [0]), ("kind:tests.*", [0, 1]), ("!kind:core.react", [0, 1]), ("fact:12", [2]),
     ("connectionrefused SMTP", [0]), ("timeout", [1]), ("forget events", [2]), ("hush", []), ("kind:none", [])],
)  # fmt: skip
def test_jobs_are_found_by_terms_and_words_and_not_by_secrets(alices, letters, search_text, found):
    page = alices.get(JOBS, {"q": search_text})
    assert sorted(letters.index(row["job"]) for row in page.context["rows"]) == found
    assert found or "No job like that" in page.text


def test_a_search_stays_within_its_state_and_its_kind(alices, letters):
    job("tests.mail", {}, state="ready")
    assert len(alices.get(f"{JOBS}?state=waiting&q=kind:tests.*").context["rows"]) == 1
    assert [row["job"] for row in alices.get(f"{JOBS}?kind=tests.prune&q=timeout").context["rows"]] == [letters[1]]
    assert alices.get(f"{JOBS}?kind=tests.prune&q=smtp").context["rows"] == []


def test_all_that_match_is_never_more_than_was_searched_for(alices, letters):
    for n in range(60):
        job("tests.mail", {"n": n}, error="OSError")
    assert "All 64 that match" in alices.get(JOBS).text
    page = alices.get(f"{JOBS}?q=OSError")
    assert page.context["older"]
    assert "that match" not in page.text
    answer = alices.post(f"{JOBS}?q=OSError", {"do": "discard", "every": clock.now().isoformat()}, follow=True)
    assert "A search cannot be meant as a whole" in answer.text
    assert Job.objects.filter(state="dead").count() == 64


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [(JOBS, "q=fact:x", "x is no number of a fact"), (JOBS, "q=state:dead", "There is no filter state: here; use kind:"),
     (FACTS, "q=is:odd", "use is:failed or is:pending"), (FACTS, "q=object:7", "write it like issue:7"),
     (FACTS, "q=since:monday", "monday is no day"), (AUDIT, "q=actor:bob", "bob is nobody here"),
     (AUDIT, "q=actor:ghost@example.com", "is nobody here"), (AUDIT, "q=object:7", "write it like issue:7"),
     (AUDIT, "q=verb:resolved", "There is no filter verb: here; use actor:")],
)  # fmt: skip
def test_what_does_not_exist_is_explained(alices, path, query, words):
    page = alices.get(f"{path}?{query}")
    assert page.status_code == 400
    assert words in page.text
    assert f'href="{path}"' in page.text


# ---- Facts ----


@pytest.fixture
def told(db):
    with transaction.atomic():
        for number in (7, 70):
            facts.record(IssueOpened(issue=number, project=1, level="error"))
    Fact.objects.create(name="CustomerErased", data='{"customer":7}')
    seven, seventy, erased = Fact.objects.order_by("pk")
    Job.objects.all().delete()
    job("core.react", {"fact": seven.pk, "reaction": REACTION})
    job("core.react", {"fact": erased.pk, "reaction": REACTION}, state="ready")
    return seven, seventy, erased


@pytest.mark.parametrize(
    ("search_text", "found"),
    [("object:issue:7", [0]), ("object:customer:7", [2]), ("name:Issue*", [0, 1]), ("name:CustomerErased", [2]),
     ("issue opened", [0, 1]), ("erased", [2]), ("is:failed", [0]), ("is:pending", [2]), ("!is:failed issue", [1]),
     ("until:2020-01-01", []), ("nothing", [])],
)  # fmt: skip
def test_facts_are_found_by_terms_and_words(alices, told, search_text, found):
    page = alices.get(FACTS, {"q": search_text})
    assert sorted(told.index(row["fact"]) for row in page.context["rows"]) == found
    assert found or "No fact like that" in page.text


# ---- The audit log ----


@pytest.fixture
def history(alice, bob):
    issue = happen.issue(make.project("Shop"), "KeyError", "'vat_id'")
    with time_machine.travel(make.moment("2026-11-01T12:00:00"), tick=False):
        errors.resolve([issue.pk], actor=bob)
    with time_machine.travel(make.moment("2026-11-02T12:00:00"), tick=False):
        audit.record("accounts:member:removed", actor=alice, ref=Ref("user", bob.pk))
    with time_machine.travel(make.moment("2026-11-03T12:00:00"), tick=False):
        audit.record("core:facts:pruned", actor=None)
    return issue


@pytest.mark.parametrize(
    ("search_text", "found"),
    [("actor:bob@example.com", "r"), ("actor:me", "m"), ("by:me", "m"), ("actor:system", "p"), ("!actor:me", "pr"),
     ("action:errors:*", "r"), ("action:errors:", "r"), ("action:accounts:member:removed", "m"), ("resolved", "r"),
     ("bob resolved", "r"), ("alice resolved", ""), ("vat_id", "r"), ("removed bob", "m"),
     ("since:2026-11-02", "mp"), ("until:2026-11-01", "r"), ("object:issue:{issue}", "r"), ("nothing", "")],
)  # fmt: skip
def test_audit_entries_are_found_by_terms_and_words(alices, bob, history, search_text, found):
    from daytwo_server.core import search

    search.refresh("user", [bob.pk])
    page = alices.get(AUDIT, {"q": search_text.format(issue=history.pk)})
    letters = {"resolved": "r", "removed": "m", "pruned": "p"}
    shown = (letters.get(line.entry.action.rpartition(":")[2], "") for line in page.context["lines"])
    assert "".join(sorted(shown)) == "".join(sorted(found))


def test_what_a_search_shows_can_be_taken_along(alices, history):
    page = alices.get(f"{AUDIT}?q=bob+resolved")
    (_, url), _ = page.context["files"]
    rows = list(csv.DictReader(io.StringIO(alices.get(url).getvalue().decode())))
    assert [(row["actor"], row["action"]) for row in rows] == [("Bob", "errors:issue:resolved")]


@pytest.mark.parametrize("path", [JOBS, FACTS, AUDIT])
def test_a_search_is_kept_as_a_tab(alices, letters, path):
    page = path.split("/")[2]
    alices.post("/views/", {"page": page, "query": "q=mine", "name": "Mine", "next": path})
    assert f'href="{path}?q=mine">Mine' in alices.get(path).text
    assert f'href="{path}?q=mine" aria-current="page">Mine' in alices.get(f"{path}?q=mine").text


@pytest.mark.parametrize("path", [JOBS, FACTS, AUDIT])
@pytest.mark.parametrize("value", ["%00", "%ED%A0%80", "'", "%25", "🙈", "a" * 3000, '"', " ".join("ab" * 90)])
def test_no_search_breaks_a_list(alices, letters, path, value):
    assert alices.get(f"{path}?q={value}").status_code in {200, 400}
