"""The forms of what a flag is everywhere, of who gets it in an environment, and of a segment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from daytwo_server.accounts.models import User
from daytwo_server.flags.models import MAX_KEY, MAX_NAME, Flag, Kind, State, Type
from daytwo_server.flags.reading import MAX_VARIANTS
from daytwo_server.flags.words import value

MAX_LISTED = 20_000  # characters of a list that somebody types
_NUMBERS = {Type.INTEGER: int, Type.FLOAT: float}
# The names of the API, by those of the form.
FIELDS = {
    "name": "name", "description": "description", "type": "type", "variants": "variants", "offVariant": "off_variant",
    "defaultVariant": "default_variant", "kind": "kind", "clientExposed": "client_exposed", "owner": "owner",
    "tags": "tags", "removeBy": "remove_by", "key": "key", "allowedPlans": "plans", "allowedUsers": "users",
    "bucketBy": "bucket_by", "prerequisites": "prerequisites", "project": "project", "environment": "project",
    "reason": "reason", "conditions": "conditions",
}  # fmt: skip


def parts(text: str) -> list[str]:
    """What stands between commas or on lines of its own, each once."""
    found = (part.strip() for line in text.splitlines() for part in line.split(","))
    return list(dict.fromkeys(part for part in found if part))


class _Reasoned(forms.Form):
    """A form that asks why, where the workspace wants to know."""

    reason = forms.CharField(required=False, max_length=500, label="Why")
    revision = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, why_needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = why_needed
        if not why_needed:
            del self.fields["reason"]
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def blame(self, problems: Mapping[str, Sequence[str]]) -> None:
        """Say what is wrong beside the field that a path of the API begins with, or above all fields."""
        for path, texts in problems.items():
            name = FIELDS.get(path.partition("[")[0].partition(".")[0])
            found = name if name in self.fields else None
            for text in texts:
                self.add_error(found, text if found and "[" not in path else f"{path}: {text}")


class FlagForm(_Reasoned):
    """What a flag is in all environments. Without `flag` it is a new one, which also has a key, a type, a project."""

    key = forms.RegexField(
        r"^[A-Za-z0-9._-]+$", max_length=MAX_KEY, label="Key",
        help_text="What code asks for: letters, digits, dots, _ and -. It never changes.",
        error_messages={"invalid": "A key is made of letters, digits, dots, _ and -."},
    )  # fmt: skip
    project = forms.ChoiceField(label="Project", help_text="The app that asks for it.")
    type = forms.ChoiceField(choices=Type, label="Type", help_text="What it answers.")
    name = forms.CharField(required=False, max_length=MAX_NAME, label="Name")
    description = forms.CharField(
        required=False, max_length=2000, label="Description", widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(
        choices=Kind,
        label="Kind",
        help_text="Release flags and experiments are reminded to go when they have done their work.",
    )
    variants = forms.CharField(
        required=False, max_length=MAX_LISTED, label="Variants", widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A line each: name = value. On-or-off flags need none. JSON values are written as JSON.",
    )  # fmt: skip
    off_variant = forms.CharField(
        required=False, max_length=100, label="Variant when off", help_text='Empty: the one named "off".'
    )
    default_variant = forms.CharField(
        required=False, max_length=100, label="Variant when on", help_text='Empty: the one named "on".'
    )
    owner = forms.ChoiceField(required=False, label="Owner", help_text="Who removes it when it has done its work.")
    tags = forms.CharField(required=False, max_length=500, label="Tags", help_text="With commas between.")
    remove_by = forms.DateField(required=False, label="Remove by", widget=forms.DateInput(attrs={"type": "date"}))
    client_exposed = forms.BooleanField(
        required=False,
        label="Exposed to client keys",
        help_text="Browsers and phones may ask for it; its answers are then public.",
    )

    def __init__(
        self, *args: Any, flag: Flag | None = None, projects: Sequence[tuple[str, str]] = (), people: Sequence[User],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._flag = flag
        if flag is not None:
            del self.fields["key"], self.fields["project"], self.fields["type"]
        else:
            self.fields["project"].choices = list(projects)  # type: ignore[attr-defined]
            if len(projects) == 1:
                self.fields["project"].initial = projects[0][0]
        choices = [("", "Nobody"), *((one.email, str(one)) for one in people)]
        if flag is not None and flag.owner is not None and flag.owner.email not in dict(choices):
            choices.append((flag.owner.email, str(flag.owner)))  # who owns it can stay so
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "variants" in found:
            kind = self._flag.type if self._flag else found.get("type", Type.BOOLEAN)
            try:
                variants = variants_in(found["variants"], Type(kind))
            except ValueError as problem:
                self.add_error("variants", str(problem))
            else:
                # The weight of a variant is of no field here, and stays as it is.
                weights = (
                    {one["name"]: one["weight"] for one in self._flag.variants if "weight" in one} if self._flag else {}
                )
                found["variants"] = [
                    one | ({"weight": weights[one["name"]]} if one["name"] in weights else {}) for one in variants
                ]
        return found

    def body(self) -> dict[str, Any]:
        """In the words of the API, once it is valid."""
        said = self.cleaned_data
        body = {
            "name": said["name"],
            "description": said["description"],
            "variants": said["variants"],
            "offVariant": said["off_variant"] or None,
            "defaultVariant": said["default_variant"] or None,
            "kind": said["kind"],
            "clientExposed": said["client_exposed"],
            "owner": said["owner"] or None,
            "tags": parts(said["tags"]),
            "removeBy": said["remove_by"].isoformat() if said["remove_by"] else None,
        }
        return body if self._flag else body | {"key": said["key"], "type": said["type"]}

    @staticmethod
    def initial_of(flag: Flag) -> dict[str, Any]:
        return {
            "name": flag.name,
            "description": flag.description,
            "kind": flag.kind,
            "variants": "\n".join(f"{one['name']} = {value(one.get('value'))}" for one in flag.variants),
            "off_variant": flag.off_variant,
            "default_variant": flag.default_variant,
            "owner": flag.owner.email if flag.owner else "",
            "tags": ", ".join(flag.tags),
            "remove_by": flag.remove_by,
            "client_exposed": flag.client_exposed,
        }


def variants_in(text: str, kind: Type) -> list[dict[str, Any]]:
    """Variants as they are typed. Raises ValueError in words."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, written = (part.strip() for part in line.partition("="))
        if not (name and equals):
            raise ValueError(f"{line!r} is no variant; write it like blue = #00f.")
        found.append({"name": name, "value": _value(written, kind)})
    if len(found) > MAX_VARIANTS:
        raise ValueError(f"There are {len(found)} variants; at most {MAX_VARIANTS} fit.")
    return found


def _value(written: str, kind: Type) -> Any:
    if kind == Type.STRING:
        return written
    try:
        return _NUMBERS[kind](written) if kind in _NUMBERS else json.loads(written)
    except ValueError:
        raise ValueError(f"{written!r} is no {Type(kind).label.lower()}.") from None


class TargetingForm(_Reasoned):
    """Who gets a flag in an environment, less its rules and its rollout."""

    plans = forms.CharField(
        required=False, max_length=1000, label="Only these plans",
        help_text="As the app names them, with commas between. Empty: all. Who has no plan has none of them.",
    )  # fmt: skip
    users = forms.CharField(
        required=False, max_length=MAX_LISTED, label="Users who have it without the rollout",
        widget=forms.Textarea(attrs={"rows": 3}), help_text="Ids, a line each. Their plan still has to be allowed.",
    )  # fmt: skip
    bucket_by = forms.CharField(
        required=False, max_length=100, label="Whom a rollout counts",
        widget=forms.TextInput(attrs={"placeholder": "userId, organizationId or an attribute"}),
        help_text="Empty: the user, else the organization. With organizationId everybody in one gets the same.",
    )  # fmt: skip
    prerequisites = forms.CharField(
        required=False, max_length=2000, label="Only where other flags are on",
        widget=forms.Textarea(attrs={"rows": 2}), help_text="A line each: the key, or key = variant, variant.",
    )  # fmt: skip

    def body(self) -> dict[str, Any]:
        """In the words of the API, once it is valid."""
        said = self.cleaned_data
        return {
            "allowedPlans": parts(said["plans"]),
            "allowedUsers": parts(said["users"]),
            "bucketBy": said["bucket_by"] or None,
            "prerequisites": [_prerequisite(line) for line in said["prerequisites"].splitlines() if line.strip()],
        }

    @staticmethod
    def initial_of(state: State | None) -> dict[str, Any]:
        written = state.definition if state else {}
        return {
            "plans": ", ".join(written.get("allowedPlans") or []),
            "users": "\n".join(map(str, written.get("allowedUsers") or [])),
            "bucket_by": written.get("bucketBy") or "",
            "prerequisites": "\n".join(
                " = ".join(filter(None, [one["flag"], ", ".join(one.get("variants") or [])]))
                for one in written.get("prerequisites") or []
            ),
        }


def _prerequisite(line: str) -> dict[str, Any]:
    key, _, variants = line.partition("=")
    return {"flag": key.strip(), "variants": parts(variants)}


class SegmentForm(_Reasoned):
    """The name of a segment; its conditions are rows of their own."""

    project = forms.ChoiceField(label="Project")
    name = forms.CharField(max_length=100, label="Name", help_text="By which rules name it.")
    description = forms.CharField(required=False, max_length=2000, label="Description")

    def __init__(self, *args: Any, projects: Sequence[tuple[str, str]], known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = list(projects)  # type: ignore[attr-defined]
        if known:
            del self.fields["project"], self.fields["name"]
