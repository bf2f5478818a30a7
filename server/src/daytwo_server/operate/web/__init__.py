"""Pages for whoever keeps this installation running. They read rooms above this one, as pages may."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from daytwo_server.operate.web import audit, backup, facts, ingest, jobs, mails, permissions, settings

app_name = "operate"
urlpatterns = [
    path("settings/ingest/", ingest.ingest_health, name="ingest"),
    # Where it was in 0.1: bookmarks, and messages that were sent with a link.
    re_path(r"^operate/ingest/?$", RedirectView.as_view(pattern_name="operate:ingest"), name="ingest-before"),
    path("settings/jobs/", jobs.job_list, name="jobs"),
    path("settings/jobs/counts/", jobs.counts, name="job-counts"),
    path("settings/jobs/restore/", jobs.restore, name="restore-jobs"),
    path("settings/jobs/periodic/", jobs.periodic, name="periodic"),
    path("settings/jobs/<id:number>/", jobs.job, name="job"),
    *mails.urlpatterns,
    path("settings/facts/", facts.fact_list, name="facts"),
    path("settings/audit/", audit.audit_log, name="audit"),
    re_path(r"^settings/audit/export\.(?P<kind>csv|jsonl)$", audit.export, name="audit-export"),
    path("settings/backup/", backup.overview, name="backup"),
    path("settings/permissions/", permissions.permission_table, name="permissions"),
    *settings.urlpatterns,
]
