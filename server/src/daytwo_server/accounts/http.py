"""Small things that pages with forms need."""

from collections.abc import Sequence
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from daytwo_server.accounts import selectors
from daytwo_server.accounts.models import User
from daytwo_server.core import conf
from daytwo_server.ui import htmx
from daytwo_server.ui.listing import Address

LISTED = 50  # choices that a list holds; of more, one is typed


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


def member_choice(listing: Address, name: str, label: str, words: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A field of a filter panel that takes a member's e-mail address or one of `words` (value, for people): a list
    while the members are few, else what is typed is completed.
    """
    people = selectors.people(limit=LISTED + 1)
    if len(people) > LISTED:
        hint = ", ".join([*(value for value, _ in words), "name or e-mail"])
        return listing.completed(name, label, reverse("people"), hint)
    return listing.choice(name, label, [*words, *((person.email, str(person)) for person in people)])


def focus_first_error(form: BaseForm) -> None:
    """Let the keyboard start at the first wrong field of a form that is shown again."""
    wrong = next((name for name in form.fields if name in form.errors), None)
    if wrong:
        form.fields[wrong].widget.attrs["autofocus"] = True


def form_page(
    request: HttpRequest, page: str, form: BaseForm, *, action: str, back: str, submit: str, **words: Any
) -> HttpResponse:
    """A page that is one form, or that form alone where htmx sent it: 200, and 422 when it was sent and is wrong.

    `action`, `back` and `submit` are those of ui/components/form.html, which `page` includes; `words` are for the page.
    """
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words |= {"form": form, "action": action, "back": back, "submit": submit}
    return htmx.render(request, page, "ui/components/form.html", words, status=status)
