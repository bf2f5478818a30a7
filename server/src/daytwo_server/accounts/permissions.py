"""The one table of what people and tokens may do. Rooms register their actions here when they are loaded."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone

from daytwo_server.accounts.http import safe_url
from daytwo_server.accounts.models import ApiToken, Membership
from daytwo_server.ui import htmx

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Role = Membership.Role
EVERYONE: frozenset[Role] = frozenset(Role)
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
BUILDERS = ADMINS | {Role.ENGINEER}
ALL_SCOPES = "*"


@dataclass(frozen=True)
class Action:
    """One row of the table: `text` completes the sentence "may ..."."""

    name: str
    roles: frozenset[Role]
    text: str

    @property
    def needs(self) -> str:
        """The roles in words, most powerful first: "Owner, Admin or Engineer"."""
        *first, last = [role.label for role in Role if role in self.roles]
        return f"{', '.join(first)} or {last}" if first else str(last)


class UnknownActionError(LookupError):
    """The action is in no table: a typing mistake, or a room that did not register it."""


_actions: dict[str, Action] = {}


def register(name: str, *, roles: Collection[Role], text: str) -> None:
    """Add an action, named `<room>.<verb>`. Every role that may do it is listed: roles do not inherit."""
    _actions[name] = Action(name, frozenset(roles), text)


def action(name: str) -> Action:
    """One row. Raises `UnknownActionError`."""
    if name not in _actions:
        raise UnknownActionError(f"No action {name!r}; register it in the app config of the room that owns it")
    return _actions[name]


def table() -> Sequence[Action]:
    """All rows by name: the permissions page and its documentation."""
    return sorted(_actions.values(), key=lambda row: row.name)


def membership_of(who: AbstractBaseUser | AnonymousUser) -> Membership | None:
    """The membership that came with the user; None for a visitor, a person outside, or one who was switched off."""
    if not (who.is_authenticated and who.is_active):
        return None
    return getattr(who, "membership", None)


def can(who: AbstractBaseUser | AnonymousUser | ApiToken, name: str, _target: object | None = None) -> bool:
    """Whether this person or token may do it. Costs no query: users are loaded with their membership.

    A token needs the action among its scopes, and its creator must still be allowed it.
    """
    row = action(name)
    if isinstance(who, ApiToken):
        in_scope = ALL_SCOPES in who.scopes or name in who.scopes
        return in_scope and (who.created_by is None or can(who.created_by, name))
    membership = membership_of(who)
    return membership is not None and membership.role in row.roles


def require(name: str) -> Callable[[View], View]:
    """Guard a page. Visitors are sent to sign in, people outside get 404, members without the role 403.

    The page finds the viewer's membership at `request.membership` and tells times in their zone. Raises
    `UnknownActionError` at import.
    """
    row = action(name)

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in_first(request)
            membership = membership_of(request.user)
            if membership is None:
                raise Http404
            if membership.role not in row.roles:
                return _forbidden(request, row, membership)
            request.membership = membership  # type: ignore[attr-defined]
            with timezone.override(request.user.time_zone):
                return view(request, *args, **kwargs)

        return cast("View", guarded)  # the same arguments, and answers of the same kind

    return guard


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse({"detail": "Sign in, or send a token as Authorization: Bearer dt_..."}, status=401)
    # A form cannot be sent again after signing in, so its sender comes back to the page it stood on.
    page = request.get_full_path() if request.method in {"GET", "HEAD"} else request.headers.get("Referer", "/")
    return redirect_to_login(safe_url(request, page, "/"), resolve_url("account_login"))


def _forbidden(request: HttpRequest, row: Action, membership: Membership) -> HttpResponse:
    if htmx.wants_part(request):  # told in a toast
        return HttpResponse(f"This needs the role {row.needs}.", status=403, content_type="text/plain")
    context: dict[str, Any] = {"action": row, "role": membership.get_role_display()}
    return render(request, "accounts/forbidden.html", context, status=403)
