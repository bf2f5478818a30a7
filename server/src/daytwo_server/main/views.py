"""Pages that belong to no room: the way in, and what is shown when something is wrong."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import loader

import daytwo
from daytwo_server.core.trouble import is_trouble, words
from daytwo_server.portal.web.refusing import form_refused

log = daytwo.get_logger("daytwo.web")
STORE_TROUBLE = "The database cannot be used now"
RETRY_AFTER_S = "5"
API = "/api/"


def home(request: HttpRequest) -> HttpResponse:
    return redirect("errors:list")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        return JsonResponse({"detail": "The request cannot be read, or is too large.", "fields": {}}, status=400)
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: cookies are off, or the page was open since before signing in."""
    if request.resolver_match and request.resolver_match.app_name == "portal":  # nothing of members is said there
        return form_refused(request, reason)
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        return JsonResponse({"detail": "There is nothing at this address.", "fields": {}}, status=404)
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """What no view caught, in the form the caller reads. No context processors: what broke may be among them."""
    problem = sys.exc_info()[1]
    if problem is not None and is_trouble(problem):
        return _unavailable(request, problem)
    if request.path_info.startswith(API):
        return JsonResponse({"detail": "The server failed; the log says why.", "fields": {}}, status=500)
    return HttpResponse(loader.get_template("500.html").render({}), status=500)


def _unavailable(request: HttpRequest, problem: BaseException) -> HttpResponse:
    """503: a store is down, locked or full. Nothing was changed, and the same may work in a moment."""
    log.error("a page needs a database that cannot be used", reason=words(problem))
    detail = f"{STORE_TROUBLE}. Nothing was changed; try again in a moment."
    if request.path_info.startswith(API):
        response: HttpResponse = JsonResponse({"detail": detail, "fields": {}}, status=503)
    elif "HX-Request" in request.headers:
        response = HttpResponse(detail, status=503, content_type="text/plain")
    else:
        told = {"heading": STORE_TROUBLE, "why": "It is down, or busy with something else."}
        response = HttpResponse(loader.get_template("503.html").render(told), status=503)
    response["Retry-After"] = RETRY_AFTER_S
    response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001 - or Django logs the path and a traceback
    return response
