"""The pages of the settings: which sections of `core.conf` stand on which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from daytwo_server.core import conf
from daytwo_server.core.ref import Ref, resolver


@dataclass(frozen=True, kw_only=True)
class Section:
    """A page. `holds` are the sections of `core.conf` on it; group, icon, order, text are those of the navigation."""

    slug: str
    label: str
    holds: tuple[str, ...]
    group: str
    icon: str
    order: int
    text: str
    lead: str

    @property
    def name(self) -> str:
        """Of the route, within `operate`."""
        return f"settings-{self.slug.replace('/', '-')}"

    @property
    def url_name(self) -> str:
        return f"operate:{self.name}"

    def settings(self) -> list[str]:
        """The names of the settings on the page, in their order."""
        return [name for name, field in conf.fields().items() if field.metadata["section"] in self.holds]


SECTIONS = (
    Section(
        slug="general", label="General", holds=("General",), group="Workspace", icon="settings", order=5,
        text="What this workspace is called, and who helps",
        lead="What people see of this workspace.",
    ),
    Section(
        slug="support", label="Support", holds=("Support",), group="Workspace", icon="inbox", order=27,
        text="The customer portal, and asking how it went",
        lead="What customers find at /help, and what they are asked.",
    ),
    Section(
        slug="sign-in", label="Sign-in", holds=("Sign-in",), group="Workspace", icon="lock", order=25,
        text="GitHub, single sign-on, second factors",
        lead="How people come in.",
    ),
    Section(
        slug="backup/settings", label="Backup schedule", holds=("Backup",), group="Installation", icon="calendar",
        order=52, text="When backups are made, and how many stay",
        lead="When backups are made, and how many stay.",
    ),
    Section(
        slug="intake", label="Intake", holds=("Intake",), group="Installation", icon="inbox", order=60,
        text="How much apps may send",
        lead="How much apps may send, and when Daytwo says no. A key can have limits of its own: see its project.",
    ),
    Section(
        slug="retention", label="Retention", holds=("Retention",), group="Installation", icon="clock", order=65,
        text="What is kept, for how long, and the space it takes",
        lead="What is kept, for how long, and the space it takes. What is older goes every night, for good.",
    ),
    Section(
        slug="privacy", label="Privacy", holds=("Privacy",), group="Installation", icon="eye", order=70,
        text="What is removed before anything is stored",
        lead="What is removed before anything is stored, and where Daytwo may connect to.",
    ),
    Section(
        slug="mail", label="Mail", holds=("Mail",), group="Installation", icon="mail", order=75,
        text="The mail server, and whether it takes mail",
        lead="The mail server, and whether it takes mail.",
    ),
    Section(
        slug="health", label="Own health", holds=("Own health",), group="Installation", icon="gauge", order=80,
        text="What Daytwo logs and reports of itself",
        lead="What Daytwo logs and reports of itself.",
    ),
    Section(
        slug="server", label="Server and stores", holds=("Server", "Stores"), group="Installation", icon="database",
        order=90, text="Address, proxies, databases",
        lead="Read once when Daytwo starts, and so changed by whoever starts it.",
    ),
)  # fmt: skip


def section_of(name: str) -> Section | None:
    """The page of a setting; None for one that this version does not have."""
    field = conf.fields().get(name)
    return next((one for one in SECTIONS if field and field.metadata["section"] in one.holds), None)


@resolver("setting")
def settings(names: Sequence[str]) -> Mapping[str, Ref]:
    """How the audit log names a setting."""
    pages = {name: page for name in names if (page := section_of(name))}
    return {
        name: Ref("setting", name, _label(name), f"{reverse(page.url_name)}#{name}") for name, page in pages.items()
    }


def _label(name: str) -> str:
    metadata = conf.fields()[name].metadata
    return f"{metadata['page'] or metadata['env']} ({metadata['section']})"
