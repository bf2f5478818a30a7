"""API tokens."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import permissions, selectors, services
from daytwo_server.accounts.forms import TokenForm
from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.models import ApiToken
from daytwo_server.accounts.web.common import pager_links
from daytwo_server.core.pages import BadCursor
from daytwo_server.ui import htmx, toasts


@permissions.require("tokens.manage")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
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
    try:
        found = selectors.listed_tokens(cursor=request.GET.get("cursor", ""))
    except BadCursor as problem:
        return HttpResponseBadRequest(str(problem), content_type="text/plain")
    words = {
        "form": form,
        "tokens": found.rows,
        "raw": raw,
        **pager_links("api_tokens", found),
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
    try:
        services.restore_token(found, actor=viewer(request))
    except services.AccountsError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{found.label} works again")
    return go_to(request, reverse("api_tokens"))


urlpatterns = [
    path("settings/tokens/", api_tokens, name="api_tokens"),
    path("settings/tokens/<id:token>/revoke/", revoke_token, name="revoke_token"),
    path("settings/tokens/<id:token>/restore/", restore_token, name="restore_token"),
]
