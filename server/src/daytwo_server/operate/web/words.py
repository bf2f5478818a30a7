"""What people call the things that SDKs send and the reasons why some are not kept, jobs and facts."""

from __future__ import annotations

import json
import re
from typing import Any

from daytwo_server.core.models import Job
from daytwo_server.operate.selectors.jobs import REACT

ITEMS = {
    "event": "Errors and messages",
    "transaction": "Transactions",
    "span": "Spans",
    "log": "Logs",
    "otel_log": "Logs (OpenTelemetry)",
    "trace_metric": "Metrics",
    "statsd": "Metrics (statsd)",
    "metric_buckets": "Metrics (buckets)",
    "metric_meta": "Descriptions of metrics",
    "session": "Sessions",
    "sessions": "Session counts",
    "feedback": "User feedback",
    "user_report": "User reports",
    "client_report": "SDKs' reports of what they dropped",
    "replay_event": "Replays",
    "replay_recording": "Replay recordings",
    "replay_video": "Replay videos",
    "check_in": "Check-ins",
    "profile": "Profiles",
    "profile_chunk": "Profile chunks",
    "attachment": "Attachments",
    "security": "Security reports of browsers",
    "nel": "Network errors of browsers",
    "minidump": "Minidumps",
    "unreal": "Unreal crashes",
    "request": "Whole requests",
    "other": "Other kinds",
}

# reason: (what happened, what to do)
REASONS = {
    "rate_limit": (
        "The key sent faster than its rate.",
        "Raise the limits of the key, or find out what sends so much.",
    ),
    "disk_space": ("The disk is nearly full.", "Free some space, or lower DAYTWO_MIN_FREE_DISK_MB."),
    "spool_full": (
        "More arrives than is digested.",
        "See below what the digest says; raise DAYTWO_SPOOL_MAX_MB for longer bursts.",
    ),
    "busy": ("Too much arrived at the same moment.", "Nothing, unless it stays so: then this machine is too small."),
    "write_failed": ("The spool could not be written.", "Look at the disk and at the rights of the data directory."),
    "too_large": ("It was larger than allowed.", "Send less with each event: attachments, extra data, request bodies."),
    "malformed": ("It was not readable.", "Look for a proxy that changes or cuts bodies, or an outdated SDK."),
    "unreadable": ("It was not readable.", "Look for a proxy that changes or cuts bodies, or an outdated SDK."),
    "unknown_key": ("The key is not known here.", "Compare the DSN in the app with the project's page."),
    "disabled_key": ("The key is switched off.", "Enable it on the project's page, or take it out of the app."),
    "ended_key": (
        "The key was replaced and has ended.",
        "Put the new DSN into the app, or give the old key a later end on the project's page.",
    ),
    "archived_project": (
        "Its project is archived.",
        "Take the DSN out of the app, or bring the project back on its page.",
    ),
    "missing_key": ("There was no key.", "Compare the DSN in the app with the project's page."),
    "key_mismatch": ("Different keys in one request.", "Compare the DSN in the app with the project's page."),
    "wrong_project": ("The key belongs to another project.", "Compare the DSN in the app with the project's page."),
    "origin": ("The web page is not among those the key allows.", "Add it to the limits of the key."),
    "duplicate": ("It was here already.", "Nothing: it is counted once."),
    "digest_failed": (
        "It could not be digested.",
        "It lies in quarantine in the data directory; `daytwo doctor` says more.",
    ),
    "damaged": (
        "The spool was damaged on disk before it was digested.",
        "Check the disk and the memory of this machine.",
    ),
    "timeout": ("The body did not arrive in time.", "Look at the network between the app and here."),
    "client_gone": ("The sender hung up.", "Look at the network between the app and here."),
    "starting": ("The server had just started.", "Nothing, unless it stays so."),
    "internal_error": ("Intake failed.", "This is our fault; the log says more."),
}


def item(name: str) -> str:
    return ITEMS.get(name, name)


def reason(name: str) -> tuple[str, str]:
    """What happened and what to do."""
    return REASONS.get(name, (name.replace("_", " ").capitalize() + ".", ""))


def job(job: Job) -> str:
    """What a job is called: its kind, and of a reaction what it does."""
    return reaction(_args(job).get("reaction", "")) if job.kind == REACT else job.kind


def fact_of(job: Job) -> int | None:
    """The fact that a reaction is about."""
    number = _args(job).get("fact") if job.kind == REACT else None
    return number if isinstance(number, int) else None


def _args(job: Job) -> dict[str, Any]:
    args = json.loads(job.args)
    return args if isinstance(args, dict) else {}


def reaction(name: str) -> str:
    """Functions in `wiring` are named by sentences: "...forget_the_events" becomes "Forget the events"."""
    return name.rpartition(".")[2].replace("_", " ").capitalize()


def fact(name: str) -> str:
    """`IssueRegressed` becomes "Issue regressed"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).capitalize()
