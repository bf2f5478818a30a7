"""Everything can be found after an upgrade, whatever the version before had indexed."""

import make
import pytest
from django.db import connection
from rooms.errors import happen

from daytwo_server.core import jobs, search
from daytwo_server.core.models import Job, SearchDocument
from daytwo_server.customers.models import Customer
from daytwo_server.desk import jobs as desk
from daytwo_server.desk.models import Indexed

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(desk, "PAUSE_S", 0)


def found(kind, text):
    return [hit.object_id for hit in search.find([kind], text)]


def index_everything():
    desk.find_unindexed()
    jobs.run_due_jobs(tick=False)


def test_a_data_directory_of_a_version_without_an_index_becomes_findable():
    issue = happen.issue(make.project("Shop"), "KeyError", "'vat_id'")
    dana, alice = make.dana(), make.alice()
    release = make.release(make.project("Other"), "web@1.2.3")
    SearchDocument.objects.all().delete()
    index_everything()
    assert found("issue", "vat") == [issue.pk]
    assert found("customer", "dana@example.com") == [dana.pk]
    assert found("user", "alice") == [alice.pk]
    assert found("release", "web@1.2.3") == [release.pk]
    assert len(found("project", "shop")) == 1


def test_documents_without_a_title_get_theirs():
    issue = happen.issue(make.project(), "KeyError", "x")
    SearchDocument.objects.update(title=None)
    assert [hit.rank for hit in search.find(["issue"], "keyerror")] == [search.WORDS]
    index_everything()
    assert [(hit.object_id, hit.rank) for hit in search.find(["issue"], "keyerror")] == [(issue.pk, search.BEGINNING)]


def test_it_is_done_once_and_again_when_a_source_has_a_new_version(monkeypatch):
    index_everything()
    assert set(Indexed.objects.values_list("kind", "version")) == {(k, s.version) for k, s in search.sources().items()}
    desk.find_unindexed()
    assert not Job.objects.filter(kind="desk.reindex").exists()
    make.dana()
    known = search.sources()["customer"]
    monkeypatch.setitem(search._sources, "customer", search.Source(known.rows, known.text, known.version + 1))
    index_everything()
    assert len(found("customer", "dana")) == 1


def test_a_job_that_was_cut_off_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(desk, "CHUNK", 2)
    customers = [make.customer(f"id:c{n}", name=f"Customer {n}") for n in range(7)]
    search.remove("customer", [customer.pk for customer in customers])  # as before there was an index
    real, calls = search.rebuild, []

    def rebuild(kind, after, limit):
        calls.append(after)
        if len(calls) == 3:
            raise RuntimeError("killed")
        return real(kind, after, limit)

    monkeypatch.setattr(search, "rebuild", rebuild)
    with pytest.raises(RuntimeError):
        desk.reindex("customer")
    assert len(search.ids("customer", "customer")) == 4
    desk.reindex("customer")
    assert calls[3:] == [customers[3].pk, customers[5].pk]
    assert len(search.ids("customer", "customer")) == 7
    desk.reindex("customer")
    assert len(calls) == 5


def test_what_is_gone_is_forgotten():
    dana = make.dana()
    search.index_many("customer", [(1, "Nobody", ""), (dana.pk + 5, "Nobody either", "")])
    make.customer("id:z", name="Zoe")
    index_everything()
    assert found("customer", "nobody") == []
    assert found("customer", "dana") == [dana.pk]
    Customer.objects.filter(pk=dana.pk).update(erased_at=make.moment())
    search.refresh("customer", [dana.pk])
    assert found("customer", "dana") == []


def test_a_refresh_costs_two_statements_whatever_the_number(django_assert_num_queries):
    people = [make.customer(f"id:{n}", name=f"Customer {n}").pk for n in range(50)]
    with django_assert_num_queries(2):
        search.refresh("customer", people)
    with django_assert_num_queries(0):
        search.refresh("customer", [])


def test_kinds_that_a_version_no_longer_knows_are_let_be():
    desk.reindex("unheard-of")
    assert not Indexed.objects.exists()


def test_the_index_stays_sound():
    make.dana()
    index_everything()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO core_searchwords (core_searchwords, rank) VALUES ('integrity-check', 1)")
    assert len(found("customer", "dana")) == 1
