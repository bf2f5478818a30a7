"""Where mail providers tell what happened. See docs/how-to/mail.md."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from daytwo_server.mail import webhooks

log = logging.getLogger(__name__)


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def webhook(request: HttpRequest, provider: str, kind: str) -> HttpResponse:
    """`kind` is inbound, inbound_mime or tracking. A HEAD only asks whether somebody is here, as some do first."""
    try:
        return webhooks.take(request, provider, kind)
    except webhooks.Closed as closed:
        log.warning("The webhook /mail/%s/%s/ was answered %d: %s", provider, kind, closed.status, closed)
        return HttpResponse(str(closed), status=closed.status, content_type="text/plain")


app_name = "mail"
urlpatterns = [path("mail/<slug:provider>/<slug:kind>/", webhook, name="webhook")]
