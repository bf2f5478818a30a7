"""Who may ask for flags, for the doors, which hold all keys in memory."""

from __future__ import annotations

from daytwo_server.catalog.models import ClientKey, ServerKey
from daytwo_server.flags.app.keys import Key


def key_table() -> dict[str, Key]:
    """The keys in force, by `Key.id`; those of archived projects are not. One query for each kind."""
    in_force = {"revoked_at": None, "environment__project__archived_at": None}
    servers = ServerKey.objects.filter(**in_force).values_list("prefix", "environment", "digest")
    clients = ClientKey.objects.filter(**in_force).values_list("public_key", "environment", "allowed_origins")
    found = [
        *(Key(id=f"dts_{prefix}", environment=environment, digest=digest) for prefix, environment, digest in servers),
        *(
            Key(id=text, environment=environment, allowed_origins=tuple(origins))
            for text, environment, origins in clients
        ),
    ]
    return {key.id: key for key in found}
