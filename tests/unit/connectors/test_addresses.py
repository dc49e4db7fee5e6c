"""Which addresses are public: checked against Python's own tables, and against every way to hide one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from consentry.connectors.addresses import is_public
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_of_no_public_network_is_refused(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
                "169.253.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2620:fe::fe"]
)  # fmt: skip
def test_an_ordinary_address_is_public(address):
    assert is_public(ip_address(address))


@slowly
@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_what_python_calls_private_is_never_public(address):
    assert address.is_global or not is_public(address)


@slowly
@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_python_calls_private_is_never_public_in_version_six(address):
    assert address.is_global or not is_public(address)


_CARRIERS = (
    lambda v4: IPv6Address((0xFFFF << 32) | int(v4)),
    lambda v4: IPv6Address(int(v4)),
    lambda v4: IPv6Address((0x64FF9B << 96) | int(v4)),
    lambda v4: IPv6Address((0x2002 << 112) | (int(v4) << 80)),
    lambda v4: IPv6Address((0x20010000 << 96) | (int(v4) ^ 0xFFFFFFFF)),
)


@slowly
@given(st.integers(0, 2**32 - 1).map(IPv4Address), st.sampled_from(_CARRIERS))
def test_an_address_inside_another_is_never_public(inner, carry):
    assert not is_public(carry(inner))
