import datetime as dt

import make
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Environment, Project, Release
from daytwo_server.core.live import versions
from daytwo_server.core.models import Fact

pytestmark = pytest.mark.django_db
NOON = make.moment("2026-11-23T12:00:00")


def sighting(project: Project, minutes: int = 0, environment: str = "production", release: str = "1.0"):
    return services.Sighting(
        project=project.pk, at=NOON + dt.timedelta(minutes=minutes), environment=environment, release=release
    )


def seen() -> list[tuple]:
    return [
        *Project.objects.order_by("pk").values_list("pk", "first_event_at"),
        *Environment.objects.order_by("project", "name").values_list("project", "name", "first_seen"),
        *Release.objects.order_by("project", "version").values_list("project", "version", "first_seen", "last_seen"),
    ]


def queries(batch) -> int:
    with CaptureQueriesContext(connection) as captured:
        services.see(batch)
    return sum(not q["sql"].startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")) for q in captured)


def test_a_batch_tells_from_when_to_when_each_release_ran():
    web, api = make.project(), make.project()
    services.see([sighting(web, 5), sighting(web, 2), sighting(web, 9, "staging", "1.1"), sighting(api, 3, release="")])
    services.see([sighting(web, 7), sighting(web, 20, release="1.1"), sighting(web, 1)])
    at = [NOON + dt.timedelta(minutes=m) for m in range(21)]
    assert seen() == [
        (web.pk, at[2]),
        (api.pk, at[3]),
        (web.pk, "production", at[2]),
        (web.pk, "staging", at[9]),
        (api.pk, "production", at[3]),
        (web.pk, "1.0", at[1], at[7]),
        (web.pk, "1.1", at[9], at[20]),
    ]


def test_the_same_again_is_counted_and_announces_nothing():
    web = make.project()
    batch = [sighting(web, 1), sighting(web, 2, "staging", "1.1")]
    services.see(batch)
    before, facts, topics = seen(), Fact.objects.count(), versions([services.project_topic(web.pk)])
    services.see(batch)
    assert (seen(), Fact.objects.count(), versions([services.project_topic(web.pk)])) == (before, facts, topics)


def test_first_events_and_new_releases_are_announced_once():
    web = make.project()
    services.see([sighting(web), sighting(web, 1)])
    services.see([sighting(web, 2, release="1.1")])
    release = dict(Release.objects.values_list("version", "pk"))
    assert list(Fact.objects.order_by("pk").values_list("name", "data")) == [
        ("FirstEventSeen", f'{{"project":{web.pk}}}'),
        ("ReleaseSeen", f'{{"project":{web.pk},"release":{release["1.0"]}}}'),
        ("ReleaseSeen", f'{{"project":{web.pk},"release":{release["1.1"]}}}'),
    ]


def test_the_number_of_queries_does_not_grow_with_the_batch():
    projects = [make.project() for _ in range(20)]

    def batch(size: int, start: int):
        return [sighting(projects[n % 20], n, f"env-{n % 7}", f"{start}.{n}") for n in range(size)]

    few, many = queries(batch(2, 1)), queries(batch(500, 2))
    assert many <= 17
    services.see(batch(500, 2))
    assert queries(batch(500, 2)) == 5, "nothing new: three reads, and the counts of environments and releases"
    assert queries([sighting(projects[0], 900, "env-0", "2.0")]) <= 9
    assert few <= many


def test_what_is_too_long_is_cut_and_what_is_missing_is_left_out():
    web = make.project()
    services.see([sighting(web, environment="e" * 100, release="v" * 300), sighting(web, environment="", release="")])
    assert Environment.objects.get().name == "e" * 64
    assert Release.objects.get().version == "v" * 250


def test_events_of_a_project_that_is_gone_are_ignored():
    web, gone = make.project(), make.project()
    Project.objects.filter(pk=gone.pk).delete()
    services.see([sighting(gone), sighting(web)])
    assert set(Release.objects.values_list("project", flat=True)) == {web.pk}


def test_an_empty_batch_is_nothing(django_assert_num_queries):
    services.see([])
    assert seen() == []


def test_a_batch_that_is_rolled_back_leaves_nothing():
    web = make.project()
    with transaction.atomic():
        services.see([sighting(web)])
        transaction.set_rollback(True)
    assert seen() == [(web.pk, None)]
    assert Fact.objects.count() == 0
