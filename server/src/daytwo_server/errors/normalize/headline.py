"""What an issue list shows of an event: type, value, title and the place to blame."""

from typing import Any, NamedTuple

_MAX_VALUE = 500
_MAX_TITLE = 250
_MAX_CULPRIT = 200
_UNKNOWN = ("?", "<anonymous>", "<unknown>")


class Headline(NamedTuple):
    """`type` is empty for messages; `culprit` reads `billing/checkout.py in total`, or is the transaction."""

    type: str
    value: str
    title: str
    culprit: str


def title_of(event: dict[str, Any]) -> Headline:
    """The headline of a normalised event."""
    main = main_exception(event)
    if main is None:
        text = _first_line(event.get("message"))
        return Headline("", text, text[:_MAX_TITLE] or "(no message)", _culprit(event, None))
    kind = str(main.get("type") or "")
    value = _first_line(main.get("value"))
    title = f"{kind}: {value}" if kind and value else kind or value or _first_line(event.get("message"))
    return Headline(kind, value, title[:_MAX_TITLE] or "(no message)", _culprit(event, main))


def main_exception(event: dict[str, Any]) -> dict[str, Any] | None:
    """The exception that reached the SDK: the last one, or the root if that one belongs to an exception group."""
    values = (event.get("exception") or {}).get("values") or []
    if not values:
        return None
    main: dict[str, Any] = values[-1]
    by_id = {_mechanism(one).get("exception_id"): one for one in values if _is_id(_mechanism(one).get("exception_id"))}
    for _ in values:  # not `while`: the ids are the sender's and may form a circle
        parent = _mechanism(main).get("parent_id")
        if not _is_id(parent) or parent not in by_id or by_id[parent] is main:
            break
        main = by_id[parent]
    return main


def handled(event: dict[str, Any]) -> bool | None:
    """Whether the program caught the main exception itself; None when the SDK does not say."""
    main = main_exception(event)
    flag = _mechanism(main).get("handled") if main else None
    return flag if isinstance(flag, bool) else None


def _mechanism(exception: dict[str, Any]) -> dict[str, Any]:
    mechanism = exception.get("mechanism")
    return mechanism if isinstance(mechanism, dict) else {}


def _is_id(value: Any) -> bool:
    return type(value) is int


def _first_line(value: Any) -> str:
    lines = (line.strip() for line in str(value or "").splitlines())
    return next((line for line in lines if line), "")[:_MAX_VALUE]


def _culprit(event: dict[str, Any], main: dict[str, Any] | None) -> str:
    """The innermost frame of the project's own code; else the transaction; else the innermost frame at all."""
    frames = ((main or event).get("stacktrace") or {}).get("frames") or _thread_frames(event)
    ours = next((frame for frame in reversed(frames) if frame.get("in_app")), None)
    if ours is None and event.get("transaction"):
        return str(event["transaction"])[:_MAX_CULPRIT]
    frame = ours or (frames[-1] if frames else {})
    where, function = _place(frame), str(frame.get("function") or "")
    if function in _UNKNOWN:
        function = ""
    return (f"{where} in {function}" if where and function else where or function)[:_MAX_CULPRIT]


def _thread_frames(event: dict[str, Any]) -> list[dict[str, Any]]:
    threads = (event.get("threads") or {}).get("values") or []
    blamed = next((thread for thread in threads if thread.get("crashed") or thread.get("current")), None)
    return ((blamed or {}).get("stacktrace") or {}).get("frames") or []


def _place(frame: dict[str, Any]) -> str:
    """The file as people know it: without host, query and the directories above the last three."""
    path = str(frame.get("filename") or frame.get("abs_path") or frame.get("module") or "")
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    path = path.partition("?")[0].partition("#")[0].replace("\\", "/")
    absolute = path.startswith(("/", "~", ".")) or path[1:3] == ":/"
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return "/".join(parts[-2:] if absolute else parts[-4:])
