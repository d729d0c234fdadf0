"""Hands e-mails to a mail server (RFC 5321), over connections that are used again."""

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Final

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.deliveries.adapters.providers.mail import BadAddressError, read_address, write_mail
from services.deliveries.adapters.providers.mail_server import MailServer, Tls
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from services.deliveries.domain.providers.smtp_answers import Step, answer_to
from services.deliveries.domain.recipients.recipient import Contact
from shared.clock import Clock

ANSWER_WITHIN_S: Final = 30.0
"""How long the server may take for each of its answers."""
SEND_WITHIN_S: Final = 75.0
"""How long one e-mail may take in all, with the connecting: a server that lets its answers drip holds up nobody."""
MAILS_PER_CONNECTION: Final = 100
"""After that many a new connection is made: servers behind a balancer share the work, and some end it there anyway."""
IDLE_S: Final = 20.0
"""An idle connection is used again only within this time; servers hang up on those that wait for long."""
HOST: Final = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"
"""What we say our name is (EHLO)."""
_QUEUED: Final = re.compile(r"queued as ([A-Za-z0-9._-]{1,80})", re.IGNORECASE)


@dataclass(slots=True)
class _Connection:
    """A connection to the server, kept for more than one e-mail."""

    client: SMTP
    mails: int = 0
    idle_since: float = 0.0

    def usable(self, moment: float) -> bool:
        """Whether it can be trusted with another e-mail."""
        fresh = moment - self.idle_since < IDLE_S
        return fresh and self.mails < MAILS_PER_CONNECTION and self.client.is_connected


@dataclass(slots=True)
class _Talk:
    """How far the conversation about one e-mail has come."""

    connection: _Connection | None = None
    step: Step = Step.GREETING


class SmtpSender:
    """Implements `Sender` for e-mail.

    At most `connections` are open at a time; a message waits for one to be free. What the server says decides by the
    table in `domain/providers/smtp_answers.py`; a server that hangs, cuts off or answers nonsense is in trouble itself.
    """

    def __init__(
        self,
        server: MailServer,
        sender: Address,
        clock: Clock,
        *,
        connections: int = 4,
        cafile: Path | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
        send_within_s: float = SEND_WITHIN_S,
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._free = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []
        self._answer_within_s = answer_within_s
        self._send_within_s = send_within_s
        self._tls = None if server.tls is Tls.OFF else ssl.create_default_context(cafile=cafile)

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        """See `Sender.send`. The key becomes the Message-ID."""
        assert channel is Channel.EMAIL
        try:
            to = read_address(contact.value)
        except BadAddressError:
            return Refused("no_such_address", "not_an_address", suppress=True)
        try:
            content = write_mail(rendered, self._sender, to, idempotency_key, self._clock())
        except ValueError:
            return Refused("cannot_be_written")
        async with self._free:
            return await self._hand_over(to.addr_spec, content)

    async def close(self) -> None:
        """Say goodbye on the connections that are idle."""
        idle, self._idle = self._idle, []
        for connection in idle:
            with suppress(SMTPException, OSError, TimeoutError):
                await connection.client.quit(timeout=1)
            connection.client.close()

    async def _hand_over(self, to: str, content: bytes) -> Receipt:
        talk, receipt = _Talk(), None
        try:
            async with asyncio.timeout(self._send_within_s):
                receipt = await self._tell(talk, to, content)
                if not isinstance(receipt, Sent) and talk.connection:
                    await talk.connection.client.rset()
        except SMTPResponseException as error:
            receipt = receipt or answer_to(talk.step, error.code, error.message)
            self._drop(talk)
        except (SMTPException, OSError, EOFError) as error:  # a TimeoutError is an OSError
            receipt = receipt or _trouble(error, talk.step)
            self._drop(talk)
        except BaseException:
            self._drop(talk)
            raise
        self._keep(talk)
        return receipt

    async def _tell(self, talk: _Talk, to: str, content: bytes) -> Receipt:
        """Sender, recipient, content. Answers what is refused of this e-mail alone; raises what is trouble."""
        connection = await self._begin(talk)
        client = connection.client
        utf8 = not (to.isascii() and self._sender.addr_spec.isascii())
        try:
            if utf8 and not client.supports_extension("smtputf8"):
                return Refused("address_not_supported", "smtputf8")
            talk.step = Step.RECIPIENT
            await client.rcpt(to, encoding="utf-8" if utf8 else "ascii")
            talk.step = Step.CONTENT
            response = await client.data(content)
        except SMTPResponseException as error:
            receipt = answer_to(talk.step, error.code, error.message)
            if isinstance(receipt, Again) and receipt.down:
                raise
            return receipt
        connection.mails += 1
        return Sent(_reference(response.message))

    async def _begin(self, talk: _Talk) -> _Connection:
        """A connection on which the sender's address was taken. An old one may have been hung up on meanwhile:
        nothing of the e-mail was said yet, so another one is taken."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(asyncio.get_running_loop().time()):
                try:
                    await self._from(connection)
                except (SMTPException, OSError):
                    connection.client.close()
                    continue
                talk.connection = connection
                return connection
            connection.client.close()
        connection = _Connection(self._client())
        talk.connection = connection
        await connection.client.connect()
        await connection.client.ehlo()
        talk.step = Step.SENDER
        await self._from(connection)
        return connection

    async def _from(self, connection: _Connection) -> None:
        client = connection.client
        utf8 = client.supports_extension("smtputf8")
        options = ["SMTPUTF8"] if utf8 else []
        await client.mail(self._sender.addr_spec, options=options, encoding="utf-8" if utf8 else "ascii")

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=HOST,
            timeout=self._answer_within_s,
            use_tls=server.tls is Tls.FROM_START,
            start_tls={Tls.REQUIRED: True, Tls.OFFERED: None}.get(server.tls, False),
            tls_context=self._tls,
        )

    def _keep(self, talk: _Talk) -> None:
        connection = talk.connection
        if connection is not None and connection.client.is_connected:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    def _drop(self, talk: _Talk) -> None:
        """Hang up: nobody knows what the server would answer next."""
        if talk.connection is not None:
            talk.connection.client.close()


def _trouble(error: BaseException, step: Step) -> Again:
    """What it means that there was no answer. At the step `content` the e-mail may have arrived all the same."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        code = "tls_failed"
    elif isinstance(error, TimeoutError):
        code = "timed_out"
    elif isinstance(error, OSError | EOFError):
        code = "cut_off" if step is not Step.GREETING else "no_connection"
    else:
        code = "answered_wrongly"
    return Again(code, step.value, down=True)


def _reference(text: str) -> str:
    """The queue id in an answer like `2.0.0 Ok: queued as 4XyZ12`, if there is one."""
    found = _QUEUED.search(text)
    return found[1] if found else ""
