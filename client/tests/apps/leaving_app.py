"""An app that takes its leave: serves for 3 s more after SIGTERM. `app` is ASGI, `wsgi` the same for WSGI."""

import asyncio
import sys
import time

import daytwo
from daytwo import health

daytwo.init()
log = daytwo.get_logger("shop")
SLOW = 4.5  # seconds: longer than it drains, so that the server has to wait for it
health.drain_on_sigterm(3)


async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.shutdown":
                daytwo.capture_message("closing")
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if scope["path"].startswith("/health"):
        await health.asgi(scope, receive, send)
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(SLOW)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


def answer_wsgi(environ, start_response):
    if environ["PATH_INFO"].startswith("/health"):
        return health.wsgi(environ, start_response)
    if environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW)
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no stock")
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


app = daytwo.asgi(answer)
wsgi = daytwo.wsgi(answer_wsgi)

if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
