"""E-mails handed to mail servers on real sockets: good ones, and all the ways of being bad."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from services.deliveries.adapters.providers.mail import read_mailbox
from services.deliveries.adapters.providers.mail_server import parse_mail_server
from services.deliveries.adapters.providers.smtp import SmtpSender
from services.deliveries.application.ports import Rendered
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from services.deliveries.domain.recipients.recipient import Contact
from tests.support.clock import ManualClock
from tests.support.mailbox import Dialogue, Mailbox, mail_server, scripted_server

WORDS = Rendered("Hello\n.\nend", subject="Hello", headers={"List-Unsubscribe": "<https://x.example/u>"})


def contact(address: str = "ana@example.com") -> Contact:
    return Contact(Channel.EMAIL, address, "part", "subject", {})


@asynccontextmanager
async def sending(
    url: str, *, connections: int = 4, cafile: Path | None = None, within_s: float = 5.0
) -> AsyncIterator[Callable[..., "asyncio.Task[Receipt]"]]:
    sender = SmtpSender(
        parse_mail_server(url),
        read_mailbox("Shop <hello@shop.example>"),
        ManualClock(),
        connections=connections,
        cafile=cafile,
        answer_within_s=within_s,
        send_within_s=2 * within_s,
    )

    def send(key: str = "m-1.email", to: str = "ana@example.com") -> "asyncio.Task[Receipt]":
        return asyncio.ensure_future(sender.send(Channel.EMAIL, WORDS, contact(to), key))

    try:
        yield send
    finally:
        await sender.close()


class TestAGoodServer:
    async def test_an_email_arrives_as_it_was_written(self) -> None:
        async with mail_server() as mailbox, sending(mailbox.url) as send:
            receipt = await send()

        assert receipt == Sent("T1")
        (letter,) = mailbox.arrived
        assert (letter.sender, letter.to) == ("hello@shop.example", "ana@example.com")
        assert letter.mail["Message-ID"] == "<m-1.email@shop.example>"
        assert letter.text == "Hello\n.\nend\n"

    async def test_one_connection_carries_many(self) -> None:
        async with mail_server() as mailbox, sending(mailbox.url) as send:
            for number in range(5):
                assert isinstance(await send(f"m-{number}"), Sent)

        assert len(mailbox.arrived) == 5
        assert mailbox.connections == 1

    async def test_no_more_connections_are_open_than_allowed(self) -> None:
        async with mail_server() as mailbox, sending(mailbox.url, connections=2) as send:
            await asyncio.gather(*(send(f"m-{number}") for number in range(12)))

        assert len(mailbox.letters) == 12
        assert mailbox.connections == 2

    async def test_a_refused_recipient_spoils_nothing_for_the_next(self) -> None:
        box = Mailbox(refuse={"gone@example.com": "550 5.1.1 No such user"})
        async with mail_server(box) as mailbox, sending(mailbox.url) as send:
            assert await send(to="gone@example.com") == Refused("no_such_address", "550 5.1.1", suppress=True)
            assert isinstance(await send("m-2"), Sent)

        assert [letter.to for letter in mailbox.arrived] == ["ana@example.com"]
        assert mailbox.connections == 1

    async def test_what_is_put_off_is_put_off_alone(self) -> None:
        box = Mailbox(refuse={"new@example.com": "451 4.7.1 Greylisted, come back"})
        async with mail_server(box) as mailbox, sending(mailbox.url) as send:
            assert await send(to="new@example.com") == Again("put_off", "451 4.7.1")
            assert isinstance(await send("m-2"), Sent)

    async def test_content_that_is_refused_says_nothing_about_the_address(self) -> None:
        async with mail_server(Mailbox(answer="554 5.7.1 Spam")) as mailbox, sending(mailbox.url) as send:
            assert await send() == Refused("content_refused", "554 5.7.1")

    async def test_a_server_that_hung_up_meanwhile_is_called_again(self) -> None:
        box = Mailbox()
        async with sending("smtp://127.0.0.1:1") as _, mail_server(box):
            pass
        async with mail_server(box) as mailbox, sending(mailbox.url) as send:
            assert isinstance(await send("m-1"), Sent)
            # The server goes away and comes back under the same address; the kept connection is dead.
            for transport in list(asyncio.all_tasks()):
                if "_handle_client" in repr(transport):
                    transport.cancel()
            await asyncio.sleep(0.05)
            assert isinstance(await send("m-2"), Sent)

        assert len(mailbox.letters) == 2

    async def test_an_address_beyond_ascii_travels_by_smtputf8(self) -> None:
        async with mail_server() as mailbox, sending(mailbox.url) as send:
            assert isinstance(await send(to="zoë@bücher.example"), Sent)

        assert mailbox.arrived[0].to == "zoë@xn--bcher-kva.example"

    @pytest.mark.parametrize("address", ["ana", "a@b\r\nRCPT TO:<eve@x.example>", "<eve@x.example>, a@b"])
    async def test_what_is_no_address_never_reaches_the_server(self, address: str) -> None:
        async with mail_server() as mailbox, sending(mailbox.url) as send:
            assert await send(to=address) == Refused("no_such_address", "not_an_address", suppress=True)

        assert mailbox.connections == 0


class TestTls:
    @pytest.mark.parametrize("implicit", [False, True])
    async def test_name_and_password_go_over_tls(
        self, certificate: tuple[ssl.SSLContext, Path], implicit: bool
    ) -> None:
        context, cafile = certificate
        async with mail_server(tls=context, implicit=implicit, user=("shop", "p@ss")) as mailbox:
            scheme = "smtps" if implicit else "smtp"
            url = f"{scheme}://shop:p%40ss@localhost:{mailbox.port}"
            async with sending(url, cafile=cafile) as send:
                assert isinstance(await send(), Sent)

        assert len(mailbox.arrived) == 1

    async def test_a_wrong_password_is_nobodys_messages_fault(
        self, certificate: tuple[ssl.SSLContext, Path]
    ) -> None:
        context, cafile = certificate
        async with (
            mail_server(tls=context, user=("shop", "right")) as mailbox,
            sending(f"smtp://shop:wrong@localhost:{mailbox.port}", cafile=cafile) as send,
        ):
            assert await send() == Again("refused_greeting", "535 5.7.8", down=True)

    async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
        self, certificate: tuple[ssl.SSLContext, Path]
    ) -> None:
        context, _ = certificate
        async with (
            mail_server(tls=context) as mailbox,
            sending(f"smtp://localhost:{mailbox.port}?starttls=required") as send,
        ):
            assert await send() == Again("tls_failed", "greeting", down=True)

        assert mailbox.arrived == []

    async def test_where_tls_is_required_nothing_goes_in_the_clear(self) -> None:
        async with (
            mail_server() as mailbox,
            sending(f"smtp://127.0.0.1:{mailbox.port}?starttls=required") as send,
        ):
            receipt = await send()

        assert isinstance(receipt, Again)
        assert receipt.down
        assert mailbox.arrived == []


FAULTS: list[tuple[str, dict[str, str | None], Receipt]] = [
    ("hangs before the first word", {"greeting": None}, Again("timed_out", "greeting", down=True)),
    ("hangs after the sender", {"MAIL": None}, Again("timed_out", "sender", down=True)),
    ("hangs after the recipient", {"RCPT": None}, Again("timed_out", "recipient", down=True)),
    ("hangs after DATA", {"DATA": None}, Again("timed_out", "content", down=True)),
    ("hangs when all is said", {"end": None}, Again("timed_out", "content", down=True)),
    ("is away for all", {"greeting": "554 5.3.2 closed"}, Again("refused_greeting", "554 5.3.2", down=True)),
    ("is busy", {"greeting": "421 4.3.2 busy"}, Again("closing", "421 4.3.2", down=True)),
    ("refuses the sender", {"MAIL": "550 5.7.1 no"}, Again("refused_sender", "550 5.7.1", down=True)),
    ("cuts off at once", {"greeting": ""}, Again("no_connection", "greeting", down=True)),
    ("cuts off at the recipient", {"RCPT": ""}, Again("cut_off", "recipient", down=True)),
    ("cuts off when all is said", {"end": ""}, Again("cut_off", "content", down=True)),
    ("talks nonsense", {"MAIL": "quack"}, Again("answered_wrongly", "-1", down=True)),
    ("talks nonsense at the end", {"end": "999 quack"}, Again("answered_wrongly", "999", down=True)),
    ("speaks another protocol", {"greeting": "HTTP/1.1 400 Bad"}, Again("answered_wrongly", "-1", down=True)),
    ("closes in the middle", {"RCPT": "421 4.3.2 going"}, Again("closing", "421 4.3.2", down=True)),
    ("lets it drip", {"RCPT": "~250-ok"}, Again("timed_out", "recipient", down=True)),
    ("answers with a flood", {"RCPT": "250-" + "x" * 100_000}, Again("answered_wrongly", "-1", down=True)),
]


@pytest.mark.parametrize(("fault", "answers", "expected"), FAULTS, ids=[fault[0] for fault in FAULTS])
async def test_a_server_that(fault: str, answers: dict[str, str | None], expected: Receipt) -> None:
    """Whatever it does: an answer within the time limits, and the fault is the server's, not the message's."""
    began = monotonic()
    async with (
        scripted_server(Dialogue(**answers)) as port,
        sending(f"smtp://127.0.0.1:{port}", within_s=0.3) as send,
    ):
        receipt = await send()

    assert receipt == expected
    assert monotonic() - began < 8  # the limits are a fraction; a machine in use may be slow


async def test_nobody_there() -> None:
    async with scripted_server(Dialogue()) as port:
        pass
    async with sending(f"smtp://127.0.0.1:{port}") as send:
        assert await send() == Again("no_connection", "greeting", down=True)


async def test_one_that_hangs_holds_up_the_others_no_longer_than_the_limit() -> None:
    slow = Dialogue(RCPT=None)
    async with (
        scripted_server(slow) as port,
        sending(f"smtp://127.0.0.1:{port}", connections=2, within_s=0.2) as send,
    ):
        began = monotonic()
        receipts = await asyncio.gather(*(send(f"m-{number}") for number in range(6)))

    assert {type(receipt) for receipt in receipts} == {Again}
    assert monotonic() - began < 8  # the limits are a fraction; a machine in use may be slow
