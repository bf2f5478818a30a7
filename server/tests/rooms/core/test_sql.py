"""Statements that the ORM cannot say."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.core import sql
from daytwo_server.core.models import AuditEntry
from daytwo_server.core.stores import DEFAULT

pytestmark = pytest.mark.django_db

TABLE = "core_auditentry"


def test_different_values_are_found_sorted_each_once():
    assert sql.distinct(DEFAULT, TABLE, "action") == []
    rows = (("user", "2", "b:x:y"), ("user", "10", "a:x:y"), ("token", "2", "b:x:y"), ("system", "", "a:x:y"))
    AuditEntry.objects.bulk_create(
        AuditEntry(actor_kind=kind, actor_id=number, action=action) for kind, number, action in rows for _ in range(3)
    )
    assert sql.distinct(DEFAULT, TABLE, "action") == ["a:x:y", "b:x:y"]
    assert sql.distinct(DEFAULT, TABLE, "actor_kind") == ["system", "token", "user"]
    assert sql.distinct(DEFAULT, TABLE, "actor_id", actor_kind="user") == ["10", "2"]
    assert sql.distinct(DEFAULT, TABLE, "actor_id", actor_kind="nobody") == []


@pytest.mark.parametrize(
    ("column", "equal"), [("action", {}), ("actor_kind", {}), ("actor_id", {"actor_kind": "user"})]
)
def test_the_index_alone_is_asked(column, equal):
    AuditEntry.objects.bulk_create(
        AuditEntry(actor_kind="user", actor_id=str(n % 5), action=f"a:b:{n % 7}") for n in range(3000)
    )
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        cursor.execute("ANALYZE core_auditentry")
        sql.distinct(DEFAULT, TABLE, column, **equal)
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {captured[-1]['sql']}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "core_audit_act" in plan
    assert "Seq Scan" not in plan
