"""How Daytwo writes JSON and time, the same in log lines and health answers."""

import json
import time
from typing import Any

try:
    import orjson
except ImportError:  # the extra `speed` is not installed

    def dump(value: Any) -> bytes:
        """Encode plain JSON values in UTF-8 on one line."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
else:
    dump = orjson.dumps  # type: ignore[assignment]

# The last second that was formatted: strftime costs more than the rest of a log line.
_second: tuple[int, str] = (-1, "")
_MILLISECONDS = [f".{number:03d}Z" for number in range(1000)]


def rfc3339(seconds: float) -> str:
    """Format a Unix time as RFC 3339 in UTC with milliseconds: `2026-03-01T09:30:00.250Z`."""
    global _second  # noqa: PLW0603 - replaced as one tuple, so a race only costs a repeated strftime
    whole = int(seconds // 1)
    cached, prefix = _second
    if cached != whole:
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = (whole, prefix)
    return prefix + _MILLISECONDS[int((seconds - whole) * 1000)]
