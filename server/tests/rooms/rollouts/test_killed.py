"""What becomes of a guard whose process is killed between counting and acting."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from rooms.errors import happen
from rooms.rollouts import killed_guard, rolling

from daytwo_server.core.models import Fact, Job
from daytwo_server.flags.models import Change

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])


def react_and_be_killed():
    """Another process takes up what is to be done. Returns how it ended."""
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        url = f"sqlite://{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, killed_guard.__file__], env=environment, timeout=60, check=False).returncode


def test_a_kill_in_the_middle_loses_nothing_and_counts_nothing_twice():
    state = rolling.flag(guard={"enabled": True})
    rolling.expose(state, on=100, off=900)
    rolling.fail(state, on=4, off=1)
    rolling.expose(state, on=10, off=90)
    happen.send(state.environment.project, *(rolling.event(state, True) for _ in range(20)))
    rolling.report(state, on=10, off=90)
    assert react_and_be_killed() == -9

    state.refresh_from_db()
    assert (state.killed, rolling.verdicts(state)) == (False, [])

    rolling.retry()  # a lease ends
    state.refresh_from_db()
    assert (state.killed, state.killed_by) == (True, "guard")
    found = rolling.tally(state)
    assert (found.errors_on, found.errors_off, found.all_on, found.all_off) == (24, 1, 120, 1080)
    assert Change.objects.filter(by="guard").count() == 1
    assert Fact.objects.filter(name="GuardTripped").count() == 1
    assert not Job.objects.filter(kind="core.react").exists()
