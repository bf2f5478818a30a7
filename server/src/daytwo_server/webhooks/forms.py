"""The form of a webhook."""

from __future__ import annotations

from typing import Any

from django import forms

from daytwo_server.webhooks.events import events
from daytwo_server.webhooks.models import MAX_NAME, MAX_URL, Endpoint
from daytwo_server.webhooks.services import EndpointWords


class EndpointForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, label="Name", help_text="For example: our own dashboard.")
    url = forms.CharField(
        max_length=MAX_URL,
        label="Address",
        help_text="What happens is posted there as JSON, signed.",
        widget=forms.URLInput({"placeholder": "https://example.com/hooks/daytwo", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        required=False,
        label="What it is told",
        help_text="Nothing chosen is everything, also what comes with later versions.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.name, f"{one.text} ({one.name})") for one in events()]
        self.fields["events"].choices = choices  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(endpoint: Endpoint) -> dict[str, Any]:
        return {"name": endpoint.name, "url": endpoint.url, "events": endpoint.events}

    def words(self) -> EndpointWords:
        return EndpointWords(**self.cleaned_data)
