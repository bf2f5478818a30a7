"""Environments: what they are, which nobody needs, and how many there can be."""

import datetime as dt
import json
import re

import make
import pytest

from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.jobs import prune
from daytwo_server.catalog.models import Environment, KeyUse, NewNames, Release, Volume
from daytwo_server.catalog.services.names import MAX_ENVIRONMENTS, MAX_RELEASES_A_DAY
from daytwo_server.core import clock
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    return make.project("Shop")


def sightings(project, names, *, events=1, release="", at=None):
    return [
        services.Sighting(project=project.pk, at=at or clock.now(), environment=name, release=release)
        for name in names
        for _ in range(events)
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("production", "production"), ("PROD", "production"), ("staging", "staging"), ("dev", "development"),
     ("eu-west", "other")],
)  # fmt: skip
def test_an_environment_is_taken_for_what_its_name_says(shop, name, kind):
    services.see(sightings(shop, [name]))
    assert Environment.objects.get().kind == kind
    assert [one.name for one in selectors.production_environments()] == ([name] if kind == "production" else [])


def test_people_say_what_is_production_and_hide_what_they_do_not_need(shop, alice, signed_in):
    services.see(sightings(shop, ["eu-west", "pr-1", "pr-2"], events=3))
    ids = dict(Environment.objects.values_list("name", "pk"))
    client, url = signed_in(alice), "/projects/shop/environments/"
    client.post(url, {"do": "kind:production", "environment": [ids["eu-west"]]})
    assert [one.name for one in selectors.production_environments()] == ["eu-west"]
    page = client.post(url, {"do": "hide", "environment": [ids["pr-1"], ids["pr-2"]]}, follow=True)
    assert "2 environments hidden" in page.text
    assert "Select pr-1" not in page.text
    assert "Select pr-1" in client.get(f"{url}?hidden=1").text
    assert selectors.environment_names() == ["eu-west"]
    client.post(f"{url}undo/?do=show&ids={ids['pr-1']}.{ids['pr-2']}")
    assert len(selectors.environments_of(shop)) == 3
    assert "Nothing is selected" in client.post(url, {"do": "hide"}, follow=True).text
    assert "no kind" in client.post(url, {"do": "kind:x", "environment": [ids["pr-1"]]}, follow=True).text
    told = AuditEntry.objects.filter(action="catalog:environment:kind-set").values_list("before", "after").get()
    assert [json.loads(one) for one in told] == [{"kind": "other"}, {"kind": "production"}]


def test_another_projects_environments_are_out_of_reach(shop, alice, signed_in):
    other = make.environment(make.project("Other"))
    signed_in(alice).post("/projects/shop/environments/", {"do": "hide", "environment": [other.pk]})
    assert Environment.objects.get().hidden_at is None


def test_a_flood_of_environments_ends_at_the_limit_and_is_told(shop, alice, signed_in):
    services.see(sightings(shop, [f"env-{n:04}" for n in range(MAX_ENVIRONMENTS + 50)], release="1.0"))
    services.see(sightings(shop, [f"more-{n}" for n in range(10)], events=3))
    assert Environment.objects.count() == MAX_ENVIRONMENTS
    assert Release.objects.get().events == MAX_ENVIRONMENTS + 50, "the events themselves all count"
    assert [(one.kind, one.events) for one in selectors.left_out(shop)] == [("environment", 80)]
    page = signed_in(alice).get("/projects/shop/").text
    assert "80 events of the last 7 days named environments past the 200" in page
    first = signed_in(alice).get("/projects/shop/environments/")
    assert first.text.count('name="environment"') == 100
    second = signed_in(alice).get(re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&"))
    assert "Select env-0099" in first.text
    assert "Select env-0100" in second.text
    assert 'rel="next"' not in second.text
    assert len(first.content) < 60_000
    ids = list(Environment.objects.values_list("pk", flat=True)[:150])
    services.hide_environments(shop, ids, actor=alice)
    services.see(sightings(shop, ["production"]))
    assert Environment.objects.filter(name="production").exists(), "hiding makes room"


def test_a_flood_of_releases_ends_at_the_limit_of_the_day(shop):
    for start in (0, 300):
        services.see([s for n in range(300) for s in sightings(shop, [""], release=f"1.{start + n}")])
    assert Release.objects.count() == MAX_RELEASES_A_DAY
    assert [(one.kind, one.events) for one in selectors.left_out(shop)] == [("release", 100)]
    NewNames.objects.update(day=clock.now().date() - dt.timedelta(days=1))
    services.see(sightings(shop, [""], release="2.0"))
    assert Release.objects.filter(version="2.0").exists(), "a new day"


def test_first_come_first_served(shop):
    now = clock.now()
    batch = [
        *sightings(shop, [f"late-{n}" for n in range(MAX_ENVIRONMENTS)], at=now),
        *sightings(shop, ["production"], at=now - dt.timedelta(minutes=1)),
    ]
    services.see(batch)
    assert Environment.objects.filter(name="production").exists()


def test_events_are_counted_by_environment_and_five_minutes(shop):
    at = make.moment("2026-11-23T12:01:00")
    batch = [*sightings(shop, ["production"], events=3, at=at)]
    batch += sightings(shop, ["production"], at=at + dt.timedelta(minutes=5))
    batch += sightings(shop, ["staging"], at=at)
    services.see(batch)
    services.see(batch)
    environment = Environment.objects.get(name="production")
    start, step = make.moment("2026-11-23T11:55:00"), dt.timedelta(minutes=5)
    assert selectors.volume(environment.pk, start, step=step, steps=4) == [0, 6, 2, 0]
    assert selectors.volume(environment.pk, start, step=step * 2, steps=2) == [6, 2]
    assert selectors.volumes_since([environment.pk], at) == {environment.pk: 8}


def test_what_is_old_goes(shop):
    key, now = make.key(shop), clock.now()
    services.see(sightings(shop, ["production"], at=now - dt.timedelta(days=31)))
    services.see(sightings(shop, ["production"], at=now))
    services.note_uses({(key.public_key, int(now.timestamp()) - 15 * 86400, True): 1})
    services.note_uses({(key.public_key, int(now.timestamp()), True): 1})
    NewNames.objects.create(project=shop, day=now.date() - dt.timedelta(days=31), kind="release", listed=0, left_out=1)
    prune()
    assert (Volume.objects.count(), KeyUse.objects.count(), NewNames.objects.filter(kind="release").count()) == (
        1,
        1,
        0,
    )
