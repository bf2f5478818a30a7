"""Small things that pages with forms need."""

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme

from daytwo_server.accounts.models import User
from daytwo_server.core import conf
from daytwo_server.ui import htmx


def client_address(request: HttpRequest) -> str:
    """Where the request comes from. The front puts the resolved client in X-Daytwo-Client and drops what clients send
    under that name; the peer's own address stands in where no front is before us.
    """
    return request.headers.get("X-Daytwo-Client") or str(request.META.get("REMOTE_ADDR", ""))


def absolute(path: str) -> str:
    """The configured address of one of our pages: a forged Host header must not decide where a link leads."""
    return f"{conf.current().public_url}/{path.removeprefix(get_script_prefix())}"


def viewer(request: HttpRequest) -> User:
    """The person who is signed in, where `permissions.require` stands before the view."""
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user


def safe_url(request: HttpRequest, url: str, otherwise: str) -> str:
    """`url` if it leads to this server, else `otherwise`: a form must not send people elsewhere."""
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    # A bare word is the name of a page to Django's `redirect`, and hardly ever one that exists.
    return url if ours and url.startswith(("/", "http://", "https://")) else otherwise


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Leave for another page. htmx would swap a redirect's page into the form's place, so it is told by a header."""
    if htmx.wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def focus_first_error(form: BaseForm) -> None:
    """Let the keyboard start at the first wrong field of a form that is shown again."""
    wrong = next((name for name in form.fields if name in form.errors), None)
    if wrong:
        form.fields[wrong].widget.attrs["autofocus"] = True
