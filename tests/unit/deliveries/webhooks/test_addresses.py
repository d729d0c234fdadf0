"""Where a webhook may not go: the inside of the network, in every spelling."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.webhooks.addresses import may_connect, parse_networks, unwrapped
from services.deliveries.domain.webhooks.targets import BadTargetError, may_send, parse_target

_INSIDE = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
    198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::127.0.0.1
    64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe::
    3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
    """

_OUTSIDE = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 128.0.0.1 126.255.255.255 169.253.0.1 172.15.0.1
    172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.0.1 198.20.0.1 203.0.114.1 223.255.255.255
    2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
    """


@pytest.mark.parametrize("address", _INSIDE.split())
def test_no_webhook_goes_inside(address: str) -> None:
    assert not may_connect(ip_address(address))
    assert not may_send("https", address, ())


@pytest.mark.parametrize("address", _OUTSIDE.split())
def test_the_public_internet_is_reached(address: str) -> None:
    assert may_connect(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_in_disguise_is_judged_as_what_it_is(address: IPv4Address) -> None:
    for disguise in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert unwrapped(IPv6Address(disguise)) == address
        assert may_connect(IPv6Address(disguise)) == may_connect(address)


@given(st.ip_addresses())
def test_what_python_calls_private_or_multicast_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if may_connect(address):
        real = unwrapped(address)
        kinds = ("private", "loopback", "link_local", "multicast", "reserved", "unspecified")
        assert [kind for kind in kinds if getattr(real, f"is_{kind}")] == []


def test_the_operator_can_let_webhooks_into_a_network() -> None:
    allowed = parse_networks("10.1.0.0/16, fd00:1::/32")

    assert may_connect(ip_address("10.1.2.3"), allowed)
    assert may_connect(ip_address("::ffff:10.1.2.3"), allowed)
    assert may_connect(ip_address("fd00:1::7"), allowed)
    assert not may_connect(ip_address("10.2.0.1"), allowed)
    assert not may_connect(ip_address("127.0.0.1"), allowed)


def test_plain_http_stays_inside_what_is_allowed() -> None:
    allowed = parse_networks("10.1.0.0/16")

    assert may_send("http", "10.1.2.3", allowed)
    assert not may_send("http", "8.8.8.8", allowed)
    assert may_send("https", "8.8.8.8", allowed)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "ftp://shop.example/hook",
        "https://",
        "https:///hook",
        "shop.example/hook",
        "https://user:pass@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest/meta-data",
        "https://shop.example\\@10.0.0.1/",
        "https://shop.example/a b",
        "https://shop.example/\nHost: other",
        "https://shöp.example/",
        "https://shop..example/",
        "https://-/",
        "https://[fe80::1%25eth0]/",
        "https://[not an address]/",
        "https://shop.example/" + "a" * 2000,
    ],
)
def test_a_bad_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BadTargetError):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://Shop.Example/hook?a=1", "shop.example", 443, "/hook?a=1", "shop.example"),
        ("https://shop.example", "shop.example", 443, "/", "shop.example"),
        ("https://shop.example:8443/x", "shop.example", 8443, "/x", "shop.example:8443"),
        ("https://[2606:4700::1]/x", "2606:4700::1", 443, "/x", "[2606:4700::1]"),
        ("https://1.1.1.1/x", "1.1.1.1", 443, "/x", "1.1.1.1"),
    ],
)
def test_a_good_address_is_taken_apart(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = parse_target(url)

    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://shop.example/{text}"):
        try:
            target = parse_target(url)
        except BadTargetError:
            continue
        assert target.scheme == "https"
        assert target.path.startswith("/")
