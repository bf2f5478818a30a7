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

from daytwo_server.accounts import presence, selectors
from daytwo_server.accounts.http import go_to, safe_url
from daytwo_server.accounts.models import ApiToken, Membership
from daytwo_server.core import preferences
from daytwo_server.ui import htmx, times

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


def refusal(who: ApiToken, name: str) -> str:
    """Why this token may not do it, and what would help; "" when it may."""
    row, creator = action(name), who.created_by
    if ALL_SCOPES not in who.scopes and name not in who.scopes:
        return f"This token lacks the scope {name}. Create one that has it under Settings > API tokens."
    if creator is None or can(creator, name):
        return ""
    membership = membership_of(creator)
    if membership is None:
        return "Who made this token does not belong to the workspace any more, or is switched off."
    label = membership.get_role_display()
    return f"{name} needs the role {row.needs}. Who made this token has the role {label}, so it may do no more."


def require(name: str) -> Callable[[View], View]:
    """Guard a page. Visitors are sent to sign in, people outside get 404, members without the role 403; who has to
    add a second factor is led there first.

    The page finds the viewer's membership at `request.membership` and tells times in their zone, as they like them.
    Raises `UnknownActionError` at import.
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
            if name != "security.edit" and second_factor_is_due(request.user):
                return go_to(request, resolve_url("security"))
            if membership.role not in row.roles:
                return _forbidden(request, row, membership)
            request.membership = membership  # type: ignore[attr-defined]
            presence.note_use(request)
            with timezone.override(request.user.time_zone), times.absolute(on=request.user.absolute_times):
                return view(request, *args, **kwargs)

        return cast("View", guarded)  # the same arguments, and answers of the same kind

    return guard


def second_factor_is_due(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this person has to add a second factor before anything else. One query, where it is required at all.

    Tokens are not asked: they are no persons, and a program cannot look at an app.
    """
    required = preferences.current().require_second_factor
    membership = membership_of(user)
    if required == "off" or membership is None or (required == "admins" and membership.role not in ADMINS):
        return False
    return not selectors.has_second_factor(membership.user)


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
