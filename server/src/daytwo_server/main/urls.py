"""Every page of the product, a room a line."""

from django.urls import include, path

from daytwo_server.main import views
from daytwo_server.main.api import api

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("daytwo_server.accounts.web")),
    path("", include("daytwo_server.desk.web")),
    path("", include("daytwo_server.links.web")),
    path("", include("daytwo_server.catalog.web")),
    path("", include("daytwo_server.customers.web")),
    path("", include("daytwo_server.errors.web")),
    path("", include("daytwo_server.tickets.api.customers")),
    path("", include("daytwo_server.tickets.web")),
    path("", include("daytwo_server.operate.web")),
    path("api/v1/", api.urls),
]

handler400 = "daytwo_server.main.views.bad_request"
handler403 = "daytwo_server.main.views.permission_denied"
handler404 = "daytwo_server.main.views.not_found"
handler500 = "daytwo_server.main.views.server_error"
