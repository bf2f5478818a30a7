"""What to wait for, and what not, by the errors that the stores really raise."""

import sqlite3

import pytest
from django.db import DatabaseError, InterfaceError, connection, transaction

from daytwo_server.core.models import Topic
from daytwo_server.core.trouble import is_trouble, words


def failure(work):
    """The error of a statement, the transaction around it undone."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        work()
    return caught.value


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@pytest.mark.django_db
def test_a_missing_table_or_column_may_come_with_a_migration():
    assert is_trouble(failure(lambda: execute("SELECT 1 FROM core_nowhere")))
    assert is_trouble(failure(lambda: execute("SELECT nonesuch FROM core_topic")))


@pytest.mark.django_db
def test_what_the_data_breaks_it_breaks_again():
    Topic.objects.create(name="one", version=1)
    assert not is_trouble(failure(lambda: Topic.objects.create(name="one", version=2)))
    assert not is_trouble(failure(lambda: execute("SELECT 1 FROM core_topic WHERE name = %s", object())))
    assert not is_trouble(failure(lambda: execute("SELEKT 1")))
    assert not is_trouble(ValueError("of our code"))


@pytest.mark.django_db(transaction=True)
def test_a_store_that_is_read_only_or_gone_is_waited_for():
    if connection.vendor == "sqlite":
        execute("PRAGMA query_only = ON")
    else:
        execute("SET default_transaction_read_only = on")
    try:
        assert is_trouble(failure(lambda: Topic.objects.create(name="one", version=1)))
    finally:
        connection.close()
    assert is_trouble(InterfaceError("connection already closed"))


def test_a_locked_full_or_damaged_database_is_waited_for(tmp_path):
    path = tmp_path / "some.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN IMMEDIATE")
    assert is_trouble(_wrapped(lambda: sqlite3.connect(path, timeout=0).execute("INSERT INTO t VALUES (1)")))
    holder.execute("ROLLBACK")
    holder.execute("PRAGMA max_page_count = 2")
    assert is_trouble(_wrapped(lambda: holder.execute("INSERT INTO t VALUES (zeroblob(100000))")))
    holder.close()
    path.write_bytes(b"no database " * 100)
    assert is_trouble(_wrapped(lambda: sqlite3.connect(path).execute("SELECT * FROM t")))


def _wrapped(work):
    """The error as Django raises it."""
    with pytest.raises(sqlite3.Error) as caught:
        work()
    problem = DatabaseError(str(caught.value))
    problem.__cause__ = caught.value
    return problem


def test_a_store_is_quoted_with_its_first_line_only():
    assert words(DatabaseError("deadlock detected\nDETAIL:  Key (email)=(dana@example.com)")) == "deadlock detected"
    assert words(DatabaseError()) == "DatabaseError"
