"""Who may do what."""

from __future__ import annotations

from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from daytwo_server.accounts import permissions
from daytwo_server.accounts.permissions import Role, membership_of, require


@require("settings.view")
@require_safe
def permission_table(request: HttpRequest) -> HttpResponse:
    """The table of `accounts.permissions` by room, with the viewer's own role marked."""
    membership = membership_of(request.user)
    groups = [
        (room, [(row, [(role, role in row.roles) for role in Role]) for row in rows])
        for room, rows in groupby(permissions.table(), key=lambda row: row.name.partition(".")[0])
    ]
    own = Role(membership.role) if membership else None
    shown = {"groups": groups, "roles": [(role, role == own) for role in Role], "own": own}
    return render(request, "operate/permissions.html", shown)
