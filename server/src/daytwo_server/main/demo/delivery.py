"""What Lumenbook delivers: the parts its customers know, and the deploys of its last days."""

from __future__ import annotations

import datetime as dt

from daytwo_server.accounts.models import User
from daytwo_server.catalog import services as catalog
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock
from daytwo_server.main.demo.story import DEPLOYED_H, RELEASES

# name, description, team
COMPONENTS = (
    ("Booking API", "Takes, moves and cancels bookings for practices and their patients.", "Bookings"),
    ("Web app", "What practices work in all day.", "Practice"),
    ("Calendar sync", "Keeps the calendars of other systems and ours alike.", "Integrations"),
    ("Reminders", "Mail and text messages before an appointment.", "Integrations"),
)
# version, environment, hours ago, minutes it took, how it went
DEPLOYS = (
    ("lumenbook@2026.11.18-1", "production", 120.5, 4, "succeeded"),
    (RELEASES[0], "staging", 73.0, 3, "succeeded"),
    (RELEASES[0], "production", 71.0, 4, "succeeded"),
    (RELEASES[1], "staging", 3.1, 3, "succeeded"),
    (RELEASES[1], "production", DEPLOYED_H, 4, "succeeded"),
    ("lumenbook@2026.11.23-2", "staging", 0.4, 2, "failed"),
)


def deliver(project: Project, owner: User) -> None:
    """Name the components and tell of the deploys."""
    for name, description, team in COMPONENTS:
        words = catalog.ComponentWords(
            name=name, description=description, team=team, project=project, owners=[owner.pk]
        )
        catalog.create_component(words, actor=None)
    for version, environment, hours, minutes, status in DEPLOYS:
        started_at = clock.now() - dt.timedelta(hours=hours)
        catalog.record_deploy(
            catalog.DeployWords(
                project=project.slug,
                environment=environment,
                version=version,
                url=f"https://ci.example.com/lumenbook/runs/{version.rpartition('@')[2]}",
                started_at=started_at,
                finished_at=started_at + dt.timedelta(minutes=minutes),
                status=status,
            ),
            token=None,
        )
