"""kill -9 around asking how it went: asked once, neither twice nor not at all."""

import subprocess
import sys

import make
import pytest
from rooms.mail.test_killed import environment
from rooms.portal import killed_asking

from daytwo_server.core import clock
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])


@pytest.mark.parametrize(("where", "left"), [("before", 0), ("after", 1)])
def test_a_customer_is_asked_once_whenever_the_worker_dies(where, left):
    ticket = make.ticket(make.dana())
    services.set_status(ticket, "resolved", actor=make.member("Nia", role="agent"))
    run_due_jobs()
    asking = Job.objects.filter(kind="portal.ask")
    assert asking.update(run_at=clock.now()) == 1
    command = [sys.executable, killed_asking.__file__, where]
    died = subprocess.run(
        command, env=environment(DAYTWO_MAIL_URL="smtp://127.0.0.1:1"), timeout=60, capture_output=True
    )
    assert died.returncode == -9, died.stderr.decode()
    asked = Delivery.objects.filter(about=f"ticket_rating:{ticket.pk}")
    assert asked.count() == left
    asking.update(run_at=clock.now())  # its lease is over
    run_due_jobs()
    assert asked.count() == 1
    assert not asking.exists()
