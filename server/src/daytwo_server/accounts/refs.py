"""How people and tokens are named where other rooms link to them, and by which words members are found."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import ApiToken, Invitation, Team, User
from daytwo_server.core import search
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.ui.listing import address


@resolver("user")
def users(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {str(user.pk): Ref("user", user.pk, str(user), _page(user)) for user in User.objects.filter(pk__in=ids)}


def _page(user: User) -> str:
    """The list of members with this one alone: everybody may open that. Empty for somebody who is no member."""
    listed = permissions.membership_of(user) is not None
    return address(reverse("members"), q=user.email) if listed else ""


def words(user: User) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return str(user), user.email


search.source("user", lambda: User.objects.filter(membership__isnull=False), words)


@resolver("team")
def teams(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {str(one.pk): Ref("team", one.pk, one.name, reverse("teams")) for one in Team.objects.filter(pk__in=ids)}


@resolver("token")
def tokens(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {str(token.pk): Ref("token", token.pk, token.label) for token in ApiToken.objects.filter(pk__in=ids)}


@resolver("invitation")
def invitations(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Invitation.objects.filter(pk__in=ids)
    return {str(one.pk): Ref("invitation", one.pk, f"Invitation as {one.get_role_display()}") for one in found}
