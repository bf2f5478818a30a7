"""What flags say of one customer, for the document that they may ask for."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from daytwo_server.customers.models import Customer
from daytwo_server.flags.models import Override, State

BY_ID = "id:"  # what the key of a customer begins with whom the app names by an id


def of_customer(customer: Customer) -> dict[str, Any]:
    """What flags say of a customer alone: what they are excepted from, and granted."""
    user = customer.user_id if customer.key.startswith(BY_ID) else ""
    if not user:
        return {"overrides": [], "allowed": []}
    excepted = Override.objects.filter(user_id=user).select_related("state__flag", "state__environment").order_by("pk")
    granted = naming(State.objects, user, "definition").select_related("flag", "environment").order_by("pk")
    return {
        "overrides": [
            {
                **_place(one.state), "enabled": one.enabled, "variant": one.variant or None,
                "expiresAt": one.expires_at, "createdAt": one.created_at,
            }
            for one in excepted
        ],
        "allowed": [_place(one) for one in granted if user in (one.definition.get("allowedUsers") or [])],
    }  # fmt: skip


def _place(state: State) -> dict[str, Any]:
    return {"flag": state.flag.key, "environment": state.environment.name}


def naming(rows: Any, user: str, *columns: str) -> QuerySet[Any]:
    """Rows that have the id as a text, or as the number that it looks like, somewhere in JSON. By reading all."""
    # SQLite has the JSON as it was written, PostgreSQL as it writes it.
    quoted = json.dumps(user, ensure_ascii=connection.vendor == "sqlite")
    texts = {f"{column}_text": Cast(column, TextField()) for column in columns}
    condition = Q()
    for name in texts:
        condition |= Q(**{f"{name}__contains": quoted})
        if user.isdecimal():
            condition |= Q(**{f"{name}__contains": user})
    found: QuerySet[Any] = rows.annotate(**texts).filter(condition)
    return found
