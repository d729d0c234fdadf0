"""(m) Messages per second from the queue through a local SMTP server, beside the plain loops that one would write.

python -m tests.benchmarks.mail [messages]     alone
"""

import asyncio
import contextlib
import smtplib
import sys
import time
from collections.abc import AsyncIterator
from email.message import EmailMessage

import asyncpg
from pydantic import SecretStr
from sqlalchemy import text

from services.deliveries.wiring.sender import create_sender
from shared.clock import system_clock
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.benchmarks.report import Figure
from tests.integration.deliveries.world import World
from tests.support.clock import ManualClock
from tests.support.mailbox import Mailbox, mail_server
from tests.support.stack import running

MESSAGES = 2_000
KILLED_MAX_S = 300.0


@contextlib.asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """A real SMTP server in a process of its own, which takes everything; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.mail",
        "sink",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def be_sink() -> None:
    """Serve until the standard input ends."""

    class Empty(Mailbox):
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802  # aiosmtpd's name
            return "250 2.0.0 Ok"

    async with mail_server(Empty()) as box:
        print(box.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def letter(number: int) -> EmailMessage:
    """What the rivals send: as much as ours, made anew each time."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "hello@shop.example", f"c{number}@example.com"
    mail["Subject"], mail["Message-ID"] = "Hello", f"<m-{number}@shop.example>"
    mail.set_content("Hello there\n")
    mail.add_alternative("<html><body><p>Hello there</p></body></html>", subtype="html")
    return mail


def plain_loop(port: int, messages: int) -> float:
    """Messages/s of smtplib on one connection, with no queue at all: nothing is remembered."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        began = time.perf_counter()
        for number in range(messages):
            client.send_message(letter(number))
        return messages / (time.perf_counter() - began)


async def queue_loop(url: str, port: int, messages: int) -> float:
    """Messages/s of the loop that one would write over a table: claim one, send it, note it, with two commits, so that
    it may be killed as ours may."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("""
            CREATE SCHEMA rival;
            CREATE TABLE rival.queue (id int PRIMARY KEY, due timestamptz, state text);
            CREATE INDEX ON rival.queue (due) WHERE state = 'waiting'
            """)
        await connection.execute(
            "INSERT INTO rival.queue SELECT n, now(), 'waiting' FROM generate_series(1, $1) n", messages
        )
        with smtplib.SMTP("127.0.0.1", port) as client:
            began = time.perf_counter()
            while number := await connection.fetchval("""
                UPDATE rival.queue SET state = 'sending' WHERE id = (SELECT id FROM rival.queue
                    WHERE state = 'waiting' AND due <= now() ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
                """):
                client.send_message(letter(number))
                await connection.execute("UPDATE rival.queue SET state = 'sent' WHERE id = $1", number)
            return messages / (time.perf_counter() - began)
    finally:
        await connection.execute("DROP SCHEMA IF EXISTS rival CASCADE")
        await connection.close()


async def ours(world: World, settings: Settings, messages: int) -> float:
    """Messages/s of the worker's loop: decided about, rendered, sent, noted, told as events."""
    for first in range(0, messages, 500):
        names = [f"c{number}" for number in range(first, min(first + 500, messages))]
        told = [await world.told(name, customer={"email": f"{name}@example.com"}) for name in names]
        await world.happen(*told)
        await world.happen(*(world.due(name) for name in names))
    stop = asyncio.Event()
    began = time.perf_counter()
    running_loop = asyncio.create_task(create_sender(settings, world.engine, system_clock).run(stop))
    async with asyncio.timeout(KILLED_MAX_S):
        while await waiting(world):  # noqa: ASYNC110  # a table tells nobody
            await asyncio.sleep(0.05)
    took_s = time.perf_counter() - began
    stop.set()
    await running_loop
    assert len(await world.events()) == messages
    return messages / took_s


async def waiting(world: World) -> int:
    """How many are not sent yet."""
    async with world.admin.connect() as connection:
        found = await connection.scalar(
            text("SELECT count(*) FROM deliveries.messages WHERE state <> 'sent'")
        )
        return int(found or 0)


async def mail(messages: int = MESSAGES) -> list[Figure]:
    """The figures of this part, on an embedded PostgreSQL and an SMTP server of their own."""
    async with running("postgres", services=()) as stack, sink() as port:
        loop = await asyncio.to_thread(plain_loop, port, messages)
        queue = await queue_loop(stack.postgres.url, port, messages)
        settings = Settings(
            database_url=stack.postgres.url,
            secret=SecretStr("a-secret-for-tests-that-is-long-enough"),
            smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"),
            mail_from="Mugs & more <hello@shop.example>",
            email_per_second=10_000,
        )
        engine = create_engine(stack.postgres.url, role="regulars_deliveries", pool_size=8)
        admin = create_engine(stack.postgres.url, role=None)
        world = World(engine, admin, settings, ManualClock(system_clock()))
        await world.program()
        rate = await ours(world, settings, messages)
        await engine.dispose()
        await admin.dispose()
    return [
        Figure("(m) smtplib in a loop, no queue", loop, "messages/s"),
        Figure("(m) smtplib in a loop over a table", queue, "messages/s"),
        Figure("(m) messages through SMTP", rate, "messages/s", ratio=rate / queue, of="the loop", goal=1.0),
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["sink"]:
        asyncio.run(be_sink())
    else:
        for figure in asyncio.run(mail(*(int(word) for word in sys.argv[1:]))):
            print(f"{figure.what}: {figure.value:,.0f} {figure.unit}")
