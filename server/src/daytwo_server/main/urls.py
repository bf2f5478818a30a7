"""Every page of the product, a room a line."""

from django.urls import include, path

from daytwo_server.main import views
from daytwo_server.main.api import api

urlpatterns = [
    # Patterns are tried one after the other: first for programs, which ask most often, then where people are all day.
    path("api/v1/", api.urls),
    path("api/support/", include("daytwo_server.tickets.api.customers")),
    path("", views.home, name="home"),
    path("", include("daytwo_server.desk.web")),
    path("", include("daytwo_server.errors.web")),
    path("", include("daytwo_server.tickets.web")),
    path("", include("daytwo_server.flags.web")),
    path("", include("daytwo_server.customers.web")),
    path("", include("daytwo_server.catalog.web")),
    path("", include("daytwo_server.links.web")),
    path("", include("daytwo_server.calendars.web")),
    path("", include("daytwo_server.webhooks.web")),
    path("", include("daytwo_server.rollouts.web")),
    path("", include("daytwo_server.sla.web")),
    path("", include("daytwo_server.mail.web")),
    path("", include("daytwo_server.portal.web")),
    path("", include("daytwo_server.operate.web")),
    path("", include("daytwo_server.accounts.web")),
]

handler400 = "daytwo_server.main.views.bad_request"
handler403 = "daytwo_server.main.views.permission_denied"
handler404 = "daytwo_server.main.views.not_found"
handler500 = "daytwo_server.main.views.server_error"
