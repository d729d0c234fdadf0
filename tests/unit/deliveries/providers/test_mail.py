"""The e-mail on the wire."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.adapters.providers.mail import (
    BadAddressError,
    message_id,
    read_address,
    read_mailbox,
    write_mail,
)
from services.deliveries.application.ports import Rendered

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHOP = read_mailbox("Mugs & more <hello@shop.example>")
LONG = "https://loyalty.shop.example/u/" + "x" * 300


def written(rendered: Rendered, to: str = "ana@example.com") -> tuple[bytes, EmailMessage]:
    wire = write_mail(rendered, SHOP, read_address(to), "m-1.email", NOW)
    mail = message_from_bytes(wire, policy=default)
    assert isinstance(mail, EmailMessage)
    return wire, mail


def test_an_email_has_what_mailboxes_ask_for() -> None:
    _, mail = written(Rendered("Hello", subject="We miss you, Zoë ❤", html="<p>Hellö</p>"))

    assert mail["From"] == "Mugs & more <hello@shop.example>"
    assert mail["To"] == "ana@example.com"
    assert mail["Subject"] == "We miss you, Zoë ❤"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<m-1.email@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (text.get_content().split(), html.get_content().split()) == (["Hello"], ["<p>Hellö</p>"])


def test_plain_words_travel_as_they_are_and_all_else_in_base64() -> None:
    """Given words of ASCII alone; then a person can read them on the wire. Given others, or lines that a mailbox could
    take for something else; then they arrive all the same."""
    plain = f"Hello\t Ana,\n\n-- \nUnsubscribe: {LONG}\n"
    wire, mail = written(Rendered(plain, subject="Hello", html="<p>Hello</p>"))
    assert plain.replace("\n", "\r\n").encode() in wire
    assert b"\r\n\r\n<p>Hello</p>\r\n" in wire
    part = mail.get_body(("plain",))
    assert part is not None
    assert part.get_content().replace("\r", "") == plain

    mark = str(mail.get_boundary())
    for other in ("Hellö\n", "From here\n", f"--{mark}--\n", "x" * 999 + "\n", "a\x0bb\n", "a\rb\n"):
        wire, mail = written(Rendered(other, subject="Hello", html="<p>Hello</p>"))
        part, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert part is not None
        assert html is not None
        assert part.get_payload(decode=True) == other.replace("\n", "\r\n").encode()
        assert html.get_content().strip() == "<p>Hello</p>"
        assert part["Content-Transfer-Encoding"] == "base64"


def test_names_and_words_are_read_as_they_were_written() -> None:
    for name in ("Mugs & more", 'The "best" mugs, \\o/', "Zoë's Bücher ❤", "=?utf-8?q?x?="):
        shop = Address(name, "hello", "shop.example")
        wire = write_mail(
            Rendered(".\nFrom here\n--x\n", subject=name), shop, read_address("a@b.example"), "k", NOW
        )
        mail = message_from_bytes(wire, policy=default)
        assert mail["From"].addresses == (shop,)
        assert mail["Subject"] == name
        assert isinstance(mail, EmailMessage)
        assert mail.get_content().replace("\r", "") == ".\nFrom here\n--x\n"


def test_a_long_unsubscribe_link_stays_one_word() -> None:
    headers = {"List-Unsubscribe": f"<{LONG}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    wire, _ = written(Rendered("Hello", headers=headers))

    assert f"List-Unsubscribe: <{LONG}>\r\n".encode() in wire
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in wire


@given(st.text(max_size=200), st.text(max_size=500), st.text(max_size=500))
def test_no_words_break_out_of_their_place(subject: str, text: str, html: str) -> None:
    try:
        wire, mail = written(Rendered(text, subject=subject, html=html))
    except UnicodeEncodeError:
        return  # lone surrogates: no text at all; the sender says that it cannot be rendered
    wire.decode("ascii")
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    assert max(map(len, wire.split(b"\r\n"))) <= 998, "RFC 5322, section 2.1.1"
    names = {name.lower() for name in mail.keys()}  # noqa: SIM118  # a message iterates its names twice over
    assert names <= {
        *("from", "to", "subject", "date", "message-id", "auto-submitted"),
        *("content-type", "content-transfer-encoding", "mime-version"),
    }


@pytest.mark.parametrize("value", ["<x>\r\nBcc: eve@example.com", "a\nb", "a\x00b", "ü"])
def test_a_header_that_could_break_out_is_never_written(value: str) -> None:
    with pytest.raises(ValueError, match="List-Unsubscribe"):
        written(Rendered("Hello", headers={"List-Unsubscribe": value}))


@pytest.mark.parametrize(
    "text",
    ["", "ana", "ana@", "@example.com", "ana@example.com\r\nRCPT TO:<eve@x.example>", "a b@c d", "a@b\x00"],
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(BadAddressError):
        read_address(text)


def test_domains_beyond_ascii_travel_in_their_ascii_form() -> None:
    assert read_address("ana@bücher.example") == Address(addr_spec="ana@xn--bcher-kva.example")


def test_the_message_id_is_the_same_for_every_attempt_and_always_legal() -> None:
    assert message_id("m-1.email", "x.example") == message_id("m-1.email", "x.example")
    assert message_id("a b>\r\nc", "x.example").count("@") == 1
    assert "\n" not in message_id("a b>\r\nc", "x.example")
