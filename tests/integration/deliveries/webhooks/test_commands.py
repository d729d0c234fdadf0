"""`regulars listen` and `regulars trigger` against real services."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

import pytest
from standardwebhooks import Webhook

from services.ingest.main import create_app as create_ingest
from services.rewards.wiring.api import create_app as create_rewards
from shared.clock import system_clock
from shared.contracts.events import EVENTS_TOPIC
from shared.settings import Settings
from tests.conftest import SECRET
from tests.integration.deliveries.webhooks.conftest import LOCAL, TOKEN, Hooks
from tests.support.http import serving
from tests.support.receiver import answers, receiving
from tests.support.streams import on_stream


@pytest.fixture
def environment(hooks: Hooks, settings: Settings) -> dict[str, str]:
    """What a command of this installation is told."""
    assert settings.database_url is not None
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REGULARS_SECRET": SECRET,
        "REGULARS_API_KEY": TOKEN,
        "REGULARS_PARTITIONS": str(settings.partitions),
        "PYTHONUNBUFFERED": "1",
    }


async def regulars(environment: Mapping[str, str], *words: str) -> asyncio.subprocess.Process:
    """A command that runs."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", *words,
        env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_listen_shows_what_happens_forwards_it_signed_and_leaves_nothing_behind(
    hooks: Hooks, environment: dict[str, str]
) -> None:
    settings = hooks.settings.model_copy(update={"webhook_private_networks": LOCAL})
    async with receiving(answers(201)) as receiver, serving(create_rewards(settings, hooks.clock)) as server:
        forward = f"127.0.0.1:{receiver.port}/hooks"
        process = await regulars(
            environment,
            "listen",
            "--forward-to",
            forward,
            "--event",
            "points.*",
            "--url",
            str(server.base_url),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(40):
            begun = (await process.stderr.readline()).decode()
            await hooks.happen(hooks.outcome(points=7), hooks.outcome("tier.changed"))
            shown = (await process.stdout.readline()).decode()
            forwarded = (await process.stdout.readline()).decode()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
        assert (await hooks.ask("GET", "/v1/webhooks")).json()["items"] == []

    assert "points.earned" in shown
    assert '"points":7' in shown
    assert "answered 201" in forwarded
    (request,) = receiver.requests
    assert request.path == "/hooks"
    Webhook(begun.split()[-1]).verify(request.body, request.headers)


async def test_trigger_makes_an_event_that_is_on_the_stream(
    hooks: Hooks, environment: dict[str, str], settings: Settings
) -> None:
    async with serving(create_ingest(settings, system_clock)) as server:
        process = await regulars(
            environment, "trigger", "order.completed", "--set", "total=49.20", "--url", str(server.base_url)
        )
        async with asyncio.timeout(40):
            _, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert b"Taken: regulars-trigger" in errors
    async with hooks.engine.connect() as connection:
        rows = await on_stream(connection, EVENTS_TOPIC)
    assert len(rows) == 1
    assert b"49.20" in rows[0].value


async def test_nobody_there_is_said_in_a_line(environment: dict[str, str]) -> None:
    process = await regulars(environment, "trigger", "order.completed", "--url", "http://127.0.0.1:9")
    async with asyncio.timeout(40):
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"Ingest does not answer" in errors
    assert b"Traceback" not in errors
