"""Signatures by Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta

from standardwebhooks import Webhook

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""

ROTATION = timedelta(days=1)
"""How long the secret before is signed with as well, so that receivers can change over at leisure."""

_PREFIX = "whsec_"


def written_secret(raw: bytes) -> str:
    """A secret as it is shown: `whsec_` and base64."""
    assert len(raw) == SECRET_BYTES
    return _PREFIX + b64encode(raw).decode()


def headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The three headers of a message that is sent at `at`, signed with every secret in force, the newest first."""
    assert secrets, "nothing leaves unsigned"
    text = body.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, text) for secret in secrets),
    }
