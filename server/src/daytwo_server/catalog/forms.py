from django import forms

from daytwo_server.catalog.models import DsnKey
from daytwo_server.catalog.services import MAX_LABEL, MAX_NAME

MAX_RATE, MAX_BURST = 1_000_000, 10_000_000


class ProjectForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_NAME, label="Name", help_text="What your team calls the app, for example Checkout."
    )


class KeyForm(forms.Form):
    label = forms.CharField(max_length=MAX_LABEL, label="Label", help_text="Who uses it, for example web or mobile.")


class KeyLimitsForm(forms.Form):
    allowed_origins = forms.CharField(
        required=False,
        label="Web pages that may send",
        help_text="One a line, like https://app.example.com or https://*.example.com. Empty lets all in.",
        widget=forms.Textarea({"rows": 4}),
    )
    rate_per_s = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_RATE, label="Requests a second",
        help_text="Empty: as the installation allows.",
    )  # fmt: skip
    burst = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_BURST, label="Requests at once above that",
        help_text="Empty: as the installation allows.",
    )  # fmt: skip

    @classmethod
    def of(cls, key: DsnKey) -> "KeyLimitsForm":
        origins = "\n".join(key.allowed_origins)
        return cls(initial={"allowed_origins": origins, "rate_per_s": key.rate_per_s, "burst": key.burst})

    def clean_allowed_origins(self) -> list[str]:
        origins: str = self.cleaned_data["allowed_origins"]
        return [line.strip().rstrip("/") for line in origins.splitlines() if line.strip()]
