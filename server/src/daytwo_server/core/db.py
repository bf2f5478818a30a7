"""Helpers over the ORM."""

from __future__ import annotations

import time
from typing import Any

from django.db import models


def chunked_delete(queryset: models.QuerySet[Any], *, chunk: int = 1000, pause_s: float = 0.05) -> int:
    """Delete the rows of the queryset in short transactions, and return how many rows it named.

    A thousand rows hold SQLite's one writer for some 30 ms; the pause lets others in. Rows that point at these go too,
    as `on_delete` says.
    """
    plain: models.QuerySet[Any] = models.QuerySet(queryset.model, using=queryset.db)
    deleted = 0
    while keys := list(queryset.values_list("pk", flat=True)[:chunk]):
        plain.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < chunk:
            break
        time.sleep(pause_s)
    return deleted
