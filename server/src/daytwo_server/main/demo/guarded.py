"""The guard of the flag that goes wrong this morning: it has seen too little to be sure."""

from __future__ import annotations

import datetime as dt

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock
from daytwo_server.flags.actors import of_user
from daytwo_server.flags.models import State
from daytwo_server.flags.services import saving
from daytwo_server.main.demo.story import FLAG, RAISED_H
from daytwo_server.rollouts import services
from daytwo_server.rollouts.models import Guard

EXPOSURES = (("on", True, 1340), ("off", False, 4020))  # since the flag was raised


def guard(project: Project, owner: User) -> None:
    """Have it watch since the flag was raised; the errors that it counts are those of the story."""
    raised = clock.now() - dt.timedelta(hours=RAISED_H)
    state = State.objects.select_related("flag", "environment").get(flag__project=project, flag__key=FLAG)
    watched = {"guard": {"enabled": True, "action": "hold"}}
    saved = saving.patch(state.flag, state.environment, watched, by=of_user(owner))
    assert saved.change is not None
    assert saved.state is not None
    type(saved.change).objects.filter(pk=saved.change.pk).update(at=raised)
    State.objects.filter(pk=state.pk).update(changed_at=raised)
    services.watch(state.flag_id)
    Guard.objects.filter(pk=state.pk).update(since=raised)
    answers = [(FLAG, saved.state.revision, variant, is_on, n) for variant, is_on, n in EXPOSURES]
    services.count_exposures(state.environment_id, answers)
