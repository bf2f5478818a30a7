"""Handing mails to a provider over its HTTP API, by django-anymail."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.mail import get_connection

from daytwo_server.mail.models import Delivery
from daytwo_server.mail.sending import compose
from daytwo_server.mail.sending.problems import Refused, Unavailable

# Not this mail's fault: wrong key, over the limit of the plan, too many at once.
_OF_THE_ACCOUNT = frozenset({401, 402, 403, 404, 408, 429})


class ProviderWay:
    """The provider of DAYTWO_MAIL_URL."""

    def __init__(self) -> None:
        self._connection: Any = None

    def send(self, delivery: Delivery, hand_over: Callable[[], None]) -> None:
        """Returns once the provider has taken it. `hand_over` is called just before it may.

        Raises `Refused` and `Unavailable`, and what `hand_over` raises.
        """
        try:
            from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
        except ImportError as missing:
            raise Unavailable("Providers need an extra: pip install 'daytwo-server[mail]'.") from missing
        self._connection = self._connection or get_connection()
        mail = compose.compose(delivery)
        mail.connection = self._connection
        hand_over()
        try:
            mail.send()
        except AnymailRecipientsRefused as refused:
            raise Refused(_words(refused), permanent=True) from refused
        except AnymailAPIError as problem:
            status = getattr(problem, "status_code", None)
            if status is None or status in _OF_THE_ACCOUNT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Unavailable(_words(problem)) from problem
            raise Refused(_words(problem), permanent=True) from problem
        except AnymailError as problem:  # what this provider's API cannot express
            raise Refused(_words(problem), permanent=True) from problem

    def close(self) -> None:
        if self._connection:
            self._connection.close()


def _words(problem: Exception) -> str:
    """The first line: what follows repeats the request, with the mail in it."""
    return str(problem).partition("\n")[0][:500]
