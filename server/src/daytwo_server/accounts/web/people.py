"""Members to choose from while somebody types a name into a field."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from daytwo_server.accounts import permissions, selectors

MAX_ASKED = 200
OFFERED = 20


@permissions.require("members.view")
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The options of a field: members whose name or e-mail has what was typed, behind the last comma where the field
    takes several. `?of=` says under which name the field sends it.
    """
    typed = request.GET.get(request.GET.get("of", "q"), "").replace("\x00", "")
    asked = typed.rpartition(",")[2].strip()[:MAX_ASKED]
    return render(request, "accounts/_people.html", {"people": selectors.people(asked, limit=OFFERED)})


urlpatterns = [path("people/", people, name="people")]
