"""Our signatures are those of Standard Webhooks: its own library verifies them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.deliveries.domain.webhooks.signing import headers, written_secret

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32


def test_the_receiver_verifies_with_the_secret_as_it_was_shown() -> None:
    body = '{"type":"points.earned","data":{"name":"Zoë"}}'.encode()
    sent = headers("msg_1", datetime.now(UTC), body, [NEW])

    assert Webhook(written_secret(NEW)).verify(body, sent) == {
        "type": "points.earned",
        "data": {"name": "Zoë"},
    }


def test_during_a_rotation_both_secrets_verify_and_no_other() -> None:
    sent = headers("msg_1", datetime.now(UTC), b"{}", [NEW, OLD])

    for secret in (OLD, NEW):
        Webhook(written_secret(secret)).verify(b"{}", sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(written_secret(OTHER)).verify(b"{}", sent)


@pytest.mark.parametrize("altered", ["webhook-id", "webhook-timestamp"])
def test_id_and_time_are_signed_too(altered: str) -> None:
    now = datetime.now(UTC)
    sent = headers("msg_1", now, b"{}", [NEW])
    other = headers("msg_2", datetime.fromtimestamp(int(now.timestamp()) + 1, UTC), b"{}", [NEW])

    with pytest.raises(WebhookVerificationError):
        Webhook(written_secret(NEW)).verify(b"{}", sent | {altered: other[altered]})


def test_the_example_of_the_specification() -> None:
    """The published test vector: secret, id, time and body, and the signature that they must give."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'

    sent = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, [_raw(secret)])

    assert sent["webhook-timestamp"] == "1614265330"
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(max_size=200), st.binary(min_size=32, max_size=32))
def test_any_text_and_secret_verify(text: str, secret: bytes) -> None:
    body = text.encode("utf-8", "replace")
    sent = headers("msg_1", datetime.now(UTC), body, [secret])

    Webhook(written_secret(secret)).verify(body, sent, json_parse=False)


def _raw(secret: str) -> bytes:
    from base64 import b64decode

    return b64decode(secret.removeprefix("whsec_"))
