"""Four connections that post one request after the other, to whichever server."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 4


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    headers: Mapping[str, str]


def flood(port: int, next_request: Callable[[int], Request], *, seconds: float, accepted: int) -> dict[str, Any]:
    """`next_request(connection)` makes each; `accepted` is the status that counts. Times in ms."""
    took: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    refused: list[int] = []
    begun = time.perf_counter()

    def work(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() - begun < seconds:
            request = next_request(place)
            at = time.perf_counter()
            connection.request("POST", request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            answer.read()
            if answer.status == accepted:
                took[place].append(1000 * (time.perf_counter() - at))
            else:
                refused.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_of_them = sorted(one for each in took for one in each)
    if not all_of_them:
        raise RuntimeError(f"nothing was accepted: {refused[:5]}")
    return {
        "accepted": len(all_of_them), "refused": len(refused), "per_s": len(all_of_them) / (time.perf_counter() - begun),
        "p50_ms": all_of_them[len(all_of_them) // 2], "p95_ms": all_of_them[int(len(all_of_them) * 0.95)],
    }  # fmt: skip
