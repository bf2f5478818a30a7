"""What the middleware adds to a request of a bare Starlette app, and how often a storm of probes runs a check."""

import asyncio
import io
import json
import time

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import daytwo
from daytwo import health, logs

ROUNDS, REQUESTS, PROBES = 9, 2000, 1000
ran = []


async def page(_request):
    return PlainTextResponse("hello")


def asked(path: str) -> dict:
    return {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http",
        "headers": [(b"host", b"shop"), (b"user-agent", b"bench"), (b"accept", b"*/*")], "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "root_path": "", "http_version": "1.1",
    }  # fmt: skip


async def nothing():
    return {"type": "http.request", "body": b"", "more_body": False}


async def ignore(_message):
    pass


async def took(app) -> float:
    begun = time.thread_time()
    for _ in range(REQUESTS):
        await app(asked("/orders/5"), nothing, ignore)
    return (time.thread_time() - begun) / REQUESTS * 1e6


async def main() -> None:
    logs.configure("info", form="json", stream=io.BytesIO())
    bare = Starlette(routes=[Route("/orders/{number}", page)])
    wrapped = daytwo.asgi(bare)
    best = {"bare": float("inf"), "wrapped": float("inf")}
    for _ in range(ROUNDS):
        best["bare"] = min(best["bare"], await took(bare))
        best["wrapped"] = min(best["wrapped"], await took(wrapped))
    print(json.dumps({"middleware": "us a request", "adds": round(best["wrapped"] - best["bare"], 1)}))

    registry = health.Registry()

    @registry.check("database", ttl=5)
    async def database():
        ran.append(1)
        await asyncio.sleep(0.05)

    app = health.AsgiApp(registry)
    begun = time.perf_counter()
    await asyncio.gather(*(app(asked("/health"), nothing, ignore) for _ in range(PROBES)))
    storm = time.perf_counter() - begun
    print(json.dumps({"probe storm": PROBES, "checks_run": len(ran), "seconds": round(storm, 3)}))


asyncio.run(main())
