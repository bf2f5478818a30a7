"""Who is shown details of health and metrics."""

import pytest

from daytwo_server.core import conf
from daytwo_server.main.asgi import client_of
from daytwo_server.main.vitals import Vitals


def privileged(peer, *, trusted="", **headers):
    settings = conf.load({"DAYTWO_TRUSTED_PROXIES": trusted})
    vitals = Vitals.__new__(Vitals)  # only the question of who asks: no server behind it
    vitals._client = client_of(settings)
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return vitals._is_private({"client": (peer, 1), "headers": encoded})


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3", "::ffff:127.0.0.1", "fd00::1"])
def test_a_private_peer_that_comes_straight_here_is_shown_details(peer):
    assert privileged(peer)


@pytest.mark.parametrize("peer", ["203.0.113.9", "::ffff:203.0.113.9", "100.64.0.1", "169.254.169.254", "", "unix:"])
def test_others_are_not(peer):
    assert not privileged(peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"])
@pytest.mark.parametrize("header", ["x_forwarded_for", "x_real_ip", "forwarded", "via", "x_forwarded_host"])
def test_a_proxy_that_nobody_vouches_for_is_not_the_client(peer, header):
    for value in ("203.0.113.9", "127.0.0.1", "10.0.0.1", "::1"):
        assert not privileged(peer, **{header: value})


@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_behind_a_trusted_proxy_the_client_it_names_decides(peer):
    assert privileged(peer, trusted="127.0.0.1", x_forwarded_for="10.0.0.7")
    assert not privileged(peer, trusted="127.0.0.1", x_forwarded_for="203.0.113.9")
    assert not privileged(peer, trusted="127.0.0.1", x_forwarded_for="10.0.0.7, 203.0.113.9")
    assert not privileged(peer, trusted="127.0.0.1", x_forwarded_for="nonsense")
