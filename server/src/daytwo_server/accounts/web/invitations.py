"""Inviting people, and the page on which they join."""

import urllib.parse

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import identities, pending, permissions, selectors, services
from daytwo_server.accounts.forms import InvitationForm, JoinForm
from daytwo_server.accounts.http import absolute, focus_first_error, viewer
from daytwo_server.accounts.models import Invitation, User
from daytwo_server.accounts.web.common import roles_to_give
from daytwo_server.accounts.web.passkeys import briefly
from daytwo_server.core import preferences
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, all_of, refusing_bad_filters


@permissions.require("members.manage")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@refusing_bad_filters()
def invitations(request: HttpRequest) -> HttpResponse:
    """Open invitations, and the one moment in which a new link is shown."""
    form = InvitationForm(request.POST if request.method == "POST" else None, may_give=roles_to_give(viewer(request)))
    if request.method != "POST":
        return _invitations_page(request, form)
    try:
        if form.is_valid():
            invitation, link = services.invite(**form.cleaned_data, actor=viewer(request))
            return _link_page(request, invitation, link)
    except services.NotAllowedError as problem:
        form.add_error("role", str(problem))
    except services.AccountsError as problem:
        form.add_error("email", str(problem))
    return _invitations_page(request, form, status=422)


@permissions.require("members.manage")
@never_cache
@require_POST
def renew_invitation(request: HttpRequest, invitation: int) -> HttpResponse:
    """Another link for the same person; the one before stops working."""
    found = get_object_or_404(Invitation, pk=invitation)
    try:
        link = services.renew_invitation(found, actor=viewer(request))
    except services.AccountsError as problem:
        messages.error(request, str(problem))
        return redirect("invitations")
    return _link_page(request, found, link)


@permissions.require("members.manage")
@require_POST
def revoke_invitation(request: HttpRequest, invitation: int) -> HttpResponse:
    """Make a link useless; its row offers the way back for ten minutes."""
    found = get_object_or_404(Invitation, pk=invitation)
    with toasts.telling(request, services.AccountsError):
        services.revoke_invitation(found, actor=viewer(request))
        toasts.undoable(request, "The invitation was revoked", reverse("restore_invitation", args=[found.pk]))
    return redirect("invitations")


@permissions.require("members.manage")
@require_POST
def restore_invitation(request: HttpRequest, invitation: int) -> HttpResponse:
    """Undo a revocation."""
    found = get_object_or_404(Invitation, pk=invitation)
    with toasts.telling(request, services.AccountsError):
        services.restore_invitation(found, actor=viewer(request))
        messages.success(request, "The link works again")
    return redirect("invitations")


def _link_page(request: HttpRequest, invitation: Invitation, link: str) -> HttpResponse:
    # Shown in the answer itself: a redirect would have to keep the secret somewhere until the next request.
    form = InvitationForm(may_give=roles_to_give(viewer(request)))
    return _invitations_page(request, form, made=invitation, link=absolute(reverse("join", args=[link])))


def _invitations_page(
    request: HttpRequest, form: InvitationForm, *, made: Invitation | None = None, link: str = "", status: int = 200
) -> HttpResponse:
    focus_first_error(form)
    listing = Address.of(reverse("invitations"), request.GET, parse=selectors.INVITATIONS.parse)
    found = selectors.invitations(listing.asked, me=viewer(request).email, cursor=request.GET.get("cursor", ""))
    mail = bool(preferences.current().mail_url)
    words = {
        "form": form,
        "invitations": found.rows,
        "made": made,
        "link": link,
        "mail": mail,
        **listing.bar(rows=all_of(found)),
        **listing.pager(found),
    }
    return htmx.render(request, "accounts/invitations.html", "accounts/_invitations.html", words, status=status)


# ---- Joining ----


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, link: str) -> HttpResponse:
    """Where an invitation leads: a form for somebody new, a button for somebody who has an account."""
    invitation = services.invitation_for(link)
    if invitation is None:
        pending.forget(request)
        return render(request, "accounts/join_gone.html", status=410)
    if isinstance(request.user, User):
        return _join_as(request, invitation, link)
    pending.keep(request, link)
    briefly(request)
    form = JoinForm(request.POST if request.method == "POST" else None, invitation)
    if request.method != "POST" or not form.is_valid():
        return _join_page(request, invitation, link, form)
    try:
        user = services.accept_invitation(link, **form.cleaned_data)
    except services.AccountExistsError as problem:
        form.add_error("email", str(problem))
        return _join_page(request, invitation, link, form)
    except services.LinkGoneError:
        return render(request, "accounts/join_gone.html", status=410)
    pending.forget(request)
    get_adapter(request).login(request, user)
    record_authentication(request, user, "password", email=user.email)
    messages.success(request, f"Welcome to {services.workspace().name}")
    return redirect("home")


def _join_page(request: HttpRequest, invitation: Invitation, link: str, form: JoinForm) -> HttpResponse:
    focus_first_error(form)
    here = reverse("join", args=[link])
    words = {
        "invitation": invitation,
        "form": form,
        "ways": identities.ways(),
        "known": bool(invitation.email) and selectors.account_with(invitation.email),
        "sign_in_url": f"{reverse('account_login')}?{urllib.parse.urlencode({'next': here})}",
    }
    return render(request, "accounts/join.html", words, status=422 if form.errors else 200)


def _join_as(request: HttpRequest, invitation: Invitation, link: str) -> HttpResponse:
    """For somebody who is signed in."""
    user = viewer(request)
    problem, status = "", 200
    if request.method == "POST":
        try:
            services.accept_invitation_as(link, user)
        except services.LinkGoneError:
            return render(request, "accounts/join_gone.html", status=410)
        except services.AccountsError as refused:
            problem, status = str(refused), 409
        else:
            pending.forget(request)
            messages.success(request, f"Welcome to {services.workspace().name}")
            return redirect("home")
    words = {"invitation": invitation, "member": permissions.membership_of(user), "problem": problem}
    return render(request, "accounts/join_as.html", words, status=status)


urlpatterns = [
    path("settings/members/invitations/", invitations, name="invitations"),
    path("settings/members/invitations/<id:invitation>/renew/", renew_invitation, name="renew_invitation"),
    path("settings/members/invitations/<id:invitation>/revoke/", revoke_invitation, name="revoke_invitation"),
    path("settings/members/invitations/<id:invitation>/restore/", restore_invitation, name="restore_invitation"),
    path("join/<str:link>/", join, name="join"),
]
