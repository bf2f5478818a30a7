"""Every route of the product, and who gets past its door. A route that nobody wrote down here fails a test of
`test_who_may_see_what`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from daytwo_server.accounts.models import Membership

Role = Membership.Role
ALL = frozenset(Role)
ADMINS = frozenset({Role.OWNER, Role.ADMIN})
BUILDERS = ADMINS | {Role.ENGINEER}
AGENTS = ADMINS | {Role.AGENT}


@dataclass(frozen=True)
class Page:
    """Members with these roles may read it (GET) and write to it (POST); None: it does not take that method.

    `args` names what of the furnished workspace stands in the address.
    """

    read: frozenset[Role] | None = None
    write: frozenset[Role] | None = None
    args: tuple[str, ...] = ()
    query: str = ""
    form: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """An operation of the API, opened by a token alone: roles its creator may have, and the scope it needs."""

    method: str
    roles: frozenset[Role]
    scope: str
    args: tuple[str, ...] = ()
    body: dict[str, Any] | None = None
    ok: int = 200
    query: str = ""


@dataclass(frozen=True)
class Open:
    """Anybody may come, because there is no other way in or out: answers these, by method."""

    why: str
    get: int = 200
    post: int = 405
    args: tuple[str, ...] = ()


LINK = "x" * 43
ROUTES: dict[str, Page | Call | Open] = {
    "home": Open("leads to a page that asks who it is", get=302, post=302),
    "account_login": Open("the way in", post=422),
    "account_logout": Open("the way out; who is not in is led to the way in", get=302, post=302),
    "account_inactive": Open("tells who was switched off why the way in ends here"),
    "account_reset_password": Open("off without a mail server", get=404, post=404),
    "account_reset_password_done": Open("off without a mail server", get=404, post=404),
    "account_reset_password_from_key_done": Open("off without a mail server", get=404, post=404),
    "account_reset_password_from_key": Open("off without a mail server", get=404, post=404, args=("uid", "key")),
    "welcome": Open("the link is the key", get=410, post=410, args=("link",)),
    "choose_password": Open("the link is the key", get=410, post=410, args=("link",)),
    "join": Open("the link is the key", get=410, post=410, args=("link",)),
    "theme": Open("visitors have eyes too", get=405, post=400),
    "account_change_password": Page(ALL, ALL),
    "second_factor": Open("the second step; who has not made the first is led to it", get=302, post=302),
    "passkey_sign_in": Open("a way in; an unknown passkey is led to the others", get=405, post=302),
    "sign_in_with": Open("off unless configured", get=405, post=404, args=("provider",)),
    "sign_in_with_callback": Open("off unless configured", get=404, args=("provider",)),
    "account_reauthenticate": Page(ALL, ALL),
    "security": Page(ALL),
    "add_app": Page(ALL, ALL),
    "remove_app": Page(write=ALL),
    "recovery_codes": Page(write=ALL),
    "add_passkey": Page(write=ALL),
    "rename_passkey": Page(write=ALL, args=("passkey",)),
    "remove_passkey": Page(write=ALL, args=("passkey",)),
    "connect_identity": Page(write=ALL, args=("provider",)),
    "disconnect_identity": Page(write=ALL, args=("identity",)),
    "reset_second_factor": Page(write=ADMINS, args=("person",)),
    "account_set_password": Page(ALL, ALL),
    "make_password_link": Page(write=ADMINS, args=("person",)),
    "profile": Page(ALL, ALL),
    "change_email": Page(ALL, ALL),
    "sessions": Page(ALL),
    "end_session": Page(write=ALL, args=("session",)),
    "end_other_sessions": Page(write=ALL),
    "members": Page(ALL),
    "people": Page(ALL),
    "teams": Page(ALL),
    "team_names": Page(ALL),
    "new_team": Page(ADMINS, ADMINS),
    "team": Page(ADMINS, ADMINS, args=("team",)),
    "archive_team": Page(write=ADMINS, args=("team",)),
    "restore_team": Page(write=ADMINS, args=("team",)),
    "member": Page(ADMINS, args=("person",)),
    "change_role": Page(write=ADMINS, args=("person",), form={"role": "agent"}),
    "switch_member_off": Page(write=ADMINS, args=("person",)),
    "switch_member_on": Page(write=ADMINS, args=("person",)),
    "end_member_sessions": Page(write=ADMINS, args=("person",)),
    "remove_member": Page(write=ADMINS, args=("person",)),
    "restore_member": Page(write=ADMINS, args=("person",)),
    "invitations": Page(ADMINS, ADMINS, form={"role": "viewer"}),
    "renew_invitation": Page(write=ADMINS, args=("invitation",)),
    "revoke_invitation": Page(write=ADMINS, args=("invitation",)),
    "restore_invitation": Page(write=ADMINS, args=("invitation",)),
    "settings": Page(ALL),
    "api_tokens": Page(ADMINS, ADMINS),
    "revoke_token": Page(write=ADMINS, args=("token",)),
    "restore_token": Page(write=ADMINS, args=("token",)),
    "catalog:list": Page(ALL),
    "catalog:create": Page(BUILDERS, BUILDERS, form={"name": "Another"}),
    "catalog:project": Page(ALL, args=("slug",)),
    "catalog:create-key": Page(write=BUILDERS, args=("slug",), form={"label": "Another"}),
    "catalog:key": Page(BUILDERS, BUILDERS, args=("slug", "dsn_key")),
    "catalog:disable-key": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:enable-key": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:rotate-key": Page(BUILDERS, BUILDERS, args=("slug", "dsn_key")),
    "catalog:undo-rotation": Page(write=BUILDERS, args=("slug", "dsn_key")),
    "catalog:seen": Page(ALL, args=("slug",)),
    "catalog:settings": Page(BUILDERS, BUILDERS, args=("slug",), form={"name": "Shop"}),
    "catalog:archive": Page(write=BUILDERS, args=("slug",)),
    "catalog:restore": Page(write=BUILDERS, args=("slug",)),
    "catalog:servers": Page(ADMINS, ADMINS, args=("slug",), form={"do": "show"}),
    "catalog:replace-identity": Page(write=ADMINS, args=("slug",)),
    "catalog:revoke-server-key": Page(write=ADMINS, args=("slug", "server_key")),
    "catalog:restore-server-key": Page(write=ADMINS, args=("slug", "server_key")),
    "catalog:client-keys": Page(ALL, args=("slug",)),
    "catalog:create-client-key": Page(write=BUILDERS, args=("slug",)),
    "catalog:client-key": Page(BUILDERS, BUILDERS, args=("slug", "client_key")),
    "catalog:revoke-client-key": Page(write=BUILDERS, args=("slug", "client_key")),
    "catalog:restore-client-key": Page(write=BUILDERS, args=("slug", "client_key")),
    "catalog:environments": Page(ALL, BUILDERS, args=("slug",), form={"do": "hide"}),
    "catalog:undo-environments": Page(write=BUILDERS, args=("slug",)),
    "catalog:releases": Page(ALL, args=("slug",)),
    "catalog:release": Page(ALL, args=("slug", "release")),
    "catalog:components": Page(ALL),
    "catalog:create-component": Page(BUILDERS, BUILDERS, form={"name": "Another"}),
    "catalog:component": Page(ALL, args=("component",)),
    "catalog:edit-component": Page(BUILDERS, BUILDERS, args=("component",), form={"name": "Checkout API"}),
    "catalog:archive-component": Page(write=BUILDERS, args=("component",)),
    "catalog:restore-component": Page(write=BUILDERS, args=("component",)),
    "catalog:deploys": Page(ALL),
    "catalog:deploys-news": Page(ALL),
    "catalog:deploy": Page(ALL, args=("deploy",)),
    "customers:list": Page(ALL),
    "customers:detail": Page(ALL, args=("customer",)),
    "customers:erase": Page(ADMINS, ADMINS, args=("customer",)),
    "desk:search": Page(ALL, query="?q=shop"),
    "desk:palette": Page(ALL, query="?q=shop"),
    "desk:short-link": Page(ALL, args=("code",)),
    "desk:visit": Page(write=ALL, form={"ref": "issue:1"}),
    "desk:save-view": Page(write=ALL, form={"page": "errors", "name": "Mine", "query": "level=error"}),
    "desk:view": Page(write=ADMINS, args=("shared_view",), form={"do": "left"}),
    "desk:restore-view": Page(write=ADMINS, args=("shared_view",)),
    "desk:draft": Page(write=ALL, form={"key": "a", "text": "b", "version": "0"}),
    "desk:presence": Page(ALL, ALL, query="?ref=issue:1", form={"ref": "issue:1"}),
    "links:add": Page(write=ALL - {Role.VIEWER}, form={"ref": "issue:{issue}", "what": "nothing"}),
    "links:remove": Page(write=ALL - {Role.VIEWER}, args=("tie",)),
    "links:restore": Page(write=ALL - {Role.VIEWER}, args=("tie",)),
    "errors:comment": Page(write=ALL - {Role.VIEWER}, args=("issue",), form={"text": "Seen"}),
    "errors:delete-comment": Page(write=ALL - {Role.VIEWER}, args=("issue", "comment")),
    "errors:restore-comment": Page(write=ALL - {Role.VIEWER}, args=("issue", "comment")),
    "errors:list": Page(ALL, BUILDERS, form={"do": "resolve"}),
    "errors:news": Page(ALL, query="?mark=1.1"),
    "errors:undo": Page(write=BUILDERS),
    "errors:issue": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:issue-news": Page(ALL, args=("issue",), query="?count=0"),
    "errors:events": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:tags": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:activity": Page(ALL, BUILDERS, args=("issue",), form={"do": "resolve"}),
    "errors:event": Page(ALL, BUILDERS, args=("issue", "event"), form={"do": "resolve"}),
    "errors:event-frames": Page(ALL, args=("issue", "event", "fold")),
    "errors:event-json": Page(ALL, args=("issue", "event")),
    "errors:event-md": Page(ALL, args=("issue", "event")),
    "flags:list": Page(ALL, BUILDERS, form={"do": "archive"}),
    "flags:bring-back": Page(write=BUILDERS, query="?flags=0"),
    "flags:create": Page(BUILDERS, BUILDERS, form={"key": "no key"}),
    "flags:of-ticket": Page(ALL, BUILDERS | {Role.AGENT}, args=("ticket",), form={"do": "nothing"}),
    "flags:segments": Page(ALL),
    "flags:create-segment": Page(BUILDERS, BUILDERS),
    "flags:segment": Page(BUILDERS, BUILDERS, args=("segment",)),
    "flags:remove-segment": Page(write=BUILDERS, args=("segment",)),
    "flags:revert": Page(write=BUILDERS | {Role.AGENT}, args=("override_change",)),
    "rollouts:guard": Page(write=BUILDERS, args=("flag",), form={"watched": "never heard of"}),
    "flags:flag": Page(ALL, BUILDERS, args=("flag",), form={"do": "nothing"}),
    "flags:news": Page(ALL, args=("flag",), query="?seen=0"),
    "flags:edit": Page(BUILDERS, BUILDERS, args=("flag",)),
    "flags:archive": Page(write=BUILDERS, args=("flag",)),
    "flags:restore": Page(write=BUILDERS, args=("flag",)),
    "flags:targeting": Page(BUILDERS, BUILDERS, args=("flag",)),
    "flags:new-rule": Page(BUILDERS, BUILDERS, args=("flag",)),
    "flags:rule": Page(BUILDERS, BUILDERS, args=("flag", "rule")),
    "flags:move-rule": Page(write=BUILDERS, args=("flag", "rule"), form={"do": "up"}),
    "flags:overrides": Page(ALL, BUILDERS | {Role.AGENT}, args=("flag",)),
    "flags:ramp": Page(BUILDERS, BUILDERS, args=("flag",), form={"do": "hold"}),
    "flags:changes": Page(ALL, args=("flag",)),
    "flags:try": Page(ALL, args=("flag",), query="?user=dana"),
    "calendars:list": Page(ALL),
    "calendars:create": Page(ADMINS, ADMINS),
    "calendars:calendar": Page(ALL, args=("calendar",)),
    "calendars:edit": Page(ADMINS, ADMINS, args=("calendar",)),
    "calendars:import": Page(write=ADMINS, args=("calendar",)),
    "calendars:archive": Page(write=ADMINS, args=("calendar",)),
    "calendars:restore": Page(write=ADMINS, args=("calendar",)),
    "sla:list": Page(ALL),
    "sla:create": Page(ADMINS, ADMINS),
    "sla:usual": Page(write=ADMINS),
    "sla:edit": Page(ADMINS, ADMINS, args=("policy",)),
    "sla:move": Page(write=ADMINS, args=("policy",), form={"do": "up"}),
    "sla:archive": Page(write=ADMINS, args=("policy",)),
    "sla:restore": Page(write=ADMINS, args=("policy",)),
    "webhooks:list": Page(ADMINS),
    "webhooks:create": Page(ADMINS, ADMINS),
    "webhooks:endpoint": Page(ADMINS, args=("webhook",)),
    "webhooks:edit": Page(ADMINS, ADMINS, args=("webhook",)),
    "webhooks:secret": Page(write=ADMINS, args=("webhook",)),
    "webhooks:replace-secret": Page(write=ADMINS, args=("webhook",)),
    "webhooks:on": Page(write=ADMINS, args=("webhook",)),
    "webhooks:off": Page(write=ADMINS, args=("webhook",)),
    "webhooks:remove": Page(write=ADMINS, args=("spare_webhook",)),
    "webhooks:restore": Page(write=ADMINS, args=("spare_webhook",)),
    "webhooks:test": Page(write=ADMINS, args=("webhook",)),
    "webhooks:again": Page(write=ADMINS, args=("webhook", "webhook_call")),
    "tickets:support": Page(ALL),
    "tickets:support-csv": Page(ALL),
    "tickets:list": Page(ALL, AGENTS, form={"do": "status=resolved"}),
    "tickets:news": Page(ALL, query="?mark=1"),
    "tickets:undo": Page(write=AGENTS),
    "tickets:new": Page(ALL - {Role.VIEWER}, ALL - {Role.VIEWER}),
    "tickets:customers": Page(ALL - {Role.VIEWER}),
    "tickets:ticket": Page(ALL, AGENTS, args=("ticket",), form={"do": "priority=high"}),
    "tickets:promises": Page(ALL, args=("ticket",)),
    "tickets:since": Page(ALL, args=("ticket",), query="?after=0"),
    "tickets:queue": Page(ALL, args=("ticket",)),
    "tickets:message": Page(ALL, args=("ticket", "ticket_message")),
    "tickets:designed": Page(ALL, args=("ticket", "ticket_mail")),
    "tickets:held": Page(write=ALL - {Role.VIEWER}, args=("ticket", "held"), form={"do": "discard"}),
    "tickets:let_out": Page(write=ALL - {Role.VIEWER}, args=("ticket", "participant")),
    "tickets:send_again": Page(write=ALL - {Role.VIEWER}, args=("ticket", "ticket_delivery")),
    "tickets:file": Page(ALL, args=("ticket", "ticket_file")),
    "tickets:reply": Page(write=ALL - {Role.VIEWER}, args=("ticket",), form={"reply": "Hello.", "seen": "9" * 15}),
    "tickets:note": Page(write=ALL - {Role.VIEWER}, args=("ticket",), form={"note": "Odd."}),
    "tickets:merge": Page(write=AGENTS, args=("spare_ticket",), form={"into": "{ticket}"}),
    "tickets:todos": Page(write=ALL - {Role.VIEWER}, args=("ticket",), form={"text": "Ask for the number"}),
    "tickets:replies": Page(ALL - {Role.VIEWER}),
    "tickets:new-reply": Page(ALL - {Role.VIEWER}, ALL - {Role.VIEWER}),
    "tickets:change-reply": Page(AGENTS, AGENTS, args=("saved_reply",)),
    "tickets:saved": Page(ALL - {Role.VIEWER}, ALL - {Role.VIEWER}, args=("ticket",)),
    "tickets:insert": Page(ALL - {Role.VIEWER}, ALL - {Role.VIEWER}, args=("ticket", "saved_reply")),
    "tickets:delete-reply": Page(write=AGENTS, args=("saved_reply",)),
    "tickets:restore-reply": Page(write=AGENTS, args=("saved_reply",)),
    "portal:home": Open("customers come in without a password", post=422),
    "portal:link": Open("asks for a link", get=405, post=422),
    "portal:sign-in": Open("the link is the key", get=405, post=410),
    "portal:enter": Open("the link is the key", get=410, args=("link",)),
    "portal:sign-out": Open("the way out", get=405, post=302),
    "portal:new": Open("who is not in is led to the way in", get=302, post=302),
    "portal:ticket": Open("the token in the address is the key", get=404, args=("link",)),
    "portal:reply": Open("as above", get=405, post=404, args=("link",)),
    "portal:rating": Open("as above", get=404, post=404, args=("link",)),
    "portal:file": Open("as above", get=404, args=("link", "ticket_file")),
    "portal:nothing": Open("nothing is there", get=404, post=404, args=("link",)),
    "operate:ingest": Page(ALL),
    "operate:backup": Page(ADMINS, ADMINS),
    "operate:ingest-before": Open("leads to where that page is now", get=302, post=302),
    "operate:jobs": Page(ALL, BUILDERS, form={"do": "retry"}),
    "operate:job-counts": Page(ALL, query="?state=dead"),
    "operate:restore-jobs": Page(write=BUILDERS),
    "operate:periodic": Page(ALL, BUILDERS, form={"kind": "core.prune"}),
    "operate:job": Page(ALL, BUILDERS, args=("job",), form={"do": "retry"}),
    "operate:mail": Page(ALL, AGENTS, form={"do": "replay"}),
    "operate:mail-sent": Page(ALL, AGENTS, form={"do": "resend"}),
    "operate:mail-received": Page(AGENTS, AGENTS, args=("mail",), form={"do": "replay"}),
    "operate:mail-raw": Page(AGENTS, args=("mail",)),
    "operate:restore-mail": Page(write=AGENTS),
    "mail:webhook": Open(
        "a provider's signature or password is the key", get=405, post=404, args=("provider", "export")
    ),
    "operate:facts": Page(ALL),
    "operate:audit": Page(ADMINS),
    "operate:audit-export": Page(ADMINS, args=("export",)),
    "operate:permissions": Page(ALL),
    "operate:settings-general": Page(ALL, ADMINS),
    "operate:settings-support": Page(ALL, ADMINS),
    "operate:settings-sign-in": Page(ALL, ADMINS),
    "operate:settings-backup-settings": Page(ALL, ADMINS),
    "operate:settings-intake": Page(ALL, ADMINS),
    "operate:settings-retention": Page(ALL, ADMINS),
    "operate:settings-privacy": Page(ALL, ADMINS),
    "operate:settings-mail": Page(ALL, ADMINS),
    "operate:settings-health": Page(ALL, ADMINS),
    "operate:settings-server": Page(ALL, ADMINS),
    "operate:settings-undo": Page(write=ADMINS),
    "operate:rename-workspace": Page(write=ADMINS, form={"name": "Daytwo", "was": "Daytwo"}),
    "operate:test-mail": Page(ALL, ADMINS),
    "operate:run-retention": Page(ALL, ADMINS),
    "api:openapi-json": Open("describes the API, which is the same everywhere", post=200),
    "api:api-root": Open("nothing is there", get=404, post=404),
    "api:list_projects": Call("GET", ALL, "projects.view"),
    "api:list_components": Call("GET", ALL, "components.view"),
    "api:create_component": Call("POST", BUILDERS, "components.manage", body={"name": "Another"}, ok=201),
    "api:get_component": Call("GET", ALL, "components.view", args=("component",)),
    "api:change_component": Call("PATCH", BUILDERS, "components.manage", args=("component",), body={"team": "Money"}),
    "api:list_deploys": Call("GET", ALL, "deploys.view"),
    "api:record_deploy": Call(
        "POST",
        BUILDERS,
        "deploys.create",
        body={"project": "shop", "environment": "production", "version": "1"},
        ok=201,
    ),
    "api:get_deploy": Call("GET", ALL, "deploys.view", args=("deploy",)),
    "api:change_deploy": Call("PATCH", BUILDERS, "deploys.create", args=("deploy",), body={"status": "failed"}),
    "api:list_issues": Call("GET", ALL, "errors.view"),
    "api:get_issue": Call("GET", ALL, "errors.view", args=("issue",)),
    "api:change_issue": Call("PATCH", BUILDERS, "errors.triage", args=("issue",), body={"status": "resolved"}),
    "api:list_events": Call("GET", ALL, "errors.view", args=("issue",)),
    "api:get_event": Call("GET", ALL, "errors.view", args=("event",)),
    "api:list_flags": Call("GET", ALL, "flags.view"),
    "api:get_flag": Call("GET", ALL, "flags.view", args=("flag_key",)),
    "api:revert_change": Call("POST", BUILDERS, "flags.change", args=("flag_key", "change_of_flag")),
    "api:put_flag": Call("PUT", BUILDERS, "flags.change", args=("flag_key",), body={"enabled": True}),
    "api:patch_flag": Call("PATCH", BUILDERS, "flags.change", args=("flag_key",), body={"rolloutPercentage": 5}),
    "api:list_changes": Call("GET", ALL, "flags.view", args=("flag_key",)),
    "api:start_ramp": Call(
        "PUT",
        BUILDERS,
        "flags.change",
        args=("flag_key",),
        ok=201,
        body={"steps": [{"percent": 10, "holdSeconds": 60}, {"percent": 50}]},
    ),
    "api:get_ramp": Call("GET", ALL, "flags.view", args=("flag_key",)),
    "api:change_ramp": Call("PATCH", BUILDERS, "flags.change", args=("flag_key",), body={"do": "stop"}),
    "api:put_override": Call(
        "PUT", BUILDERS | {Role.AGENT}, "flags.override", args=("flag_key",), body={"userId": "u", "enabled": True}
    ),
    "api:list_overrides": Call("GET", ALL, "flags.view", args=("flag_key",)),
    "api:delete_override": Call(
        "DELETE", BUILDERS | {Role.AGENT}, "flags.override", args=("flag_key",), query="?userId=excepted", ok=204
    ),
    "api:list_segments": Call("GET", ALL, "flags.view"),
    "api:put_segment": Call(
        "PUT",
        BUILDERS,
        "flags.change",
        args=("segment_name",),
        body={"conditions": [{"attribute": "plan", "operator": "is_set"}]},
    ),
    "api:delete_segment": Call("DELETE", BUILDERS, "flags.change", args=("segment_name",), ok=204),
    "api:import_flags": Call("POST", BUILDERS, "flags.change", query="?format=reference", body={"flags": []}),
    "api:export_customer": Call("GET", ADMINS, "customers.export", args=("customer",)),
    "api:list_tickets": Call("GET", ALL, "tickets.view"),
    "api:change_tickets": Call("POST", AGENTS, "tickets.manage", body={"ids": ["{ticket}"], "priority": "high"}),
    "api:get_ticket": Call("GET", ALL, "tickets.view", args=("ticket",)),
    "api:change_ticket": Call("PATCH", AGENTS, "tickets.manage", args=("ticket",), body={"priority": "low"}),
    "api:reply_to_ticket": Call(
        "POST", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket",), body={"content": "Hello."}, ok=201
    ),
    "api:note_on_ticket": Call(
        "POST", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket",), body={"content": "Odd."}, ok=201
    ),
    "api:add_to_checklist": Call(
        "POST", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket",), body={"items": ["Ask"]}, ok=201
    ),
    "api:tick_on_checklist": Call(
        "PATCH", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket", "todo"), body={"done": True}
    ),
    "api:take_off_checklist": Call("DELETE", ALL - {Role.VIEWER}, "tickets.reply", args=("ticket", "todo"), ok=204),
    "api:merge_ticket": Call("POST", AGENTS, "tickets.manage", args=("spare_ticket",), body={"into": "{ticket}"}),
    "api:list_saved_replies": Call("GET", ALL - {Role.VIEWER}, "tickets.reply"),
    "api:create_saved_reply": Call(
        "POST", AGENTS, "tickets.share_replies", body={"name": "Hi", "text": "Hello."}, ok=201
    ),
    "api:change_saved_reply": Call(
        "PATCH", AGENTS, "tickets.share_replies", args=("saved_reply",), body={"tags": ["money"]}
    ),
    "api:get_saved_reply": Call("GET", ALL - {Role.VIEWER}, "tickets.reply", args=("saved_reply",)),
    "api:list_views": Call("GET", ALL, "desk.use", query="?page=tickets"),
    "api:change_view": Call("PATCH", ADMINS, "desk.use", args=("shared_view",), body={"name": "Worst"}),
    "api:save_view": Call(
        "POST", ALL, "desk.use", body={"page": "tickets", "name": "Urgent", "query": "priority=urgent"}, ok=201
    ),
    "api:get_ticket_attachment": Call("GET", ALL, "tickets.view", args=("ticket", "ticket_file")),
    "api:delete_saved_reply": Call("DELETE", AGENTS, "tickets.share_replies", args=("saved_reply",), ok=204),
    "api:delete_view": Call("DELETE", ADMINS, "desk.use", args=("shared_view",), ok=204),
    "api:erase_customer": Call("POST", ADMINS, "customers.erase", args=("customer",), ok=202),
    "api:erasure": Call("GET", ADMINS, "customers.erase", args=("erased",)),
    "support:tickets": Open("customers come with tokens of their own", get=401, post=401),
    "support:ticket": Open("as above", get=401, args=("ticket",)),
    "support:replies": Open("as above", get=405, post=401, args=("ticket",)),
    "support:rating": Open("as above", get=405, post=401, args=("ticket",)),
    "support:attachment": Open("as above", get=401, args=("ticket", "ticket_file")),
}

PAGES = {name: page for name, page in ROUTES.items() if isinstance(page, Page)}
CALLS = {name: call for name, call in ROUTES.items() if isinstance(call, Call)}
OPEN = {name: page for name, page in ROUTES.items() if isinstance(page, Open)}
