"""Pages for whoever keeps this installation running. They read rooms above this one, as pages may."""

from django.urls import re_path

from daytwo_server.operate.web import ingest

app_name = "operate"
urlpatterns = [re_path(r"^operate/ingest/?$", ingest.ingest_health, name="ingest")]
