"""The pages of flags and segments."""

from django.urls import path

from daytwo_server.flags.web import (
    changes,
    definitions,
    flag,
    listing,
    news,
    of_ticket,
    overrides,
    ramps,
    rules,
    segments,
    trying,
)

app_name = "flags"
urlpatterns = [
    path("flags/", listing.flag_list, name="list"),
    path("flags/bring-back/", listing.bring_back, name="bring-back"),
    path("flags/new/", definitions.create, name="create"),
    path("flags/segments/", segments.segment_list, name="segments"),
    path("flags/segments/new/", segments.create_segment, name="create-segment"),
    path("flags/segments/<id:segment>/", segments.segment, name="segment"),
    path("flags/segments/<id:segment>/remove/", segments.remove_segment, name="remove-segment"),
    path("flags/of-ticket/<id:number>/", of_ticket.of_ticket, name="of-ticket"),
    path("flags/changes/<id:change>/revert/", changes.revert, name="revert"),
    path("flags/<id:number>/", flag.flag_page, name="flag"),
    path("flags/<id:number>/news/", news.news, name="news"),
    path("flags/<id:number>/edit/", definitions.edit, name="edit"),
    path("flags/<id:number>/archive/", definitions.archive, {"archived": True}, name="archive"),
    path("flags/<id:number>/restore/", definitions.archive, {"archived": False}, name="restore"),
    path("flags/<id:number>/targeting/", definitions.targeting, name="targeting"),
    path("flags/<id:number>/rules/new/", rules.rule, name="new-rule"),
    path("flags/<id:number>/rules/<id:position>/", rules.rule, name="rule"),
    path("flags/<id:number>/rules/<id:position>/move/", rules.move_rule, name="move-rule"),
    path("flags/<id:number>/overrides/", overrides.override_page, name="overrides"),
    path("flags/<id:number>/ramp/", ramps.ramp_page, name="ramp"),
    path("flags/<id:number>/changes/", changes.changes, name="changes"),
    path("flags/<id:number>/try/", trying.try_it, name="try"),
]
