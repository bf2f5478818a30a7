"""What happened, and what became of the reactions to it."""

from dataclasses import dataclass

import make
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

from daytwo_server.core import clock, facts, jobs
from daytwo_server.core.models import Fact, Job

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

FACTS = "/settings/facts/"
down = False


@facts.fact
@dataclass(frozen=True)
class ShipSank:
    """For tests of this page."""

    ship: str
    issue: int = 0


@facts.reaction(ShipSank)
def tell_the_owner(fact: ShipSank) -> None:
    if down:
        raise RuntimeError("the line is dead")


@facts.reaction(ShipSank)
def launch_boats(fact: ShipSank) -> None:
    pass


@pytest.fixture
def bobs(bob, signed_in):
    return signed_in(bob)


def happened(**values):
    with transaction.atomic():
        facts.record(ShipSank(**{"ship": "Vasa", **values}))
    return Fact.objects.latest("pk")


def row_of(page, fact):
    return page.partition(f'<tr id="fact-{fact.pk}">')[2].partition("</tr>")[0]


def test_a_fact_is_told_with_its_data_and_objects_by_their_titles(bobs):
    issue = happen.issue(make.project("Shop"), "KeyError")
    fact = happened(issue=issue.pk)
    row = row_of(bobs.get(FACTS).text, fact)
    assert "Ship sank" in row
    assert "ship Vasa" in row
    assert f'href="/errors/{issue.pk}"' in row
    assert "KeyError" in row


def test_a_reaction_is_pending_then_done(bobs):
    fact = happened()
    row = row_of(bobs.get(FACTS).text, fact)
    assert row.count("Pending") == 2
    assert "Tell the owner" in row
    jobs.run_due_jobs(tick=False)
    assert row_of(bobs.get(FACTS).text, fact).count("Done") == 2


def test_a_reaction_that_failed_leads_to_its_dead_letter(bobs, monkeypatch):
    monkeypatch.setitem(globals(), "down", True)
    fact = happened()
    jobs.run_due_jobs(tick=False)
    Job.objects.filter(kind="core.react").update(attempts=9, run_at=clock.now())
    jobs.run_due_jobs(tick=False)
    dead = Job.objects.get(state="dead")
    row = row_of(bobs.get(FACTS).text, fact)
    assert "Failed" in row
    assert "Done" in row
    assert f'href="/settings/jobs/{dead.pk}/"' in row
    jobs.discard(dead.pk)
    assert "Discarded" in row_of(bobs.get(FACTS).text, fact)


@pytest.mark.parametrize(
    ("name", "data"),
    [("BillingRan", '{"month": "2026-10", "lines": [1, {"a": null}]}'), ("ShipSank", '{"hull": 3}'), ("Odd", "[1, 2]"),
     ("Broken", "{nothing"), ("ShipSank", '{"ship": "Vasa", "issue": "no number"}'), ("Odd", '{"issue": true}'),
     ("Odd", '{"issue": 99999999999999999999}')],
)  # fmt: skip
def test_a_fact_that_this_version_cannot_read_is_shown_all_the_same(bobs, name, data):
    fact = Fact.objects.create(name=name, data=data)
    row = row_of(bobs.get(FACTS).text, fact)
    assert "From another version" in row
    assert bobs.get(f"{FACTS}?name={name}").text.count('<tr id="fact-') == 1, "and can be asked for"


def test_what_an_earlier_version_did_not_note_is_not_made_up(bobs):
    fact = happened()
    Fact.objects.update(reactions=None)
    jobs.run_due_jobs(tick=False)
    row = row_of(bobs.get(FACTS).text, fact)
    assert "Done" not in row
    assert "not noted" in row


def test_facts_are_found_by_name_number_and_day(bobs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: make.moment("2026-11-01T23:30:00"))
        old = happened()
    new = happened()
    Fact.objects.create(name="Other", data="{}")
    shown = {
        query: [fact.pk for fact in (old, new) if f'"fact-{fact.pk}"' in bobs.get(FACTS + query).text]
        for query in ("?name=ShipSank", "?name=Other", "?since=2026-11-01&until=2026-11-01", "?since=2026-11-02",
                      "?until=2026-10-31", f"?fact={new.pk}")
    }  # fmt: skip
    assert list(shown.values()) == [[old.pk, new.pk], [], [old.pk], [new.pk], [], [new.pk]]


@pytest.mark.parametrize("query", ["?since=tomorrow", "?until=9999-12-31", "?fact=x", "?cursor=x"])
def test_an_address_that_means_nothing_is_refused_with_a_way_back(bobs, query):
    answer = bobs.get(FACTS + query)
    assert answer.status_code == 400
    assert f'href="{FACTS}"' in answer.text


def test_nothing_yet_says_what_will_be_here(bobs):
    assert "Nothing has happened yet" in bobs.get(FACTS).text
    assert "No fact like that" in bobs.get(f"{FACTS}?name=ShipSank").text


def test_many_facts_cost_no_more_queries_than_few(bobs):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            page = bobs.get(FACTS).text
        return len(captured), len(page)

    shop = make.project("Shop")
    happened(issue=happen.issue(shop, "First").pk)
    few, _ = cost()
    for n in range(70):
        happened(ship=f"Ship {n}", issue=happen.issue(shop, f"Bug{n}").pk)
    many, size = cost()
    assert many == few
    assert size < 60_000
