"""Endpoints, and what became of their calls."""

from __future__ import annotations

from daytwo_server.webhooks.models import Call, Endpoint

SHOWN = 50  # calls on a page


def endpoints() -> list[Endpoint]:
    """All that were not removed, by name."""
    return list(Endpoint.objects.filter(archived_at=None).order_by("name", "pk"))


def calls_of(endpoint: Endpoint) -> list[Call]:
    """The latest ones."""
    return list(Call.objects.filter(endpoint=endpoint).order_by("-pk")[:SHOWN])
