"""What pages read about people and tokens."""

from django.db.models import Q, QuerySet

from daytwo_server.accounts import tokens
from daytwo_server.accounts.models import UNDO_WINDOW, ApiToken, OwnerLink
from daytwo_server.core import clock


def listed_tokens() -> QuerySet[ApiToken]:
    """Tokens in force or expired, newest first, and those whose revocation can still be undone."""
    undoable = Q(revoked_at__gt=clock.now() - UNDO_WINDOW)
    return ApiToken.objects.filter(Q(revoked_at=None) | undoable).select_related("created_by").order_by("-pk")


def owner_link_is_good(link: str) -> bool:
    """Whether the link would let somebody in now; using it up is `services.welcome`."""
    return OwnerLink.objects.filter(digest=tokens.digest(link), used_at=None, expires_at__gt=clock.now()).exists()
