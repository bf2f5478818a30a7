"""API tokens."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import permissions, selectors, services
from daytwo_server.accounts.forms import TokenForm
from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.models import ApiToken
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, all_of, refusing_bad_filters


@permissions.require("tokens.manage")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@refusing_bad_filters()
def api_tokens(request: HttpRequest) -> HttpResponse:
    """The list, and the one moment in which a new token's text is shown."""
    form = TokenForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return _tokens_page(request, form, status=status)
    # Shown in the answer itself: a redirect would have to keep the secret somewhere until the next request.
    _, raw = services.create_token(
        form.cleaned_data["label"], scopes=form.chosen_scopes(), expires_at=form.expires_at(), actor=viewer(request)
    )
    return _tokens_page(request, TokenForm(), raw=raw)


def _tokens_page(request: HttpRequest, form: TokenForm, *, raw: str = "", status: int = 200) -> HttpResponse:
    focus_first_error(form)
    listing = Address.of(reverse("api_tokens"), request.GET, parse=selectors.TOKENS.parse)
    found = selectors.listed_tokens(listing.asked, me=viewer(request).email, cursor=request.GET.get("cursor", ""))
    words = {
        "form": form,
        "tokens": found.rows,
        "raw": raw,
        **listing.bar(rows=all_of(found)),
        **listing.pager(found),
    }
    return htmx.render(request, "accounts/tokens.html", "accounts/_tokens.html", words, status=status)


@permissions.require("tokens.manage")
@require_POST
def revoke_token(request: HttpRequest, token: int) -> HttpResponse:
    """Stop a token; its row offers the way back for ten minutes."""
    found = get_object_or_404(ApiToken, pk=token)
    services.revoke_token(found, actor=viewer(request))
    toasts.undoable(request, f"{found.label} was revoked", reverse("restore_token", args=[found.pk]))
    return go_to(request, reverse("api_tokens"))


@permissions.require("tokens.manage")
@require_POST
def restore_token(request: HttpRequest, token: int) -> HttpResponse:
    """Undo a revocation."""
    found = get_object_or_404(ApiToken, pk=token)
    with toasts.telling(request, services.AccountsError):
        services.restore_token(found, actor=viewer(request))
        messages.success(request, f"{found.label} works again")
    return go_to(request, reverse("api_tokens"))


urlpatterns = [
    path("settings/tokens/", api_tokens, name="api_tokens"),
    path("settings/tokens/<id:token>/revoke/", revoke_token, name="revoke_token"),
    path("settings/tokens/<id:token>/restore/", restore_token, name="restore_token"),
]
