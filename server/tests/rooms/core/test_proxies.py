"""Whose request it is, behind reverse proxies."""

import ipaddress
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.core.net.proxies import client_address, is_private, is_trusted

TRUSTED = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "2001:db8:1::/48")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # a stranger's word
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # 6.6.6.6 is what the client claimed
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0::7, 2001:db8:1::1", "2001:db8::7"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.5", None, "203.0.113.5"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("/run/daytwo.sock", "198.51.100.1", "/run/daytwo.sock"),
        (None, "198.51.100.1", ""),
        ("", None, ""),
    ],
)
def test_the_header_is_believed_as_far_as_trusted_hops_wrote_it(peer, forwarded, client):
    assert client_address(peer, forwarded, TRUSTED) == client


def test_without_trusted_proxies_the_peer_is_the_client():
    assert client_address("10.0.0.1", "198.51.100.1", ()) == "10.0.0.1"


@given(st.text(), st.text(), st.sampled_from(["10.0.0.1", "203.0.113.5"]))
def test_no_header_breaks_a_request_or_moves_an_untrusted_client(peer, forwarded, real):
    client_address(peer, forwarded, TRUSTED)
    assert client_address("203.0.113.5", forwarded, TRUSTED) == "203.0.113.5"
    assert client_address("10.0.0.1", f"{forwarded}, 198.51.100.1", TRUSTED) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("192.168.0.1", True), ("172.31.0.1", True),
        ("fd00::1", True), ("::ffff:10.0.0.1", True), ("8.8.8.8", False), ("2606:4700::1111", False),
        ("172.32.0.1", False), ("100.64.0.1", False), ("0.0.0.0", False), ("", False), ("/run/x.sock", False),
    ],
)  # fmt: skip
def test_private_means_this_machine_and_private_networks(address, private):
    assert is_private(address) is private


def test_a_peer_is_trusted_by_its_network():
    assert is_trusted("10.0.0.1", TRUSTED)
    assert is_trusted("::ffff:10.0.0.1", TRUSTED)
    assert not is_trusted("11.0.0.1", TRUSTED)
    assert not is_trusted(None, TRUSTED)


def test_the_module_costs_neither_django_nor_an_http_client():
    code = (
        "import sys, daytwo_server.core.net.proxies; sys.exit(bool({'django', 'httpx', 'httpcore'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
