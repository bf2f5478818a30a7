"""Handing mails to a provider over its HTTP API, by django-anymail."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.mail import get_connection

from daytwo_server.core import conf
from daytwo_server.core.conf.providers import lacking_extra
from daytwo_server.mail.models import Delivery
from daytwo_server.mail.sending import compose
from daytwo_server.mail.sending.problems import Refused, Unavailable

# Not this mail's fault: wrong key, over the limit of the plan, too many at once.
_OF_THE_ACCOUNT = frozenset({401, 402, 403, 404, 408, 429})
_AMAZON_OF_THE_MAIL = frozenset({"MessageRejected", "BadRequestException"})


class ProviderWay:
    """The provider of DAYTWO_MAIL_URL."""

    def __init__(self) -> None:
        self._connection: Any = None

    def send(self, delivery: Delivery, hand_over: Callable[[], None]) -> str:
        """Returns what the provider calls it, once it has taken it. `hand_over` is called just before it may.

        Raises `Refused` and `Unavailable`, and what `hand_over` raises.
        """
        try:
            from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused

            self._connection = self._connection or get_connection()
        except ImportError as missing:
            extra = lacking_extra(conf.current().mail_url) or "mail"
            raise Unavailable(f"This provider needs an extra: pip install 'daytwo-server[{extra}]'.") from missing
        mail = compose.compose(delivery)
        mail.connection = self._connection
        hand_over()
        try:
            mail.send()
        except AnymailRecipientsRefused as refused:
            raise Refused(_words(refused), permanent=True) from refused
        except AnymailAPIError as problem:
            status = _status(problem)
            if status is None or status in _OF_THE_ACCOUNT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Unavailable(_words(problem)) from problem
            raise Refused(_words(problem), permanent=True) from problem
        except AnymailError as problem:  # what this provider's API cannot express
            raise Refused(_words(problem), permanent=True) from problem
        status = getattr(mail, "anymail_status", None)
        return str(getattr(status, "message_id", None) or "")

    def close(self) -> None:
        if self._connection:
            self._connection.close()


def _status(problem: Exception) -> int | None:
    """Of the provider's answer; None where there was none. Of Amazon's, which answers 400 for most troubles of an
    account too, only what is said of a mail counts.
    """
    answer = getattr(problem, "response", None)
    if isinstance(answer, dict):
        return 400 if answer.get("Error", {}).get("Code") in _AMAZON_OF_THE_MAIL else None
    status: int | None = getattr(problem, "status_code", None)
    return status


def _words(problem: Exception) -> str:
    """The first line: what follows repeats the request, with the mail in it."""
    return str(problem).partition("\n")[0][:500]
