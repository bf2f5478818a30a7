"""Forms about people and tokens. Django and allauth check; here are the words."""

import datetime as dt
import functools
import itertools
import zoneinfo
from collections.abc import Collection
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib.auth import password_validation
from django.forms.boundfield import BoundWidget
from django.http import HttpRequest, QueryDict

from daytwo_server.accounts import permissions
from daytwo_server.accounts.jobs import mail_password_link_later
from daytwo_server.accounts.models import Invitation, Membership, User
from daytwo_server.core import clock

PASSWORD_HINT = "At least 10 characters, and none of the passwords everybody uses."  # noqa: S105 - a hint, no password
ROLES = {
    Membership.Role.OWNER: "everything, and who else is an owner",
    Membership.Role.ADMIN: "settings, members and tokens, and what engineers may",
    Membership.Role.ENGINEER: "projects, keys and errors",
    Membership.Role.AGENT: "customers and what they ask",
    Membership.Role.VIEWER: "reads everything, changes nothing",
}
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


class JoinForm(WelcomeForm):
    """The same for somebody who was invited; an address that was invited cannot be changed."""

    def __init__(self, data: QueryDict | None, invitation: Invitation) -> None:
        super().__init__(data, initial={"name": invitation.name, "email": invitation.email})
        if invitation.email:
            self.fields["email"].disabled = True
            self.fields["email"].help_text = "The address that was invited."


class RoleForm(forms.Form):
    """`was` is the role that the page showed: if it is another one by now, nothing is changed."""

    role = forms.ChoiceField(choices=Membership.Role.choices, widget=forms.RadioSelect, label="Role")
    was = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, may_give: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Shown are those that the viewer may give; the others are refused with the reason by the services.
        self.fields["role"].widget.choices = [
            (role, f"{role.label}: {text}") for role, text in ROLES.items() if role in may_give
        ]


class InvitationForm(RoleForm):
    email = forms.EmailField(
        max_length=254,
        required=False,
        label="E-mail",
        help_text="May be left empty: then whoever has the link gives theirs.",
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    name = forms.CharField(
        max_length=100, required=False, label="Name", widget=forms.TextInput({"autocomplete": "off"})
    )
    was = None  # type: ignore[assignment]  # nobody can change it meanwhile
    field_order = ("email", "name", "role")


class EmailForm(forms.Form):
    """Another address, confirmed by the password: a session left open must not be enough to take an account over."""

    email = forms.EmailField(max_length=254, label="New e-mail", widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def __init__(self, data: QueryDict | None, request: HttpRequest) -> None:
        super().__init__(data)
        self.request = request

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        # Guesses are counted there, as they are on the page for signing in.
        if not get_adapter(self.request).reauthenticate(self.request.user, password):
            raise forms.ValidationError("This is not your password. Nothing was changed.")
        return password


class NewPasswordForm(forms.Form):
    """A first password for somebody who signs in through another service."""

    password = forms.CharField(
        label="Password",
        strip=False,
        help_text=PASSWORD_HINT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, data: QueryDict | None, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password, self.user)
        return password


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
    absolute_times = forms.BooleanField(
        required=False, label="Times by the clock", help_text="“14 Oct, 08:40” instead of “5 min ago”, on every page."
    )
    single_key_shortcuts = forms.BooleanField(
        required=False, label="Shortcuts of one letter", help_text="Off when they get in the way of speech input."
    )


class TokenForm(forms.Form):
    label = forms.CharField(max_length=100, label="What is it for?", help_text="For example: deploy script")
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="Valid for")
    everything = forms.BooleanField(
        required=False, initial=True, label="Everything its creator may do", help_text="Switch it off to choose below."
    )
    scopes = forms.MultipleChoiceField(
        choices=lambda: [(row.name, row.text) for row in permissions.table()],
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

    def scopes_by_room(self) -> list[tuple[str, list[BoundWidget]]]:
        """The boxes of `scopes` by what stands before the dot of their names, for the template."""
        grouped = itertools.groupby(self["scopes"].subwidgets, key=lambda box: str(box.data["value"]).partition(".")[0])
        return [(room.capitalize(), list(boxes)) for room, boxes in grouped]

    def chosen_scopes(self) -> list[str]:
        return [permissions.ALL_SCOPES] if self.cleaned_data["everything"] else self.cleaned_data["scopes"]

    def expires_at(self) -> dt.datetime | None:
        days = self.cleaned_data["lifetime"]
        return clock.now() + dt.timedelta(days=int(days)) if days else None
