"""The parts of an event, one function each: any JSON value in, the kept shape or something empty out."""

import re
from typing import Any

from daytwo_server.errors.normalize.frames import bounded_frames, values_of
from daytwo_server.errors.normalize.limits import MAX_SECTION, MAX_TEXT, Trimmer
from daytwo_server.errors.normalize.scalars import MAX_SHORT, pairs_of, text_of, unix_seconds

_MAX_BREADCRUMBS = 100
_MAX_EXCEPTIONS = 50
_MAX_THREADS = 100
_MAX_PARAMS = 50
_MAX_MODULES = 1_000
_MAX_IMAGES = 250
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*\d*(?:\.\d+)?[sdifrxXgeu]|\{\w*\}|%%")

_EXCEPTION_TEXTS = ("type", "module")
_CRUMB_TEXTS = ("type", "category", "level", "event_id")
_REQUEST_TEXTS = ("url", "method", "fragment")


def message(payload: dict[str, Any], trimmer: Trimmer) -> dict[str, Any]:
    """`message` is the text people read; `logentry` holds the template and its parameters when there is a template.

    SDKs send `message` as text, `logentry` as {message, formatted, params}, or either in the other's shape.
    """
    entry = payload.get("logentry")
    given = payload.get("message")
    if isinstance(given, dict) and not isinstance(entry, dict):
        entry, given = given, None
    if isinstance(entry, str):
        entry = {"formatted": entry}
    if not isinstance(entry, dict):
        text = trimmer.text(given, "message")
        return {"message": text} if text else {}
    template = trimmer.text(entry.get("message"), "logentry.message")
    params = trimmer.tree(_list_or_dict(entry.get("params")), "logentry.params")
    formatted = trimmer.text(entry.get("formatted"), "message") or trimmer.text(given, "message")
    if not formatted and template:
        formatted = trimmer.text(_filled(template, params), "message")
    if not formatted:
        return {}
    if template and (template != formatted or params):
        kept = params[:_MAX_PARAMS] if isinstance(params, list) else params
        return {"message": formatted, "logentry": {"message": template, "params": kept}}
    return {"message": formatted}


def _filled(template: str, params: Any) -> str:
    """The template with its positional parameters put in. Not with `%`: a width of a billion would take the memory."""
    rest = iter(params if isinstance(params, list) else [])

    def fill(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        return text_of(next(rest, None), limit=MAX_TEXT) or match.group()

    return _PLACEHOLDER.sub(fill, template)


def exception(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """`{"values": [...]}`, oldest cause first as SDKs send it; {} without any exception."""
    raw_values = trimmer.items(values_of(value), "exception.values", limit=_MAX_EXCEPTIONS, keep_last=True)
    values = [_one_exception(raw, f"exception.values.{index}", trimmer) for index, raw in enumerate(raw_values)]
    found = [one for one in values if one]
    return {"values": found} if found else {}


def _one_exception(raw: Any, path: str, trimmer: Trimmer) -> dict[str, Any]:
    if not isinstance(raw, dict):
        return {}
    kept: dict[str, Any] = {}
    for name in _EXCEPTION_TEXTS:
        if (text := trimmer.text(raw.get(name), f"{path}.{name}", limit=MAX_SHORT)) is not None:
            kept[name] = text
    value = raw.get("value")
    if isinstance(value, dict | list):
        # JavaScript throws plain objects; some SDKs pass them on as they are.
        kept["value"] = str(trimmer.tree(value, f"{path}.value", budget=MAX_TEXT))
    elif (text := trimmer.text(value, f"{path}.value")) is not None:
        kept["value"] = text
    if isinstance(raw.get("mechanism"), dict):
        kept["mechanism"] = trimmer.tree(raw["mechanism"], f"{path}.mechanism", budget=MAX_TEXT)
    if trace := stacktrace(raw.get("stacktrace"), f"{path}.stacktrace", trimmer):
        kept["stacktrace"] = trace
    if isinstance(raw.get("thread_id"), int | str):
        kept["thread_id"] = text_of(raw["thread_id"])
    return kept


def stacktrace(value: Any, path: str, trimmer: Trimmer) -> dict[str, Any]:
    """`{"frames": [...]}`, outermost call first; {} without frames.

    A recursion sends about a thousand frames. Then only the ends are kept, and `frames_omitted` is
    [index of the first frame left out, index after the last one].
    """
    raw = value.get("frames") if isinstance(value, dict) else value
    frames, omitted = bounded_frames(raw, f"{path}.frames", trimmer)
    if not frames:
        return {}
    return {"frames": frames, "frames_omitted": omitted} if omitted else {"frames": frames}


def threads(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """`{"values": [...]}` of the threads that say anything; {} without."""
    kept = []
    for index, raw in enumerate(trimmer.items(values_of(value), "threads.values", limit=_MAX_THREADS)):
        if not isinstance(raw, dict):
            continue
        thread = {name: raw[name] for name in ("crashed", "current", "main") if isinstance(raw.get(name), bool)}
        thread |= {name: text for name in ("id", "name", "state") if (text := text_of(raw.get(name)))}
        if trace := stacktrace(raw.get("stacktrace"), f"threads.values.{index}.stacktrace", trimmer):
            thread["stacktrace"] = trace
        if thread:
            kept.append(thread)
    return {"values": kept} if kept else {}


def breadcrumbs(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """`{"values": [...]}`, the last hundred; JavaScript sends the bare list."""
    raw = trimmer.items(values_of(value), "breadcrumbs.values", limit=_MAX_BREADCRUMBS, keep_last=True)
    kept = []
    for crumb in raw:
        if not isinstance(crumb, dict):
            continue
        one: dict[str, Any] = {name: text for name in _CRUMB_TEXTS if (text := text_of(crumb.get(name)))}
        if (moment := unix_seconds(crumb.get("timestamp"))) is not None:
            one["timestamp"] = moment
        if text := trimmer.text(crumb.get("message"), "breadcrumbs.message", limit=MAX_TEXT // 4):
            one["message"] = text
        if crumb.get("data"):
            one["data"] = trimmer.tree(crumb["data"], "breadcrumbs.data", budget=MAX_TEXT)
        if one:
            kept.append(one)
    return {"values": kept} if kept else {}


def user(payload: dict[str, Any], client_ip: str | None, trimmer: Trimmer) -> dict[str, Any]:
    """Who ran into it. `{{auto}}` and JavaScript's `infer_ip: auto` mean: the address the request came from."""
    raw = payload.get("user")
    kept: dict[str, Any] = {}
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name in ("id", "email", "username", "name", "ip_address", "segment"):
            if (text := trimmer.text(value, f"user.{name}", limit=MAX_SHORT)) is not None:
                kept[name] = text
        elif value not in (None, "", {}, []) and len(kept) < 50:
            kept[text_of(name) or "?"] = trimmer.tree(value, "user", budget=MAX_TEXT)
    sdk_raw = payload.get("sdk")
    settings = sdk_raw.get("settings") if isinstance(sdk_raw, dict) else None
    asked = kept.get("ip_address") == "{{auto}}" or (
        "ip_address" not in kept and isinstance(settings, dict) and settings.get("infer_ip") == "auto"
    )
    if asked:
        kept.pop("ip_address", None)
        if client_ip:
            kept["ip_address"] = client_ip
    return kept


def request(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """The HTTP request: headers and cookies as lists of pairs, the body as it came."""
    if not isinstance(value, dict):
        return {}
    kept: dict[str, Any] = {}
    for name in _REQUEST_TEXTS:
        if (text := trimmer.text(value.get(name), f"request.{name}", limit=MAX_TEXT // 4)) is not None:
            kept[name] = text
    for name in ("headers", "cookies", "query_string"):
        raw = value.get(name)
        if isinstance(raw, str):
            kept[name] = trimmer.text(raw, f"request.{name}")
        elif pairs := trimmer.items([list(pair) for pair in pairs_of(raw)], f"request.{name}"):
            kept[name] = trimmer.tree(pairs, f"request.{name}")
    for name in ("data", "env"):
        if value.get(name):
            kept[name] = trimmer.tree(value[name], f"request.{name}")
    return {name: part for name, part in kept.items() if part}


def contexts(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """One object per context name; a context that is no object is dropped."""
    raw = value if isinstance(value, dict) else {}
    named = {name: context for name, context in raw.items() if isinstance(context, dict) and context}
    return mapping(named, "contexts", trimmer)


def mapping(value: Any, path: str, trimmer: Trimmer) -> dict[str, Any]:
    """A free-form object, bounded entry by entry so that the notes name the entry that was too large."""
    if not isinstance(value, dict):
        return {}
    kept: dict[str, Any] = {}
    left = MAX_SECTION * 4
    for raw_key, inner in value.items():
        key = text_of(raw_key)
        if key is None:
            continue
        if left <= 0 or len(kept) == MAX_SHORT:
            trimmer.note(path, f"{len(value) - len(kept)} entries cut")
            break
        kept[key] = trimmer.tree(inner, f"{path}.{key}", budget=min(MAX_SECTION, left))
        left -= trimmer.spent
    return kept


def modules(value: Any, trimmer: Trimmer) -> dict[str, str]:
    """Installed packages, name to version."""
    pairs = trimmer.items(pairs_of(value), "modules", limit=_MAX_MODULES)
    texts = ((text_of(name), text_of(version)) for name, version in pairs)
    return {name: version or "" for name, version in texts if name}


def debug_meta(value: Any, trimmer: Trimmer) -> dict[str, Any]:
    """The loaded images; for JavaScript the debug ids that lead to source maps."""
    raw = value.get("images") if isinstance(value, dict) else None
    images = [image for image in trimmer.items(raw, "debug_meta.images", limit=_MAX_IMAGES) if isinstance(image, dict)]
    return {"images": trimmer.tree(images, "debug_meta.images")} if images else {}


def sdk(value: Any) -> dict[str, str]:
    """Name and version of what sent the event; {} when it does not say."""
    raw = value if isinstance(value, dict) else {}
    return {name: text for name in ("name", "version") if (text := text_of(raw.get(name)))}


def _list_or_dict(value: Any) -> Any:
    return value if isinstance(value, list | dict) else []
