"""Reading the address of the mail server."""

import pytest

from services.deliveries.adapters.providers.mail_server import MailServer, Tls, parse_mail_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://shop:p%40ss@mail.example.com",
            MailServer("mail.example.com", 587, Tls.REQUIRED, "shop", "p@ss"),
        ),
        (
            "smtps://shop:x@mail.example.com",
            MailServer("mail.example.com", 465, Tls.FROM_START, "shop", "x"),
        ),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, Tls.OFFERED)),
        ("smtp://shop:x@localhost:25", MailServer("localhost", 25, Tls.OFFERED, "shop", "x")),
        ("smtp://relay:25?starttls=off", MailServer("relay", 25, Tls.OFF)),
        ("smtp://[::1]:25?starttls=required", MailServer("::1", 25, Tls.REQUIRED)),
    ],
)
def test_the_address_says_it_all(url: str, server: MailServer) -> None:
    assert parse_mail_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com/inbox",
        "smtp://mail.example.com?tls=off",
        "smtp://mail.example.com?starttls=maybe",
        "smtps://mail.example.com?starttls=off",
        "smtp://mail.example.com:99999",
        "smtp://shop:hunter2@mail.example.com?starttls=off",
        "smtp://shop:hunter2@mail.example.com?starttls=offered",
    ],
)
def test_what_cannot_be_meant_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # each has words of its own
        parse_mail_server(url)
    assert "hunter2" not in str(refused.value)


def test_the_password_is_in_no_log() -> None:
    assert "hunter2" not in repr(parse_mail_server("smtps://shop:hunter2@mail.example.com"))
