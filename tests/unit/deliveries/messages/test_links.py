"""Links in messages: nobody makes one up, and none leads where it was not meant to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.deliveries.domain.messages.links import DESTINATION_MAX, Link, Links, Use, can_be_followed
from shared.settings import Settings

LINKS = Links("https://mail.example.com", b"k" * 32)


def test_a_link_tells_what_it_was_made_of() -> None:
    url = LINKS.make(Use.CLICK, "m-1", "https://shop.example.com/?a=1&b=ü")
    assert url.startswith("https://mail.example.com/c/")
    assert LINKS.read(Use.CLICK, url.rpartition("/")[2]) == Link("m-1", "https://shop.example.com/?a=1&b=ü")


@given(
    st.text(max_size=DESTINATION_MAX),
    st.sampled_from(["", '"', "日", "\U0001f600"]),
    st.integers(0, DESTINATION_MAX),
)
def test_whatever_is_counted_leads_where_it_led(path: str, more: str, times: int) -> None:
    """Given an address of any characters; when it is one that is counted; then the link to it is good."""
    address = f"https://shop.example.com/{path}{more * times}"
    token = LINKS.token(Use.CLICK, f"msg_{'0' * 60}", address)
    if can_be_followed(address):
        assert LINKS.read(Use.CLICK, token) == Link(f"msg_{'0' * 60}", address)


def test_the_same_link_is_the_same_for_ever() -> None:
    """A change here makes all links in mailboxes useless: unsubscribing must work from the oldest mail."""
    token = LINKS.token(Use.UNSUBSCRIBE, "m-1")
    assert token == "WyJtLTEiXQ.YeFYQC6Xik2X8exSpqNUAA"


@pytest.mark.parametrize(
    ("told", "base"),
    [
        ({}, "http://127.0.0.1:8003"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8003"),
        ({"host": "10.0.0.7", "rewards_port": 9000}, "http://10.0.0.7:9000"),
        ({"public_url": "https://mail.example.com/"}, "https://mail.example.com"),
        ({"public_url": "https://example.com/loyalty"}, "https://example.com/loyalty"),
    ],
)
def test_links_begin_with_the_public_address(told: dict[str, Any], base: str) -> None:
    assert Settings(**told).public_address == base


@pytest.mark.parametrize(
    "address", ["mail.example.com", "ftp://example.com", "https://a b", "https://a/?b=c"]
)
def test_what_is_no_public_address_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=address)


@pytest.mark.parametrize("use", [use for use in Use if use is not Use.UNSUBSCRIBE])
def test_a_link_is_good_for_its_own_use_only(use: Use) -> None:
    assert LINKS.read(use, LINKS.token(Use.UNSUBSCRIBE, "m-1")) is None


def test_a_link_of_another_installation_is_none() -> None:
    other = Links(LINKS.base, b"l" * 32)
    assert LINKS.read(Use.OPEN, other.token(Use.OPEN, "m-1")) is None


@given(st.text(max_size=200))
def test_what_we_did_not_make_says_nothing(token: str) -> None:
    assert LINKS.read(Use.CLICK, token) is None


@given(st.data())
def test_a_link_with_one_other_character_says_nothing_else(data: st.DataObject) -> None:
    made = LINKS.token(Use.CLICK, "m-1", "https://shop.example.com/")
    at = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.characters(codec="ascii", exclude_characters=made[at]))
    changed = made[:at] + letter + made[at + 1 :]
    # The last character of base64 may carry bits that do not count.
    assert LINKS.read(Use.CLICK, changed) in (None, Link("m-1", "https://shop.example.com/"))


@pytest.mark.parametrize(
    ("address", "followed"),
    [
        ("https://shop.example.com/a?b=c#d", True),
        ("http://localhost:3000/", True),
        ("mailto:help@example.com", False),
        ("javascript:alert(1)", False),
        ("//shop.example.com/", False),
        ("/a", False),
        ("https://", False),
        ("https://[oops/", False),
        ("https://example.com/\r\nSet-Cookie: a=b", False),
        ("https://example.com/a b", False),
        ("https://example.com/" + "a" * 2_000, False),
    ],
)
def test_which_addresses_are_counted(address: str, followed: bool) -> None:
    assert can_be_followed(address) is followed
