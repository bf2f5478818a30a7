"""What waits is called: each call by one process at a time, and at least once."""

from __future__ import annotations

import datetime as dt
import time

import msgspec
from django.db import transaction
from django.db.models import Min

from daytwo_server.core import clock
from daytwo_server.core.net import outgoing
from daytwo_server.core.net.outgoing import OutgoingFailed, OutgoingRefused
from daytwo_server.webhooks import signing
from daytwo_server.webhooks.events import built
from daytwo_server.webhooks.models import Call, Endpoint
from daytwo_server.webhooks.services import switch

State = Call.State
TIMEOUT_S = 5.0
LEASE = dt.timedelta(seconds=60)  # a process that is killed meanwhile leaves the call for later
# After each failure, as the specification suggests; then it is given up.
_SECONDS = (5, 60, 300, 1_800, 7_200, 18_000, 36_000)
DELAYS = tuple(dt.timedelta(seconds=one) for one in _SECONDS)
GIVEN_UP_AFTER = dt.timedelta(days=3)
GONE = 410


def drain(*, for_s: float) -> dt.datetime | None:
    """Call what is due, for about so long; when to come again, None when nothing waits."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        call = _claim()
        if call is None:
            return _next_due()
        _send(call)
    return clock.now()


def _next_due() -> dt.datetime | None:
    at: dt.datetime | None = Call.objects.filter(state=State.WAITING).aggregate(at=Min("due_at"))["at"]
    return at


def _claim() -> Call | None:
    """The call that has been due for longest; of two workers one gets it."""
    while True:
        now = clock.now()
        due = Call.objects.select_related("endpoint").filter(state=State.WAITING, due_at__lte=now)
        found = due.order_by("due_at", "pk").first()
        if found is None:
            return None
        if Call.objects.filter(pk=found.pk, state=State.WAITING, due_at=found.due_at).update(due_at=now + LEASE):
            return found


def _send(call: Call) -> None:
    payload = built(call.event, call.data)
    if payload is None:  # erased, or removed: nobody is to hear of it any more
        call.delete()
        return
    said = {"type": call.event, "timestamp": call.created_at.astimezone(dt.UTC).isoformat(), "data": payload}
    body = msgspec.json.encode(said)
    headers = {"content-type": "application/json", **signing.headers(call.endpoint, call.uid, body)}
    try:
        answer = outgoing.fetch(
            "POST", call.endpoint.url, headers=headers, content=body,
            timeout_s=TIMEOUT_S, max_bytes=1_000, max_redirects=0,
        )  # fmt: skip
    except OutgoingRefused as problem:
        _failed(call, None, str(problem), for_good=True)
    except OutgoingFailed as problem:
        _failed(call, None, str(problem))
    else:
        if 200 <= answer.status < 300:
            _sent(call, answer.status)
        else:
            _failed(call, answer.status, f"It answered {answer.status}.", for_good=answer.status == GONE)


@transaction.atomic
def _sent(call: Call, status: int) -> None:
    _mine(call, state=State.SENT, status=status, problem="", ended_at=clock.now(), attempts=call.attempts + 1)
    Endpoint.objects.filter(pk=call.endpoint_id, failing_since__isnull=False).update(failing_since=None)


@transaction.atomic
def _failed(call: Call, status: int | None, problem: str, *, for_good: bool = False) -> None:
    """Later again, with everything else that waits there: an endpoint that does not answer holds up nobody else."""
    now, attempts, problem = clock.now(), call.attempts + 1, problem[:300]
    Endpoint.objects.filter(pk=call.endpoint_id, failing_since=None).update(failing_since=now)
    if for_good or attempts > len(DELAYS):
        _mine(call, state=State.FAILED, status=status, problem=problem, ended_at=now, attempts=attempts)
    else:
        again_at = now + DELAYS[attempts - 1]
        _mine(call, status=status, problem=problem, attempts=attempts, due_at=again_at)
        waiting = Call.objects.filter(endpoint=call.endpoint_id, state=State.WAITING, due_at__lt=again_at)
        waiting.update(due_at=again_at)
    endpoint = Endpoint.objects.get(pk=call.endpoint_id)
    if status == GONE:
        switch(endpoint, on=False, actor=None, why="It answered 410: nobody wants to be told there any more.")
    elif endpoint.failing_since and now - endpoint.failing_since > GIVEN_UP_AFTER:
        switch(endpoint, on=False, actor=None, why=f"Nothing arrived for three days. The last time: {problem}")


def _mine(call: Call, **values: object) -> None:
    """Unless it was given up while it was under way."""
    Call.objects.filter(pk=call.pk, state=State.WAITING).update(**values)
