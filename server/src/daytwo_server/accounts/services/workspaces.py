"""What the workspace is called."""

from django.db import transaction

from daytwo_server.accounts.models import User, Workspace
from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.accounts.services.members import ChangedMeanwhileError
from daytwo_server.accounts.services.owners import workspace
from daytwo_server.core import audit


def rename_workspace(name: str, *, was: str, actor: User) -> bool:
    """Call the workspace something else; False when that is its name. `was` is the name that the actor saw.

    Raises `AccountsError` for no name, `ChangedMeanwhileError` when somebody renamed it since.
    """
    if not name:
        raise AccountsError("Give the workspace a name.")
    if name == workspace().name:
        return False
    with transaction.atomic():
        if not Workspace.objects.filter(pk=1, name=was).update(name=name):
            raise ChangedMeanwhileError(f"Somebody named it {workspace().name} meanwhile.")
        # A person's words stay out of the audit log; this name is the company's.
        audit.record("accounts:workspace:renamed", actor=actor, before={"name": was}, after={"name": name})
    return True
