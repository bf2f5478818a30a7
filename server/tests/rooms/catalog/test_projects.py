import threading

import make
import pytest
from django.db import connection
from sentry_sdk.consts import EndpointType
from sentry_sdk.utils import Dsn

from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.core.live import versions
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_a_new_project_has_a_key_that_lets_events_in(alice):
    project = services.create_project("  Web \t shop ", actor=alice)
    assert (project.name, project.slug) == ("Web shop", "web-shop")
    key = project.keys.get()
    assert len(key.public_key) == 32
    assert selectors.key_table()[key.public_key] == selectors.KeyRow(project.pk, True, (), None, None)
    assert (
        services.dsn(key, "https://errors.example.com") == f"https://{key.public_key}@errors.example.com/{project.pk}"
    )
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_kind"))
    assert actions == [("catalog:project:created", "user"), ("catalog:key:created", "user")]


@pytest.mark.parametrize(
    ("public_url", "dsn"),
    [
        ("https://example.com/daytwo", "https://KEY@example.com/daytwo/ID"),
        ("https://example.com/a/b/", "https://KEY@example.com/a/b/ID"),
        ("http://127.0.0.1:8000", "http://KEY@127.0.0.1:8000/ID"),
    ],
)
def test_a_dsn_keeps_port_and_path_of_the_installation_and_the_sdk_understands_it(public_url, dsn):
    key = make.key()
    text = services.dsn(key, public_url)
    assert text == dsn.replace("KEY", key.public_key).replace("ID", str(key.project_id))
    auth = Dsn(text).to_auth("test")
    assert auth.public_key == key.public_key
    assert auth.get_api_url(EndpointType.ENVELOPE) == f"{public_url.rstrip('/')}/api/{key.project_id}/envelope/"


@pytest.mark.parametrize("name", ["", "   ", "\t\n", "x" * 101, "bell\x07", "\x00"])
def test_a_name_without_letters_too_long_or_unprintable_is_refused(alice, name):
    with pytest.raises(services.CatalogError, match="name"):
        services.create_project(name, actor=alice)
    assert Project.objects.count() == 0


@pytest.mark.parametrize("name", ["x", "x" * 100, "Ünïcödé", "商店", "🚀"])
def test_any_name_of_1_to_100_printable_characters_will_do(alice, name):
    project = services.create_project(name, actor=alice)
    assert project.name == name
    assert project.slug


def test_projects_of_one_name_get_different_addresses(alice):
    slugs = [services.create_project("Web", actor=alice).slug for _ in range(3)]
    assert slugs == ["web", "web-2", "web-3"]
    assert services.create_project("x" * 100, actor=alice).slug != services.create_project("x" * 99, actor=alice).slug


@pytest.mark.django_db(transaction=True)
def test_two_people_who_create_the_same_project_at_once_both_succeed():
    alice = make.alice()
    slugs, start = [], threading.Barrier(4)

    def create() -> None:
        start.wait()
        slugs.append(services.create_project("Web", actor=alice).slug)
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slugs) == ["web", "web-2", "web-3", "web-4"]


def test_setup_finds_the_project_it_made():
    first = services.ensure_project(" Shop ")
    assert services.ensure_project("Shop") == first
    key = services.ensure_derived_key(first, "ab" * 16)
    assert services.ensure_derived_key(first, "ab" * 16) == key
    assert DsnKey.objects.count() == 2
    assert set(AuditEntry.objects.values_list("actor_kind", flat=True)) == {"system"}


def test_a_derived_key_must_have_the_right_shape_and_project():
    one, two = make.project(), make.project()
    with pytest.raises(services.CatalogError, match="32 digits"):
        services.ensure_derived_key(one, "AB" * 16)
    services.ensure_derived_key(one, "ab" * 16)
    with pytest.raises(services.CatalogError, match="another project"):
        services.ensure_derived_key(two, "ab" * 16)


def test_every_write_to_a_key_tells_intake(alice):
    key = make.key()
    seen = [versions([services.KEYS_TOPIC]).get(services.KEYS_TOPIC, 0)]

    def moved() -> bool:
        seen.append(versions([services.KEYS_TOPIC]).get(services.KEYS_TOPIC, 0))
        return seen[-1] > seen[-2]

    services.create_key(key.project, "mobile", actor=alice)
    assert moved()
    services.set_key_active(key, False, actor=alice)
    assert moved()
    services.set_key_active(key, False, actor=alice)
    assert not moved(), "nothing changed"
    services.limit_key(key, allowed_origins=["https://Shop.example"], rate_per_s=5, burst=None, actor=alice)
    assert moved()
    row = selectors.key_table()[key.public_key]
    assert row == selectors.KeyRow(key.project_id, False, ("https://shop.example",), 5, None)


@pytest.mark.parametrize(
    "origin",
    ["shop.example", "https://shop.example/path", "ftp://shop.example", "https://", "https://a b", "https://*.*.x"],
)
def test_what_is_no_origin_is_refused_by_name(alice, origin):
    key = make.key()
    with pytest.raises(services.CatalogError, match="is no origin"):
        services.limit_key(key, allowed_origins=["*", origin], rate_per_s=None, burst=None, actor=alice)
    assert DsnKey.objects.get().allowed_origins == []


@pytest.mark.parametrize("origin", ["*", "https://shop.example", "https://*.shop.example", "http://localhost:3000"])
def test_origins_may_have_a_port_and_stand_for_subdomains(alice, origin):
    key = make.key()
    services.limit_key(key, allowed_origins=[origin], rate_per_s=None, burst=None, actor=alice)
    assert DsnKey.objects.get().allowed_origins == [origin]


def test_the_key_table_costs_one_query(django_assert_num_queries):
    for _ in range(5):
        make.key()
    with django_assert_num_queries(1):
        assert len(selectors.key_table()) == 5
