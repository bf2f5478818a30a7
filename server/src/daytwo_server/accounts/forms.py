"""Forms about people and tokens. Django and allauth check; here are the words."""

import datetime as dt
import functools
import zoneinfo
from typing import Any

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib.auth import password_validation
from django.http import HttpRequest

from daytwo_server.accounts import permissions
from daytwo_server.accounts.jobs import mail_password_link_later
from daytwo_server.accounts.models import User
from daytwo_server.core import clock

PASSWORD_HINT = "At least 10 characters, and none of the passwords everybody uses."  # noqa: S105 - a hint, no password
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "A year", "": "Until it is revoked"}


@functools.cache
def time_zones() -> list[str]:
    """Zones by place ("Europe/Berlin") and UTC; abbreviations and offsets are left out, as they know no summer time."""
    places = {zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix"))}
    return ["UTC", *sorted(places)]


class WelcomeForm(forms.Form):
    name = forms.CharField(max_length=100, label="Your name", widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(max_length=254, label="E-mail", widget=forms.EmailInput({"autocomplete": "username"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text=PASSWORD_HINT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "password" in values:
            person = User(name=values.get("name", ""), email=values.get("email", ""))
            try:
                password_validation.validate_password(values["password"], person)
            except forms.ValidationError as wrong:
                self.add_error("password", wrong)
        return values


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]  # allauth has no types
    def save(self, _request: HttpRequest, **_kwargs: Any) -> str:
        """Mail a link if somebody has that address."""
        mail_password_link_later(next(iter(self.users), None))
        return str(self.cleaned_data["email"])


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=100, label="Name")
    theme = forms.ChoiceField(choices=User.Theme.choices, label="Colours")
    density = forms.ChoiceField(choices=User.Density.choices, label="Rows")
    time_zone = forms.ChoiceField(choices=lambda: [(zone, zone) for zone in time_zones()], label="Time zone")
    single_key_shortcuts = forms.BooleanField(
        required=False, label="Shortcuts of one letter", help_text="Off when they get in the way of speech input."
    )


class TokenForm(forms.Form):
    label = forms.CharField(max_length=100, label="What is it for?", help_text="For example: deploy script")
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="Valid for")
    everything = forms.BooleanField(
        required=False, initial=True, label="Everything its creator may do", help_text="Or choose below."
    )
    scopes = forms.MultipleChoiceField(
        choices=lambda: [(row.name, f"{row.text} ({row.name})") for row in permissions.table()],
        required=False,
        label="Only this",
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if bool(values.get("everything")) == bool(values.get("scopes")):
            # Neither is guessed from the other: the token would quietly be mightier, or weaker, than was meant.
            self.add_error("scopes", "Choose at least one, or everything, but not both.")
        return values

    def chosen_scopes(self) -> list[str]:
        return [permissions.ALL_SCOPES] if self.cleaned_data["everything"] else self.cleaned_data["scopes"]

    def expires_at(self) -> dt.datetime | None:
        days = self.cleaned_data["lifetime"]
        return clock.now() + dt.timedelta(days=int(days)) if days else None
