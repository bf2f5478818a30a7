"""The form of a page of settings, made from `core.conf`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from daytwo_server.core import conf
from daytwo_server.core.conf import Choice, Integer
from daytwo_server.core.preferences import Origin, Source
from daytwo_server.ui import times

MAX_TEXT = 2000


class SettingsForm(forms.Form):
    """A field for each setting that may be changed here.

    Beside each field two hidden ones go back and forth: `was`, the text that the editor began with, and the `version`
    of the setting then. Only what the editor changed is saved, so two people who change different settings of one page
    are not in each other's way. `names` are people by id.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        names: Mapping[int, str],
        data: QueryDict | None = None,
        locked: bool = False,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._names = names
        self._data = {} if data is None else self._complete(data)
        super().__init__(None if data is None else self._data, auto_id="%s")
        for name, source in self._sources.items():
            self.fields[name] = _field(source, names, locked=locked)
            self.fields[f"{name}.was"] = _hidden(text_of(source))
            self.fields[f"{name}.version"] = _hidden(str(source.version))

    def _complete(self, data: QueryDict) -> dict[str, str]:
        """What was sent, and for what was not (a single setting goes back to its default) how it is."""
        whole: dict[str, str] = {}
        for name, source in self._sources.items():
            begun = {name: text_of(source), f"{name}.was": text_of(source), f"{name}.version": str(source.version)}
            sent = name in data
            whole |= {key: data.get(key, "") if sent else value for key, value in begun.items()}
        return whole

    def wanted(self) -> dict[str, str]:
        """What the editor changed. Call on a valid form."""
        values = self.cleaned_data
        return {name: values[name] for name in self._sources if values[name] != values[f"{name}.was"]}

    def versions(self) -> dict[str, int]:
        """The versions that the editor saw."""
        return {name: version_of(self.cleaned_data[f"{name}.version"]) for name in self._sources}

    def tell_of(self, now: Mapping[str, Source]) -> None:
        """Show beside the editor's own values what others made of them meanwhile; saving again then holds."""
        data = self._data
        for name, source in now.items():
            who = self._names.get(source.by or 0, "Somebody")
            theirs = f"set it to {text_of(source)}" if source.origin is Origin.PAGE else "went back to the default"
            mine = f"to make it {data[name]}" if data[name] else "to go back to the default"
            self.add_error(name, f"{who} {theirs} meanwhile. Save again {mine}.")
            data[f"{name}.was"], data[f"{name}.version"] = text_of(source), str(source.version)


def version_of(text: str) -> int:
    """A version as a form sends it; one that no setting has for anything else."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def text_of(source: Source) -> str:
    """What stands in the field: empty where the default holds."""
    return conf.as_text(source.value) if source.origin is Origin.PAGE else ""


def _field(source: Source, names: Mapping[int, str], *, locked: bool) -> forms.Field:
    metadata = conf.fields()[source.name].metadata
    default = conf.as_text(conf.default_of(source.name))
    attrs: dict[str, Any] = {"placeholder": default, "autocomplete": "off"}
    widget: forms.Widget = forms.TextInput(attrs)
    if isinstance(metadata["parse"], Integer):
        widget = forms.NumberInput(attrs | {"min": metadata["parse"].low, "max": metadata["parse"].high})
    elif isinstance(metadata["parse"], Choice):
        choices = [("", f"{default} (default)"), *((word, word) for word in metadata["parse"].allowed)]
        widget = forms.Select(choices=choices)
    return forms.CharField(
        label=metadata["page"], help_text=_hint(source, names), initial=text_of(source), required=False,
        max_length=MAX_TEXT, widget=widget, disabled=locked,
    )  # fmt: skip


def _hidden(text: str) -> forms.Field:
    return forms.CharField(initial=text, required=False, max_length=MAX_TEXT, widget=forms.HiddenInput)


def _hint(source: Source, names: Mapping[int, str]) -> SafeString:
    return format_html("{} {}", conf.fields()[source.name].metadata["help"], origin_of(source, names))


def origin_of(source: Source, names: Mapping[int, str]) -> SafeString:
    """Where the value comes from, as a sentence."""
    default = conf.as_text(conf.default_of(source.name)) or "nothing"
    who, when = names.get(source.by or 0, "somebody"), times.shown(source.at, stop=False)
    match source.origin:
        case Origin.ENVIRONMENT:
            return format_html("Set by {} in the environment.", conf.fields()[source.name].metadata["env"])
        case Origin.PAGE:
            return format_html("Changed here by {}, {}; the default is {}.", who, when, default)
        case _ if source.version:
            return format_html("The default is {}; {} went back to it, {}.", default, who, when)
        case _:
            return format_html("The default is {}.", default)
