"""What a change of a table keeps beside its rows."""

from __future__ import annotations

import copy

import pytest
from django.db import connection

from daytwo_server.core.jobs import enqueue, job
from daytwo_server.core.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@job("test.numbered")
def numbered() -> None: ...


@pytest.mark.parametrize("erased", [1, 3])
def test_a_number_is_not_given_again_after_the_table_was_made_anew(erased):
    given = [enqueue(numbered) for _ in range(3)]
    Job.objects.filter(pk__in=given[-erased:]).delete()
    before = Job._meta.get_field("queue")
    after = copy.deepcopy(before)
    after.max_length += 1
    with connection.schema_editor() as editor:
        editor.alter_field(Job, before, after)
    try:
        assert enqueue(numbered) == given[-1] + 1
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Job, after, before)
