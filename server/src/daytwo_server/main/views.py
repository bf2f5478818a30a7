"""Pages that belong to no room: the way in, and what is shown when something is wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader


def home(request: HttpRequest) -> HttpResponse:
    return redirect("errors:list")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: cookies are off, or the page was open since before signing in."""
    return render(request, "403.html", {"csrf": True}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """No context processors: what broke may be among them."""
    return HttpResponse(loader.get_template("500.html").render({}), status=500)
