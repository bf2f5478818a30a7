from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from daytwo_server.accounts.selectors import NoMember, members_named
from daytwo_server.catalog.models import ClientKey, Component, DsnKey, Environment, Project
from daytwo_server.catalog.services import MAX_LABEL, MAX_NAME, MAX_PLATFORM, OVERLAP
from daytwo_server.core import clock
from daytwo_server.ui.widgets import Completed

MAX_RATE, MAX_BURST = 1_000_000, 10_000_000
MAX_DESCRIPTION = 2000


class ProjectForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_NAME, label="Name", help_text="What your team calls the app, for example Checkout."
    )


class ProjectSettingsForm(ProjectForm):
    platform = forms.CharField(
        required=False,
        max_length=MAX_PLATFORM,
        label="Platform",
        help_text="What it is built with, for example python.",
    )

    @classmethod
    def of(cls, project: Project) -> ProjectSettingsForm:
        return cls(initial={"name": project.name, "platform": project.platform})


class KeyForm(forms.Form):
    label = forms.CharField(max_length=MAX_LABEL, label="Label", help_text="Who uses it, for example web or mobile.")


class _Environments(forms.ModelChoiceField):  # type: ignore[type-arg]  # the class takes none when it runs
    """By their names."""

    def label_from_instance(self, obj: Environment) -> str:
        return obj.name


class ServerKeyForm(forms.Form):
    environment = _Environments(
        Environment.objects.none(), label="A new key for the servers of", empty_label=None,
        error_messages={"invalid_choice": "Choose the environment whose servers get the key."},
    )  # fmt: skip

    @classmethod
    def of(cls, project: Project, values: Mapping[str, Any] | None = None) -> ServerKeyForm:
        """To choose among what is not hidden; production at first."""
        known = Environment.objects.filter(project=project, hidden_at=None).order_by("name")
        form = cls(values, initial={"environment": known.filter(name="production").first()})
        form.fields["environment"].queryset = known  # type: ignore[attr-defined]
        return form


class _Origins(forms.Form):
    """From which web pages a public key is used."""

    allowed_origins = forms.CharField(
        required=False,
        label="Web pages that may use it",
        help_text="One a line, like https://app.example.com or https://*.example.com. Empty lets all in.",
        widget=forms.Textarea({"rows": 3}),
    )

    def clean_allowed_origins(self) -> list[str]:
        origins: str = self.cleaned_data["allowed_origins"]
        return [line.strip().rstrip("/") for line in origins.splitlines() if line.strip()]


class ClientKeyForm(_Origins):
    environment = _Environments(Environment.objects.none(), label="A new key to the flags of", empty_label=None)
    field_order = ("environment", "allowed_origins")

    @classmethod
    def of(cls, project: Project, values: Mapping[str, Any] | None = None) -> ClientKeyForm:
        """To choose among what is not hidden; production at first."""
        known = Environment.objects.filter(project=project, hidden_at=None).order_by("name")
        form = cls(values, initial={"environment": known.filter(name="production").first()})
        form.fields["environment"].queryset = known  # type: ignore[attr-defined]
        return form


class ClientKeyOriginsForm(_Origins):
    @classmethod
    def of(cls, key: ClientKey, values: Mapping[str, Any] | None = None) -> ClientKeyOriginsForm:
        return cls(values, initial={"allowed_origins": "\n".join(key.allowed_origins)})


class _Moment(forms.DateTimeInput):
    """The browser's own choice of day and time; whole minutes, in the reader's time zone."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class RotateForm(KeyForm):
    ends_at = forms.DateTimeField(
        label="The old key works until",
        help_text="In your time zone. Until then both let events in; you see when nothing uses the old one any more.",
        widget=_Moment,
    )

    @classmethod
    def of(cls, key: DsnKey) -> RotateForm:
        return cls(initial={"label": key.label, "ends_at": _whole_minutes(clock.now() + OVERLAP)})


class KeyLimitsForm(_Origins):
    rate_per_s = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_RATE, label="Requests a second",
        help_text="Empty: as the installation allows.",
    )  # fmt: skip
    burst = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_BURST, label="Requests at once above that",
        help_text="Empty: as the installation allows.",
    )  # fmt: skip
    ends_at = forms.DateTimeField(
        required=False, label="Works until", help_text="In your time zone. Empty: it has no end.", widget=_Moment
    )

    @classmethod
    def of(cls, key: DsnKey, data: Any = None) -> KeyLimitsForm:
        origins = "\n".join(key.allowed_origins)
        ends_at = _whole_minutes(key.ends_at) if key.ends_at else None
        limits = {"allowed_origins": origins, "rate_per_s": key.rate_per_s, "burst": key.burst, "ends_at": ends_at}
        return cls(data, initial=limits)


class ComponentForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_NAME, label="Name", help_text="As customers know it, for example Checkout API."
    )
    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION, label="Description", widget=forms.Textarea({"rows": 3})
    )
    project = forms.ChoiceField(required=False, label="Project", help_text="The app whose errors are this part's.")
    team = forms.CharField(
        required=False, max_length=MAX_NAME, label="Team", help_text="Who runs it, in your words.",
        widget=Completed("team_names"),
    )  # fmt: skip
    owners = forms.CharField(
        required=False,
        label="Owners",
        help_text="Whom to ask: members' e-mail addresses, with commas between them.",
        widget=Completed("people"),
    )

    def __init__(self, *args: Any, projects: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = [("", "None"), *projects]  # type: ignore[attr-defined]

    def clean_owners(self) -> list[int]:
        try:
            return members_named(self.cleaned_data["owners"].split(","))
        except NoMember as problem:
            raise forms.ValidationError(str(problem)) from None

    @staticmethod
    def initial_of(component: Component) -> dict[str, Any]:
        return {
            "name": component.name,
            "description": component.description,
            "project": component.project.slug if component.project else "",
            "team": component.team,
            "owners": ", ".join(owner.email for owner in component.owners.all()),
        }


def _whole_minutes(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)
