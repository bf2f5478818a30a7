"""The one error of intake: a request that gets an answer other than 200."""

from collections.abc import Sequence


class Refused(Exception):
    """Intake does not take this request.

    `status` is the HTTP status, never 5xx: an SDK does not send again after one. `detail` and `causes` are told to the
    client, `reason` is the word under which the loss is counted, `item` the item type it is counted for ("request"
    when nothing is known of the content). A 429 carries `retry_after_s` and the `scope` of its limit: "key" or
    "organization" (Sentry's word for the whole installation).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str,
        causes: Sequence[str] = (),
        item: str = "request",
        retry_after_s: int = 0,
        scope: str = "organization",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.causes = causes
        self.item = item
        self.retry_after_s = retry_after_s
        self.scope = scope


def malformed(detail: str, *causes: str) -> Refused:
    """400: the client sent something that is not an envelope or event."""
    return Refused(400, detail, reason="malformed", causes=causes)


def too_large(detail: str, *, item: str = "request") -> Refused:
    """413: over one of the documented size limits."""
    return Refused(413, detail, reason="too_large", item=item)


def try_later(detail: str, *, reason: str, retry_after_s: int, scope: str = "organization") -> Refused:
    """429: a guard says no. The answer names the categories, so that the SDK's own loss reports keep flowing."""
    return Refused(429, detail, reason=reason, retry_after_s=retry_after_s, scope=scope)
