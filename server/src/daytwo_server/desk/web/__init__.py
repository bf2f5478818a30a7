"""The palette and its page, short links, saved views, drafts, who else is on a page."""

from django.urls import path, re_path

from daytwo_server.desk.web import drafts, palette, presence, views

app_name = "desk"
urlpatterns = [
    re_path(r"^search/?$", palette.search, name="search"),
    re_path(r"^palette/?$", palette.palette, name="palette"),
    re_path(r"^x/(?P<code>.+?)/?$", palette.short_link, name="short-link"),
    path("recent/", palette.visit, name="visit"),
    path("views/", views.save, name="save-view"),
    path("views/<id:view>/", views.change, name="view"),
    path("views/<id:view>/restore/", views.restore, name="restore-view"),
    path("drafts/", drafts.save, name="draft"),
    path("presence/", presence.presence, name="presence"),
]
