"""The pages about errors."""

from django.urls import re_path

from daytwo_server.errors.web import comments, exports, issue, listing, triage

# Every address works with a slash at its end too; the ones without are what links are made of.
_ISSUE = r"^errors/(?P<number>\d{1,18})"
_COMMENT = rf"{_ISSUE}/comments/(?P<comment>\d{{1,18}})"
_EVENT = rf"{_ISSUE}/events/(?P<event_id>[0-9a-f]{{32}})"

app_name = "errors"
urlpatterns = [
    re_path(r"^errors/?$", listing.issue_list, name="list"),
    re_path(r"^errors/news/?$", listing.news, name="news"),
    re_path(r"^errors/undo/?$", triage.undo, name="undo"),
    re_path(rf"{_ISSUE}/?$", issue.latest, name="issue"),
    re_path(rf"{_ISSUE}/news/?$", issue.news, name="issue-news"),
    re_path(rf"{_ISSUE}/events/?$", issue.events, name="events"),
    re_path(rf"{_ISSUE}/tags/?$", issue.tags, name="tags"),
    re_path(rf"{_ISSUE}/activity/?$", issue.activity, name="activity"),
    re_path(rf"{_ISSUE}/comments/?$", comments.add, name="comment"),
    re_path(rf"{_COMMENT}/delete/?$", comments.delete, name="delete-comment"),
    re_path(rf"{_COMMENT}/restore/?$", comments.restore, name="restore-comment"),
    re_path(rf"{_EVENT}/?$", issue.event, name="event"),
    re_path(rf"{_EVENT}/frames/(?P<key>[a-z0-9.]{{1,20}})$", issue.frames, name="event-frames"),
    re_path(rf"{_EVENT}\.json$", exports.as_json, name="event-json"),
    re_path(rf"{_EVENT}\.md$", exports.as_markdown, name="event-md"),
]
