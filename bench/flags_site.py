"""The doors of flags with a thousand flags, beside the least that an application can do: a JSON echo. One process."""

import asyncio
import hashlib
import json
import socket
import sys
import threading

import uvicorn
import uvloop

from daytwo_server.core.keytable import KeyTable
from daytwo_server.flags.app.door import Door
from daytwo_server.flags.app.keys import Key
from daytwo_server.main.asgi import Front
from daytwo_server.main.protocol import Http

KEY = "dts_0a1b2c3d_" + "s" * 43
PLANS = ["pro", "enterprise"]


def flag(number):
    conditions = [{"attribute": "country", "operator": "in", "values": ["SE"]}]
    return {
        "key": f"flag-{number}", "revision": 1, "enabled": True, "allowedPlans": PLANS, "rolloutPercentage": 50,
        "rules": [{"conditions": conditions, "variant": "on"}] if number % 3 == 0 else [],
    }  # fmt: skip


class Site:
    def __init__(self, flags):
        self.document = {"format": 1, "environment": "production", "revision": 1, "segments": {}}
        self.document["flags"] = [flag(number) for number in range(flags)]
        key = Key(id=KEY[:12], environment=1, digest=hashlib.sha256(KEY.encode()).hexdigest())
        self.door = Door(
            keys=KeyTable(lambda: {key.id: key}, version=lambda: 1), load=lambda _: self.document,
            revisions=lambda: {1: self.document["revision"]}, record=lambda _: None, note_uses=lambda _: None, secret=b"s",
        )  # fmt: skip

    def change(self):
        self.document = self.document | {"revision": self.document["revision"] + 1}

    async def run(self, bound):
        front = Front([(self.door.matches, self.door)], echo)
        config = uvicorn.Config(front, lifespan="off", log_config=None, access_log=False, http=Http, ws="none",
                                server_header=False)  # fmt: skip
        await self.door.start()
        await uvicorn.Server(config).serve(sockets=[bound])


async def echo(scope, receive, send):
    """As little as it can be: what came as JSON goes back as JSON."""
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    body = json.dumps(json.loads(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main():
    """Prints the port, and changes a flag for each line that comes in."""
    site, bound = Site(int(sys.argv[1])), socket.create_server(("127.0.0.1", 0))
    print(bound.getsockname()[1], flush=True)

    def listen():
        for _ in sys.stdin:
            site.change()

    threading.Thread(target=listen, daemon=True).start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(site.run(bound))


if __name__ == "__main__":
    main()
