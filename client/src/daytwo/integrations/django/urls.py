"""The health endpoint: /health, /health/live and /health/ready, with and without a slash at the end.

path("", include("daytwo.integrations.django.urls"))
"""

from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from daytwo import health


@csrf_exempt
def report(request: HttpRequest) -> HttpResponse:
    """Runs the checks in threads, also under ASGI; see `daytwo.health`."""
    answer = health.wsgi.answer(request.META)
    body = b"" if request.method == "HEAD" else answer.body
    return HttpResponse(body, status=answer.status, headers=dict(answer.headers))


urlpatterns = [re_path(r"^health(?:/(?:live|ready))?/?$", report, name="daytwo-health")]
