"""Retention in a process of its own, for the test that kills it: `python killed_retention.py fill|run|check`."""

import datetime as dt
import json
import sys

OLD, YOUNG, ISSUES = 400, 200, 20


def fill():
    """Events of 20 issues: most of them old, and some issues with nothing young."""
    import make
    from rooms.errors import happen

    from daytwo_server.core import clock

    shop, now = make.project("Shop"), clock.now()
    for count, days, first in ((OLD, 100, 0), (YOUNG, 5, ISSUES // 2)):
        for number in range(0, count, 20):
            at = now - dt.timedelta(days=days, minutes=number)
            events = [
                happen.payload(
                    f"Error{first + n % (ISSUES - first)}", function=f"f{first + n % (ISSUES - first)}",
                    timestamp=at.timestamp(), user={"id": f"{days}-{n}"}, tags={"age": f"{days}-{n}"},
                )
                for n in range(number, number + 20)
            ]  # fmt: skip
            happen.send(shop, *events, at=at)


def run():
    """A whole run, in many small steps."""
    from daytwo_server.core.retention import runs
    from daytwo_server.errors import retention

    retention.CHUNK, retention.ISSUES_CHUNK = 10, 1
    sys.stdout.write("running\n")
    sys.stdout.flush()
    runs.retain("errors")


def check():
    """What is there, and what does not agree."""
    from django.db.models import Exists, OuterRef

    from daytwo_server.core.models import Holding, SearchDocument
    from daytwo_server.errors.models import Event, EventBody, Facet, FacetKey, Grouping, Issue, IssueUser

    bodies = set(EventBody.objects.values_list("event_id", flat=True))
    events = set(Event.objects.values_list("event_id", flat=True))
    holding = Holding.objects.filter(kind="errors").first()
    told = {
        "young": Event.objects.filter(timestamp__gt=dt.datetime.now(dt.UTC) - dt.timedelta(days=50)).count(),
        "old": len(events) - YOUNG,
        "without a body": len(events - bodies),
        "bodies alone": len(bodies - events),
        "issues": Issue.objects.count(),
        "issues without events": Issue.objects.filter(~Exists(Event.objects.filter(issue=OuterRef("pk")))).count(),
        "users wrong": [
            issue.pk for issue in Issue.objects.all() if issue.users != IssueUser.objects.filter(issue=issue).count()
        ],
        "values wrong": [
            row.pk for row in FacetKey.objects.all()
            if row.values != Facet.objects.filter(issue=row.issue_id, key=row.key).count()
        ],
        "groupings alone": Grouping.objects.exclude(issue__in=Issue.objects.all()).count(),
        "findable": SearchDocument.objects.filter(kind="issue").count(),
        "finished": bool(holding and holding.finished_at),
    }  # fmt: skip
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    import django

    django.setup()
    {"fill": fill, "run": run, "check": check}[sys.argv[1]]()
