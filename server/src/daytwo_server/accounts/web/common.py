"""What the pages of this room share."""

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import Membership, User


def roles_to_give(who: User) -> list[str]:
    """The roles that this person may give to others."""
    owner = permissions.can(who, "owners.manage")
    return [role for role in Membership.Role if owner or role != Membership.Role.OWNER]
