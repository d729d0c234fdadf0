"""Hands SMS and push messages to providers over HTTP, by our own interface (docs/providers.md)."""

import asyncio
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from services.deliveries.adapters.providers.mail_server import is_this_machine
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again, Receipt
from services.deliveries.domain.providers.http_answers import answer_of, retry_after_s
from services.deliveries.domain.recipients.recipient import Contact
from services.deliveries.domain.webhooks.signing import headers as signature
from shared.clock import Clock

SEND_WITHIN_S: Final = 30.0
ANSWER_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer over HTTP: its status, its JSON object (empty if it is none), and how long it asks to wait."""

    status: int
    body: dict[str, Any]
    after_s: float | None


class Line:
    """A connection pool to one provider. Redirects are not followed, proxies of the environment not asked."""

    def __init__(self, clock: Clock, *, requests: int, within_s: float) -> None:
        self._clock = clock
        self._within_s = within_s
        self._free = asyncio.Semaphore(requests)
        limits = httpx.Limits(max_connections=requests, max_keepalive_connections=requests)
        self._client = httpx.AsyncClient(limits=limits, timeout=within_s, trust_env=False)

    async def ask(self, method: str, url: str, **options: Any) -> Answered | Again:
        """One request, and its answer, or what kept it from coming."""
        try:
            async with (
                self._free,
                asyncio.timeout(self._within_s),
                self._client.stream(method, url, follow_redirects=False, **options) as response,
            ):
                return Answered(
                    response.status_code,
                    await _object(response),
                    retry_after_s(response.headers.get("retry-after"), self._clock()),
                )
        except httpx.ConnectError:
            return Again("no_connection", "connect", down=True)
        except (TimeoutError, httpx.TimeoutException):
            return Again("timed_out", "answer", down=True)
        except httpx.RemoteProtocolError as error:
            cut = "disconnected" in str(error) or "closed" in str(error)
            return Again("cut_off" if cut else "answered_wrongly", "answer", down=True)
        except httpx.TransportError:
            return Again("cut_off", "answer", down=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _object(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty for anything else, and for more than `ANSWER_BYTES_MAX`."""
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            return {}
    try:
        found = msgspec.json.decode(bytes(content))
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class HttpSender:
    """Implements `Sender` by our own interface: signed JSON out, with the idempotency key."""

    def __init__(
        self, url: str, secret: bytes, clock: Clock, *, requests: int = 8, within_s: float = SEND_WITHIN_S
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._line = Line(clock, requests=requests, within_s=within_s)

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        """See `Sender.send`."""
        said = {"id": idempotency_key, "channel": channel.value, "to": contact.value, "text": rendered.text}
        if rendered.subject:
            said["title"] = rendered.subject
        body = msgspec.json.encode(said)
        headers = {
            "content-type": "application/json",
            "idempotency-key": idempotency_key,
            **signature(idempotency_key, self._clock(), body, [self._secret]),
        }
        answered = await self._line.ask("POST", self._url, content=body, headers=headers)
        if isinstance(answered, Again):
            return answered
        return answer_of(answered.status, answered.body, answered.after_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()


def check_address(url: str) -> None:
    """Raises `ValueError` for what is no address of a provider. In the clear only to this machine itself."""
    parts = urlsplit(url)
    here = parts.hostname is not None and is_this_machine(parts.hostname)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise ValueError("the address must begin with https://")


def parse_secret(text: str) -> bytes:
    """The bytes of a secret of Standard Webhooks, `whsec_` and base64. Raises `ValueError`."""
    try:
        raw = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raw = b""
    if len(raw) < 24 or not text.startswith("whsec_"):
        raise ValueError("the secret must be whsec_ and at least 24 random bytes in base64")
    return raw
