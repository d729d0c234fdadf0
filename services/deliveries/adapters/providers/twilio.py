"""Hands SMS to Twilio, or to whoever speaks its Messages resource."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from services.deliveries.adapters.providers.http import SEND_WITHIN_S, Line
from services.deliveries.adapters.providers.mail_server import is_this_machine
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again, Receipt, Sent
from services.deliveries.domain.providers.http_answers import answer_of_twilio
from services.deliveries.domain.recipients.recipient import Contact
from shared.clock import Clock

LOOKED_AT: Final = 50
"""Messages to one number that are looked through for one that may have been sent before."""
CLOCKS_APART: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """An account, and the number or messaging service (`MG…`) that it sends from."""

    base: str
    sid: str
    token: str = field(repr=False)
    sender: str


def parse_twilio(url: str) -> TwilioAccount:
    """Read `twilio://SID:TOKEN@api.twilio.com?from=+15005550006`. Raises `ValueError`, which never repeats the
    token."""
    parts = urlsplit(url)
    name, _, sender = parts.query.partition("=")
    if not (parts.hostname and parts.username and parts.password and name == "from" and sender):
        raise ValueError("it must look like twilio://SID:TOKEN@api.twilio.com?from=+15005550006")
    # A stand-in on this machine, as in tests, has no certificate.
    scheme = "http" if is_this_machine(parts.hostname) else "https"
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    return TwilioAccount(
        f"{scheme}://{host}", unquote(parts.username), unquote(parts.password), unquote(sender)
    )


class TwilioSender:
    """Implements `Sender` for SMS by Twilio's Messages resource.

    It takes no idempotency key. Where a message may have been handed over before, its list of messages to that number
    is looked through first, for the same words.
    """

    def __init__(
        self, account: TwilioAccount, clock: Clock, *, requests: int = 8, within_s: float = SEND_WITHIN_S
    ) -> None:
        self._account = account
        self._line = Line(clock, requests=requests, within_s=within_s)
        self._messages = f"{account.base}/2010-04-01/Accounts/{account.sid}/Messages.json"
        self._auth = (account.sid, account.token)

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        """See `Sender.send`."""
        assert channel is Channel.SMS
        if since is not None:
            before = await self._sent_before(rendered.text, contact.value, since)
            if before is not None:
                return before
        by = "MessagingServiceSid" if self._account.sender.startswith("MG") else "From"
        form = {"To": contact.value, by: self._account.sender, "Body": rendered.text}
        answered = await self._line.ask("POST", self._messages, data=form, auth=self._auth)
        if isinstance(answered, Again):
            return answered
        return answer_of_twilio(answered.status, answered.body, answered.after_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()

    async def _sent_before(self, text: str, to: str, since: datetime) -> Receipt | None:
        """What became of it if it was handed over before; None if it was not. Trouble with asking is trouble."""
        query = {"To": to, "PageSize": str(LOOKED_AT)}
        answered = await self._line.ask("GET", self._messages, params=query, auth=self._auth)
        if isinstance(answered, Again):
            return answered
        if answered.status != 200:
            return answer_of_twilio(answered.status, answered.body, answered.after_s)
        found = answered.body.get("messages")
        for message in found if isinstance(found, list) else ():
            if isinstance(message, dict) and message.get("body") == text and _is_after(message, since):
                return Sent(str(message.get("sid", ""))[:64])
        return None


def _is_after(message: dict[str, Any], since: datetime) -> bool:
    """Whether Twilio got it since then; its dates are of RFC 2822."""
    try:
        created = parsedate_to_datetime(str(message["date_created"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
    return created.replace(tzinfo=created.tzinfo or UTC) >= since - CLOCKS_APART
