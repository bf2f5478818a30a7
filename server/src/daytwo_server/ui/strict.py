"""One rule for words a template may choose from: a wrong one fails while developing and is ignored in production."""

from collections.abc import Container

from django.conf import settings


class UnknownChoice(LookupError):
    pass


def choice(value: str, allowed: Container[str], what: str) -> str:
    """`value` if it is allowed. Otherwise raise UnknownChoice where `DEBUG` or the setting `UI_STRICT` is on,
    and return "" elsewhere: a wrong colour or a missing picture must not take an on-call page down.
    """
    if value in allowed:
        return value
    if getattr(settings, "UI_STRICT", settings.DEBUG):
        raise UnknownChoice(f"No {what} {value!r}; the allowed ones stand in daytwo_server.ui")
    return ""
