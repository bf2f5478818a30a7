"""A mail that proves that mail works, sent where real ones are: by a job."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec
from django.core.mail import send_mail

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, conf, jobs, live
from daytwo_server.core.masking import error_line
from daytwo_server.core.models import Job

TOPIC = "settings.mail"  # of `core.live`
ACTION = "operate:mail:tested"
audit.wording(ACTION, "had a test mail sent")


@dataclass(frozen=True)
class Tested:
    """The latest test: when, for whom (None: they are gone), and what went wrong, empty when it was sent."""

    at: dt.datetime
    user: User | None
    problem: str


def begin(user: User) -> None:
    """Have a test mail sent to this person."""
    jobs.enqueue(send_test, unique_key=f"test_mail:{user.pk}", user=user.pk)


@jobs.job("operate.send_test", max_attempts=2)
def send_test(user: int) -> None:
    """Send a test mail to a person and note in the audit log how that went."""
    person = User.objects.filter(pk=user).first()
    if person is None:
        return
    configured, problem = conf.current(), ""
    try:
        send_mail(
            "Daytwo can send mail",
            f"This is the test mail that you asked for at {configured.public_url}.\nNothing else is to be done.\n",
            configured.mail_from,
            [person.email],
        )
    except Exception as error:  # noqa: BLE001 - whatever it was, it is the answer that somebody waits for
        problem = error_line(error)
    audit.record(ACTION, actor=person, after={"problem": problem})
    live.bump(TOPIC)


def latest() -> Tested | None:
    """The latest test that the audit log still knows."""
    entry = next(iter(audit.entries(action=ACTION, limit=1).rows), None)
    if entry is None:
        return None
    user = User.objects.filter(pk=entry.actor_id).first()
    return Tested(entry.at, user, msgspec.json.decode(entry.after)["problem"])


def under_way(since: Tested | None) -> bool:
    """Whether a test was asked for and has no result yet. The job of the latest one may still be there for a moment."""
    waiting = Job.objects.filter(kind="operate.send_test", state__in=[Job.State.READY, Job.State.LEASED])
    return waiting.filter(created_at__gt=since.at).exists() if since else waiting.exists()
