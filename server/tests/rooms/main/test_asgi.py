"""Which door a path leads to, and whom a request is from."""

import asyncio

import pytest

from daytwo_server.core import conf
from daytwo_server.main.asgi import Front, client_of, is_secure


def scope(path="/", peer="127.0.0.1", **headers):
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "client": (peer, 1), "scheme": "http", "headers": encoded}


def settings(**environ):
    return conf.load({name.upper(): value for name, value in environ.items()})


def opened(path, prefix=""):
    """The door a path leads to, and what that door is told."""
    told = []

    def door(name):
        async def application(scope, receive, send):
            told.append((name, scope["path"], scope.get("root_path", "")))

        return application

    front = Front([("/live".__eq__, door("live"))], door("pages"), prefix=prefix)
    asyncio.run(front(scope(path), None, None))
    return told[0]


@pytest.mark.parametrize(
    ("path", "door"),
    [("/live", "live"), ("/live/", "pages"), ("//live", "pages"), ("/Live", "pages"), ("/x/live", "pages")],
)  # fmt: skip
def test_a_door_opens_to_its_very_path(path, door):
    assert opened(path)[0] == door


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/daytwo/live", ("live", "/daytwo/live", "/daytwo")),
        ("/live", ("live", "/daytwo/live", "/daytwo")),  # the proxy took the prefix away
        ("/daytwo", ("pages", "/daytwo/", "/daytwo")),
        ("/daytwo/", ("pages", "/daytwo/", "/daytwo")),
        ("/daytwolive", ("pages", "/daytwo/daytwolive", "/daytwo")),
        ("/daytwo/../live", ("pages", "/daytwo/../live", "/daytwo")),
        ("//daytwo/live", ("pages", "/daytwo//daytwo/live", "/daytwo")),
    ],
)
def test_below_a_prefix_a_door_opens_to_the_path_behind_it(path, expected):
    assert opened(path, prefix="/daytwo") == expected


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"),
        ("127.0.0.1,10.0.0.0/8", "127.0.0.1", "203.0.113.9, 10.0.0.7", "203.0.113.9"),
    ],
)
def test_a_client_is_whom_trusted_proxies_name_and_nobody_it_names_itself(trusted, peer, forwarded, client):
    resolve = client_of(settings(daytwo_trusted_proxies=trusted))
    assert resolve(scope(peer=peer, x_forwarded_for=forwarded)) == client


@pytest.mark.parametrize(
    ("trusted", "proto", "secure"),
    [("", "https", False), ("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("127.0.0.1", "", False),
     ("127.0.0.1", "http, https", False), ("127.0.0.1", "HTTPS", False)],
)  # fmt: skip
def test_only_a_trusted_proxy_can_say_that_a_connection_was_encrypted(trusted, proto, secure):
    resolve = is_secure(settings(daytwo_trusted_proxies=trusted))
    assert resolve(scope(x_forwarded_proto=proto)) is secure
