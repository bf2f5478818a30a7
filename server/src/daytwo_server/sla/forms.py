"""The form of a policy."""

from __future__ import annotations

from typing import Any

from django import forms

from daytwo_server.calendars.models import Calendar
from daytwo_server.sla.durations import Unreadable, read, write
from daytwo_server.sla.models import MAX_NAME, Policy
from daytwo_server.sla.services import PolicyWords
from daytwo_server.tickets.models import Priority

MAX_PLANS = 20
ALWAYS = "Around the clock"


class _Length(forms.CharField):
    """Hours and minutes, as seconds; None when it is left empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, **kwargs)

    def clean(self, value: Any) -> Any:
        try:
            return read(super().clean(value))
        except Unreadable as problem:
            raise forms.ValidationError(str(problem)) from None


class PolicyForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, label="Name", help_text="For example Business plan, urgent.")
    priorities = forms.MultipleChoiceField(
        required=False,
        choices=list(reversed(Priority.choices)),
        label="Priorities",
        widget=forms.CheckboxSelectMultiple,
        help_text="None of them is all of them.",
    )
    plans = forms.CharField(
        required=False,
        max_length=1000,
        label="Plans",
        help_text="As your app names them, with commas between. Empty: customers on any plan.",
    )
    calendar = forms.ChoiceField(
        required=False, label="Working time", help_text="The hours that count; see Settings > Calendars."
    )
    first_response = _Length(
        label="First reply within", help_text="Working time, like 1 h 30 min. Empty: nothing is promised."
    )
    next_response = _Length(label="Every later reply within", help_text="From when the customer wrote again.")
    resolution = _Length(label="Resolved within", help_text="Does not run while we wait for the customer.")

    def __init__(self, *args: Any, calendars: list[Calendar], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._calendars = {str(one.pk): one for one in calendars}
        choices = [("", ALWAYS), *((key, f"{one.name} ({one.time_zone})") for key, one in self._calendars.items())]
        self.fields["calendar"].choices = choices  # type: ignore[attr-defined]

    def clean_plans(self) -> list[str]:
        names = list(dict.fromkeys(name.strip() for name in self.cleaned_data["plans"].split(",") if name.strip()))
        if len(names) > MAX_PLANS or any(len(name) > 64 or not name.isprintable() for name in names):
            raise forms.ValidationError(f"At most {MAX_PLANS} plans, each of at most 64 characters.")
        return names

    def words(self) -> PolicyWords:
        """What was said, once it is valid."""
        said = self.cleaned_data
        return PolicyWords(
            name=" ".join(said["name"].split()),
            priorities=said["priorities"],
            plans=said["plans"],
            calendar=self._calendars.get(said["calendar"]),
            first_response_s=said["first_response"],
            next_response_s=said["next_response"],
            resolution_s=said["resolution"],
        )

    @staticmethod
    def initial_of(policy: Policy) -> dict[str, Any]:
        return {
            "name": policy.name,
            "priorities": policy.priorities,
            "plans": ", ".join(policy.plans),
            "calendar": str(policy.calendar_id or ""),
            "first_response": write(policy.first_response_s),
            "next_response": write(policy.next_response_s),
            "resolution": write(policy.resolution_s),
        }
