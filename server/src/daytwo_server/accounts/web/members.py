"""Who works here: the list, and a page for each person with what may be done about them."""

import urllib.parse
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts import permissions, selectors, services
from daytwo_server.accounts.forms import RoleForm
from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.models import Membership, User
from daytwo_server.accounts.web.common import roles_to_give
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters


@permissions.require("members.view")
@require_safe
@refusing_bad_filters(views="members")
def members(request: HttpRequest) -> HttpResponse:
    """Members by name; `?q=` searches, `?role=` filters, `?cursor=` pages."""
    listing = Address.of(reverse("members"), request.GET, filters=("role",), parse=selectors.MEMBERS.parse)
    found = selectors.members(listing.asked, cursor=request.GET.get("cursor", ""))
    may_manage = permissions.can(request.user, "members.manage")
    words = {
        "members": found.rows,
        "removed": list(selectors.removed_members()) if may_manage else [],
        "may_manage": may_manage,
        **listing.bar(listing.choice("role", "Role", Membership.Role.choices)),
        **listing.pager(found),
    }
    return htmx.render(request, "accounts/members.html", "accounts/_members.html", words)


@permissions.require("members.manage")
@require_safe
def member(request: HttpRequest, person: int) -> HttpResponse:
    """One member, and what may be done about them."""
    found = selectors.member(person)
    if found is None:
        raise Http404
    may_change = found.role != Membership.Role.OWNER or permissions.can(request.user, "owners.manage")
    form = RoleForm(initial={"role": found.role, "was": found.role}, may_give=roles_to_give(viewer(request)))
    words: dict[str, Any] = {
        "member": found,
        "person": found.user,
        "itself": found.user_id == viewer(request).pk,
        "may_change": may_change,
        "second_factor": selectors.has_second_factor(found.user),
        "form": form,
    }
    return render(request, "accounts/member.html", words)


@permissions.require("members.manage")
@require_POST
def change_role(request: HttpRequest, person: int) -> HttpResponse:
    """Give the role that was sent, or that the address says: the undo of a toast can only send an address."""
    found = _find(person)
    role, was = _asked(request, "role"), _asked(request, "was")
    if role not in Membership.Role.values:
        messages.error(request, "Choose one of the roles. Nothing was changed.")
    elif _tried(request, lambda: services.change_role(found, role, was=was, actor=viewer(request))):
        text = f"{found} is {Membership.Role(role).label} now"
        if was in Membership.Role.values and found.pk != viewer(request).pk:
            back = urllib.parse.urlencode({"role": was, "was": role})
            toasts.undoable(request, text, f"{reverse('change_role', args=[person])}?{back}")
        else:
            messages.success(request, text)
    # Whoever made themselves an engineer may not open the page of a member any more.
    return redirect("members" if found.pk == viewer(request).pk else _url(found))


@permissions.require("members.manage")
@require_POST
def remove_member(request: HttpRequest, person: int) -> HttpResponse:
    """End somebody's membership; the list offers the way back for ten minutes."""
    found = _find(person)
    if not _tried(request, lambda: services.remove_member(found, actor=viewer(request))):
        return redirect(_url(found))
    toasts.undoable(request, f"{found} was removed", reverse("restore_member", args=[person]))
    return redirect("members")


@permissions.require("members.manage")
@require_POST
def restore_member(request: HttpRequest, person: int) -> HttpResponse:
    """Undo a removal."""
    found = _find(person)
    if not _tried(request, lambda: services.restore_member(found, actor=viewer(request))):
        return redirect("members")
    messages.success(request, f"{found} is back, and has to sign in again")
    return redirect(_url(found))


@permissions.require("members.manage")
@require_POST
def switch_member(request: HttpRequest, person: int, *, active: bool) -> HttpResponse:
    """Switch an account off or on; each offers the other as its undo."""
    found = _find(person)
    if _tried(request, lambda: services.switch_member(found, active=active, actor=viewer(request))):
        text = f"{found} can sign in again" if active else f"{found} is switched off and signed out"
        back = "switch_member_off" if active else "switch_member_on"
        toasts.undoable(request, text, reverse(back, args=[person]))
    return redirect(_url(found))


@permissions.require("members.manage")
@require_POST
def end_member_sessions(request: HttpRequest, person: int) -> HttpResponse:
    """Sign somebody out everywhere."""
    found = _find(person)
    if _tried(request, lambda: services.end_sessions_of(found, actor=viewer(request))):
        messages.success(request, f"{found} is signed out everywhere")
    return redirect(_url(found))


def _asked(request: HttpRequest, name: str) -> str:
    return request.POST.get(name) or request.GET.get(name, "")


def _tried(request: HttpRequest, change: Callable[[], object]) -> bool:
    """Whether the change was made; else why not is said on the next page."""
    try:
        change()
    except services.AccountsError as problem:
        messages.error(request, str(problem))
        return False
    return True


def _find(person: int) -> User:
    return get_object_or_404(User, pk=person)


def _url(person: User) -> str:
    return reverse("member", args=[person.pk])


urlpatterns = [
    path("settings/members/", members, name="members"),
    path("settings/members/<id:person>/", member, name="member"),
    path("settings/members/<id:person>/role/", change_role, name="change_role"),
    path("settings/members/<id:person>/remove/", remove_member, name="remove_member"),
    path("settings/members/<id:person>/restore/", restore_member, name="restore_member"),
    path("settings/members/<id:person>/off/", switch_member, {"active": False}, name="switch_member_off"),
    path("settings/members/<id:person>/on/", switch_member, {"active": True}, name="switch_member_on"),
    path("settings/members/<id:person>/sign-out/", end_member_sessions, name="end_member_sessions"),
]
