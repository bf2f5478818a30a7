"""Which addresses a target named by a user may have."""

import ipaddress

import pytest

from daytwo_server.core.net.addresses import Policy

NOWHERE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1", "localhost", "", "8.8.8.8.",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NOWHERE)
def test_what_is_not_one_public_host_is_refused(address):
    assert not Policy().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_hosts_are_permitted(address):
    assert Policy().permits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "::ffff:192.168.1.1", "fd12::1", "64:ff9b::a00:1"])
def test_private_addresses_can_be_switched_on(address):
    assert Policy(allow_private=True).permits(address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "100.64.0.1",
    ],
)
def test_that_switch_opens_neither_cloud_metadata_nor_wide_addresses(address):
    assert not Policy(allow_private=True).permits(address)


def test_the_list_opens_exactly_its_networks():
    policy = Policy(allowed=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/64")))
    assert policy.permits("10.1.2.3")
    assert policy.permits("::ffff:10.1.2.3")
    assert policy.permits("fd00::5")
    assert not policy.permits("10.2.0.1")
    assert not policy.permits("fd01::5")
