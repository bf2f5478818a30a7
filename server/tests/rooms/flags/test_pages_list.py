"""The list of flags: what is where, what has done its work, putting many away."""

from __future__ import annotations

import datetime as dt
import re

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.flags.flagged import found

from daytwo_server.core import clock
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import ExposureCount, Flag, State
from daytwo_server.flags.selectors import detail, listing
from daytwo_server.flags.services import killing, overrides

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

GUARD = Actor("guard")
LONG_AGO = dt.timedelta(days=40)


@pytest.fixture
def shop():
    return make.project("Shop")


@pytest.fixture
def owner(alice, signed_in):
    return signed_in(alice)


def aged(flag: Flag, *, asked: dt.timedelta | None = None) -> Flag:
    """As if nobody had touched it for forty days."""
    then = clock.now() - LONG_AGO
    Flag.objects.filter(pk=flag.pk).update(created_at=then)
    State.objects.filter(flag=flag).update(
        changed_at=then, last_asked_at=clock.now() - asked if asked is not None else None
    )
    return flag


def answered(flag: Flag, variant: str, count: int = 5) -> None:
    where = State.objects.get(flag=flag).environment
    minute = clock.now().replace(second=0, microsecond=0) - dt.timedelta(hours=2)
    ExposureCount.objects.create(
        environment=where,
        key=flag.key,
        minute=minute,
        revision=1,
        variant=variant,
        enabled=variant == "on",
        count=count,
    )


def keys(browser, query: str) -> list[str]:
    page = browser.get("/flags/", {"q": query})
    assert page.status_code == 200
    return [row["flag"].key for row in page.context["rows"]]


def test_a_row_says_what_a_flag_is_in_each_environment(owner, shop):
    for name in ("production", "staging", "development"):
        make.environment(shop, name, kind=name)
    make.flag(shop, "checkout", enabled=True, rolloutPercentage=25, tags=["billing"])
    make.flag(shop, "checkout", environment="staging", enabled=True, tags=["billing"])
    page = owner.get("/flags/")
    [row] = page.context["rows"]
    assert [(one["name"], one["text"]) for one in row["places"]] == [
        ("production", "25%"), ("staging", "on"), ("development", "off"),
    ]  # fmt: skip
    assert "#billing" in page.text


def test_a_killed_flag_says_so(owner, shop):
    saved = make.flag(shop, "checkout", enabled=True)
    killing.kill(saved.state, by=GUARD, reason="Errors")
    assert owner.get("/flags/").context["rows"][0]["places"][0]["text"] == "killed"
    assert keys(owner, "is:killed") == ["checkout"]
    assert keys(owner, "is:on") == []
    assert keys(owner, "is:off") == ["checkout"]


def test_flags_are_found_by_tag_kind_owner_and_words(owner, alice, shop):
    make.flag(shop, "checkout", tags=["Billing", "größe"], kind="ops", owner=alice.email, description="One page")
    make.flag(shop, "search", clientExposed=True)
    for query, expected in {
        "tag:billing": ["checkout"],
        "tag:größe": ["checkout"],
        "!tag:billing": ["search"],
        "kind:ops": ["checkout"],
        "owner:me": ["checkout"],
        "owner:none": ["search"],
        "is:exposed": ["search"],
        "page": ["checkout"],
        "type:string": [],
    }.items():
        assert (query, keys(owner, query)) == (query, expected)


def test_a_search_nobody_can_read_is_answered_in_words(owner):
    page = owner.get("/flags/", {"q": "is:odd"})
    assert page.status_code == 400
    assert "There is no is:odd" in page.text


def test_what_nobody_asks_for_any_more_is_stale_with_the_evidence(owner, shop):
    aged(make.flag(shop, "forgotten").flag)
    aged(make.flag(shop, "quiet").flag, asked=dt.timedelta(days=35))
    aged(make.flag(shop, "asked").flag, asked=dt.timedelta(minutes=1))
    answered(found(shop, "asked"), "on")
    answered(found(shop, "asked"), "off")
    aged(make.flag(shop, "one-sided").flag, asked=dt.timedelta(minutes=1))
    answered(found(shop, "one-sided"), "on", 1234)
    aged(make.flag(shop, "switch", kind="ops").flag)
    make.flag(shop, "young")
    assert keys(owner, "is:stale") == ["forgotten", "one-sided", "quiet"]
    text = owner.get("/flags/").text
    assert "No app ever asked for it" in text
    assert "Nobody asks for it any more" in text
    assert "All 1,234 answers of 30 days were on" in text
    assert text.count("Remove?") == 3


def test_what_is_past_its_day_is_stale_whatever_it_is_for(owner, shop):
    made = make.flag(shop, "switch", kind="ops", removeBy="2020-01-15").flag
    assert keys(owner, "is:stale") == ["switch"]
    assert listing.verdict(
        Flag.objects.get(pk=made.pk), changed=clock.now(), asked=None, answered=listing.Answers(), now=clock.now()
    )


def test_ticked_flags_are_archived_and_brought_back_by_one_undo(owner, shop):
    made = [make.flag(shop, key).flag for key in ("a", "b", "c")]
    page = owner.post("/flags/", {"do": "archive", "flag": [made[0].pk, made[1].pk]}, follow=True)
    assert "2 flags are archived" in page.text
    assert keys(owner, "") == ["c"]
    assert [row["flag"].key for row in owner.get("/flags/?archived=1").context["rows"]] == ["a", "b"]
    owner.post(f"/flags/bring-back/?flags={made[0].pk}.{made[1].pk}")
    assert keys(owner, "") == ["a", "b", "c"]


def test_what_another_flag_hangs_on_is_not_archived_and_says_why(owner, shop):
    parent = make.flag(shop, "parent").flag
    make.flag(shop, "child", prerequisites=[{"flag": "parent"}])
    page = owner.post("/flags/", {"do": f"archive:{parent.pk}"}, follow=True)
    assert "child" in page.text
    assert found(shop, "parent").archived_at is None


def test_a_flag_is_switched_in_an_environment_from_the_list_and_the_toast_takes_it_back(owner, shop):
    make.environment(shop, "staging")
    made = make.flag(shop, "checkout", enabled=True)
    switches = {one["name"]: one["switch"] for one in owner.get("/flags/").context["rows"][0]["places"]}
    assert f'value="{switches["staging"]}"' in owner.get("/flags/").text
    page = owner.post("/flags/", {"do": switches["staging"]}, follow=True)
    assert "checkout is on in staging" in page.text
    page = owner.post("/flags/", {"do": switches["production"]}, follow=True)
    assert "checkout is off in production" in page.text
    assert dict(State.objects.values_list("environment__name", "enabled")) == {"staging": True, "production": False}
    undo = re.search(r'action="(/flags/changes/\d+/revert/)"', page.text.split('class="toasts"')[1])[1]
    owner.post(undo)
    assert State.objects.get(pk=made.state.pk).enabled


def test_the_list_switches_nothing_that_is_not_there_or_killed(owner, shop):
    made = make.flag(shop, "checkout", enabled=True)
    elsewhere = make.environment(make.project("Other"), "production")
    for where in ("", "x", f"{made.flag.pk}", f"{made.flag.pk}.{elsewhere.pk}", f"999.{made.state.environment_id}"):
        page = owner.post("/flags/", {"do": f"off:{where}"}, follow=True)
        assert (where, "is gone. Reload the page" in page.text) == (where, True)
    assert State.objects.get().enabled
    killing.kill(made.state, by=GUARD, reason="Errors")
    assert f'value="off:{made.flag.pk}' not in owner.get("/flags/").text


def test_enter_in_the_list_switches_nothing(owner, shop):
    make.flag(shop, "checkout", enabled=True)
    form = owner.get("/flags/").text.partition("data-ticks")[2]
    assert re.search(r"<button[^>]*>", form)[0] == "<button hidden>"
    answer = owner.post("/flags/?is=on", {"flag": Flag.objects.get().pk})
    assert (answer.status_code, answer["Location"]) == (302, "/flags/?is=on")
    assert State.objects.get().enabled
    assert Flag.objects.get().archived_at is None


def test_a_viewer_sees_the_list_without_its_buttons(signed_in, shop):
    made = make.flag(shop, "checkout").flag
    viewer = signed_in(make.member("Vera"))
    page = viewer.get("/flags/")
    assert "checkout" in page.text
    assert "New flag" not in page.text
    assert 'type="checkbox"' not in page.text
    assert f'value="on:{made.pk}' not in page.text
    assert viewer.post("/flags/", {"do": f"on:{made.pk}.1"}).status_code == 403
    assert viewer.post("/flags/", {"do": f"archive:{made.pk}"}).status_code == 403


def test_a_page_of_flags_costs_the_same_however_many_there_are(owner, shop):
    make.environment(shop, "staging")
    make.flag(shop, "first", tags=["a"])
    owner.get("/flags/")  # what is remembered for a while is known from here on
    with CaptureQueriesContext(connection) as one:
        owner.get("/flags/")
    for number in range(30):
        make.flag(shop, f"flag-{number}", tags=["a"])
    with CaptureQueriesContext(connection) as many:
        page = owner.get("/flags/")
    assert len(page.context["rows"]) == 31
    assert len(many) == len(one)


def test_a_long_list_has_pages(owner, shop):
    for number in range(60):
        Flag.objects.create(project=shop, key=f"flag-{number:02}", name="x")
    first = owner.get("/flags/")
    assert [row["flag"].key for row in first.context["rows"]][::49] == ["flag-00", "flag-49"]
    second = owner.get(first.context["older"])
    assert [row["flag"].key for row in second.context["rows"]][::9] == ["flag-50", "flag-59"]


def test_fifty_flags_with_long_names_in_many_environments_are_a_light_page(owner, shop):
    for name in ("production", "staging", "development", "preview-of-pull-requests"):
        make.environment(shop, name)
    for number in range(50):
        Flag.objects.create(
            project=shop, key=f"checkout-with-vat-lookup-at-the-address-step-{number:02}", kind="experiment",
            type="object", name="Single-page checkout with VAT lookup at the address step", tags=["billing", "q4", "vat"],
            created_at=clock.now() - LONG_AGO,
        )  # fmt: skip
    page = owner.get("/flags/")
    assert len(page.context["rows"]) == 50
    assert page.text.count("Remove?") == 50
    assert len(page.content) < 60_000


def test_overrides_that_are_over_are_not_counted(shop):
    state = make.flag(shop, "checkout").state
    overrides.put(state, user_id="1", enabled=True, expires_at=clock.now() + dt.timedelta(hours=1), by=GUARD)
    assert detail.tally(state).users_on == 1
    state.overrides.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert detail.tally(state).total == 0
