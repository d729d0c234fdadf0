"""A real SMTP server whose mail can be looked at, and one that misbehaves as told."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cached_property
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Letter:
    """An e-mail as it arrived."""

    sender: str
    to: str
    wire: bytes = field(repr=False)

    @cached_property
    def mail(self) -> EmailMessage:
        """The parsed message."""
        parsed = message_from_bytes(self.wire, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @cached_property
    def message_id(self) -> str:
        """Its Message-ID, read once: parsing takes milliseconds, and fault rounds ask a hundred thousand times."""
        return str(self.mail["Message-ID"])

    @property
    def text(self) -> str:
        """The words of its text part."""
        part = self.mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class Mailbox:
    """The mail server of a test. `arrived` is every e-mail it took, repeats too; `letters` is what people see: a
    mailbox shows the same Message-ID once."""

    port: int = 0
    arrived: list[Letter] = field(default_factory=list)
    connections: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    """Answers to RCPT TO by address, such as `550 5.1.1 No such user`."""
    answer: str = "250 2.0.0 Ok: queued as T1"
    """To the end of the content."""
    lines: list[SMTP] = field(default_factory=list, repr=False)
    """One for each connection."""

    @property
    def url(self) -> str:
        """As `REGULARS_SMTP_URL` has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Cut all connections off, in the middle of a word."""
        for line in self.lines:
            if line.transport is not None:
                line.transport.abort()
        self.lines.clear()

    @property
    def letters(self) -> list[Letter]:
        """One of each Message-ID, in the order in which they came."""
        return list({letter.message_id: letter for letter in reversed(self.arrived)}.values())[::-1]

    def to(self, address: str) -> list[Letter]:
        """The letters in one person's mailbox."""
        return [letter for letter in self.letters if letter.to == address]

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, unless it is one to refuse."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the content."""
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            for to in envelope.rcpt_tos:
                self.arrived.append(Letter(envelope.mail_from or "", to, envelope.content))
        return self.answer


@asynccontextmanager
async def mail_server(
    mailbox: Mailbox | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    user: tuple[str, str] | None = None,
) -> AsyncIterator[Mailbox]:
    """An SMTP server in this event loop. With `tls` it offers STARTTLS (`implicit`: TLS from the start); with `user` it
    wants a name and a password first."""
    box = mailbox or Mailbox()
    options: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "mail.test", "ident": "test"}
    if tls and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if user:
        options |= {
            "auth_required": True,
            "auth_require_tls": tls is not None and not implicit,
            "authenticator": lambda *args: AuthResult(
                handled=False,
                success=(args[4].login, args[4].password) == (user[0].encode(), user[1].encode()),
            ),
        }

    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        box.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see that TLS from the start is TLS
            box.lines.append(SMTP(box, loop=loop, **options))
        return box.lines[-1]

    server = await loop.create_server(protocol, "127.0.0.1", box.port, ssl=tls if implicit else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[int]:
    """A server on a real socket that does with each connection what `script` says; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Dialogue:
    """A mail server that says what it is told, command by command, and nothing where it is told nothing."""

    GOOD: ClassVar[dict[str, str]] = {
        "greeting": "220 hello",
        "EHLO": "250 here",
        "MAIL": "250 ok",
        "RCPT": "250 ok",
        "DATA": "354 go on",
        ".": "250 ok",
        "RSET": "250 ok",
        "QUIT": "221 bye",
    }

    def __init__(self, **changed: str | None) -> None:
        """`changed`: answers other than good ones, by command (`end` for the end of the content). None: none at all, it
        hangs. `""`: it hangs up. Words that begin with `~` come drop by drop."""
        self.answers: dict[str, str | None] = {**self.GOOD, **changed}
        if "end" in changed:
            self.answers["."] = changed["end"]
        self.heard: list[str] = []
        self.contents: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        await self._say(writer, "greeting")
        while line := await reader.readline():
            command = line.decode().split()[0].split(":")[0].upper()
            self.heard.append(command)
            await self._say(writer, command)
            if command == "DATA" and str(self.answers["DATA"]).startswith("354"):
                self.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                self.heard.append(".")
                await self._say(writer, ".")

    async def _say(self, writer: asyncio.StreamWriter, command: str) -> None:
        answer = self.answers[command]
        if answer is None:
            await asyncio.sleep(3600)
        elif answer == "":
            raise ConnectionError
        elif answer.startswith("~"):
            for letter in answer[1:] * 1000:
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
