"""How an app asks for a flag."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from daytwo_server.accounts.http import absolute
from daytwo_server.flags.models import Type
from daytwo_server.flags.web.common import Place

_PYTHON_SWITCH = """from daytwo import flags

if flags.enabled(
    "{key}",
    user=user.id,
    organization=org.id,
    plan=org.plan,
):
    ..."""
_PYTHON_VALUE = """from daytwo import flags

{name} = flags.value(
    "{key}",
    default={default},
    user=user.id,
    organization=org.id,
    plan=org.plan,
)"""
_SCRIPT = """import {{ OpenFeature }} from "@openfeature/web-sdk";
import {{ OFREPWebProvider }} from "@openfeature/ofrep-web-provider";

const baseUrl = "{url}";
const headers = [["Authorization", "Bearer <client key>"]];
await OpenFeature.setContext({{ targetingKey: user.id, organizationId: org.id, plan: org.plan }});
await OpenFeature.setProviderAndWait(new OFREPWebProvider({{ baseUrl, headers }}));
const {name} = OpenFeature.getClient().get{kind}Value("{key}", {default});"""
_KINDS = {Type.BOOLEAN: "Boolean", Type.STRING: "String", Type.OBJECT: "Object"}
_PYTHON_DEFAULTS = {Type.STRING: '""', Type.INTEGER: "0", Type.FLOAT: "0.0", Type.OBJECT: "{}"}
_SCRIPT_DEFAULTS = {Type.BOOLEAN: "false", Type.STRING: '""', Type.INTEGER: "0", Type.FLOAT: "0", Type.OBJECT: "{}"}


def words(request: HttpRequest, found: Place) -> dict[str, Any]:
    """The snippet that `?code=` names, and links to the other."""
    script = request.GET.get("code") == "js"
    tabs = [
        {"label": "Python", "url": found.url(), "current": not script},
        {"label": "JS", "url": found.url(code="js"), "current": script},
    ]
    return {
        "code": _script(found) if script else _python(found),
        "code_language": "javascript" if script else "python",
        "code_tabs": tabs,
        "needs_exposing": script and not found.flag.client_exposed,
    }


def _python(found: Place) -> str:
    flag = found.flag
    if flag.type == Type.BOOLEAN:
        return _PYTHON_SWITCH.format(key=flag.key)
    return _PYTHON_VALUE.format(key=flag.key, name="found", default=_PYTHON_DEFAULTS[Type(flag.type)])


def _script(found: Place) -> str:
    kind = Type(found.flag.type)
    return _SCRIPT.format(
        key=found.flag.key, url=absolute("/").rstrip("/"), name="found", kind=_KINDS.get(kind, "Number"),
        default=_SCRIPT_DEFAULTS[kind],
    )  # fmt: skip
