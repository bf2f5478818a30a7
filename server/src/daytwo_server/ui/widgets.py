"""Widgets of forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse


class Completed(forms.TextInput):
    """A text field that offers, as `<option>`s, what a page answers to what was typed; the tag `suggest` in a form."""

    template_name = "ui/widgets/completed.html"

    def __init__(self, url_name: str) -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false"})
        self._url_name = url_name

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        asks = {
            "list": f"{name}-suggested",
            "hx-get": f"{reverse(self._url_name)}?of={name}",
            "hx-trigger": "focus once, input changed delay:150ms",
            "hx-target": "next datalist",
            "hx-swap": "innerHTML",
        }
        return super().get_context(name, value, (attrs or {}) | asks)
