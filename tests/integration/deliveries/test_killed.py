"""The worker as a real process, killed with -9 while it sends."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from shared.clock import system_clock
from tests.integration.deliveries.world import World
from tests.support.mailbox import Mailbox, mail_server

MESSAGES = 30
ROOT = Path(__file__).resolve().parents[3]


class SlowMailbox(Mailbox):
    """Takes its time, so that a kill comes in between."""

    async def handle_DATA(self, *arguments: object) -> str:  # noqa: N802  # aiosmtpd's name
        answer = await super().handle_DATA(*arguments)  # type: ignore[arg-type]
        await asyncio.sleep(0.02)
        return answer


async def test_each_person_gets_one_letter_however_often_the_worker_is_killed(
    world: World, tmp_path: Path
) -> None:
    """Given messages that are due; when the worker is killed twice while it sends, and its leases end; then each
    message is in its mailbox once, and is told once."""
    world.clock.set(system_clock())
    await world.program()
    names = [f"c{number}" for number in range(MESSAGES)]
    await world.happen(*[await world.told(name, customer={"email": f"{name}@example.com"}) for name in names])
    await world.happen(*(world.due(name) for name in names))
    async with mail_server(SlowMailbox()) as mailbox:
        for killed_after in (MESSAGES // 4, MESSAGES // 2):
            with worker(world, mailbox, tmp_path) as process:
                await until_arrived(mailbox, killed_after)
                process.kill()
            async with world.admin.begin() as connection:
                await connection.execute(
                    text("UPDATE deliveries.messages SET due_at = now() WHERE state = 'sending'")
                )
        with worker(world, mailbox, tmp_path) as process:
            async with asyncio.timeout(60):
                while await unsent(world):  # noqa: ASYNC110  # a table tells nobody
                    await asyncio.sleep(0.05)
            process.terminate()
            assert await asyncio.to_thread(process.wait, 20) == 0

    assert sorted(letter.to for letter in mailbox.letters) == sorted(f"{name}@example.com" for name in names)
    assert len(await world.events()) == MESSAGES


def worker(world: World, mailbox: Mailbox, folder: Path) -> "subprocess.Popen[bytes]":
    secret = world.settings.secret
    assert secret is not None
    assert world.settings.database_url is not None
    return subprocess.Popen(
        [sys.executable, "-m", "services.deliveries.main", "worker"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": make_url(world.settings.database_url).render_as_string(hide_password=False),
            "REGULARS_SECRET": secret.get_secret_value(),
            "REGULARS_HOME": str(folder),
            "REGULARS_PARTITIONS": "4",
            "REGULARS_WORKER_PORT": "0",
            "REGULARS_SMTP_URL": mailbox.url,
            "REGULARS_MAIL_FROM": "hello@shop.example",
        },
    )


async def until_arrived(mailbox: Mailbox, count: int) -> None:
    async with asyncio.timeout(60):
        while len(mailbox.arrived) < count:  # noqa: ASYNC110  # a list tells nobody
            await asyncio.sleep(0.005)


async def unsent(world: World) -> int:
    async with world.admin.connect() as connection:
        statement = text("SELECT count(*) FROM deliveries.messages WHERE state <> 'sent'")
        return int(await connection.scalar(statement) or 0)
