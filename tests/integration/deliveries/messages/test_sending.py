"""From the queue to a real mailbox: every message arrives once, whatever the provider or the process does."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.deliveries.adapters.providers.senders import ProviderSettingsError, make_providers
from services.deliveries.application.messages.sending import UNNOTED_MAX
from services.deliveries.domain.messages.progress import LEASE
from services.deliveries.domain.providers.answers import Again, Receipt, Refused
from services.deliveries.domain.providers.backoff import ATTEMPTS_MAX
from shared.clock import system_clock
from shared.contracts.outcomes import message_id
from shared.settings import Settings
from tests.integration.deliveries.sending import (
    SECOND,
    Process,
    Recorder,
    known,
    mail_settings,
    process,
    until,
    with_email,
)
from tests.integration.deliveries.world import World
from tests.support.mailbox import mail_server


class TestAMailServerThatWorks:
    async def test_a_message_arrives_and_is_told(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            await worker.step()

        (letter,) = mailbox.arrived
        assert letter.to == "ana@example.com"
        assert letter.mail["Subject"] == "Hello"
        assert "Hello there" in letter.text
        assert letter.mail["Message-ID"] == f"<{message_id(hello.id)}@shop.example>"
        assert letter.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert await world.state(hello) == ("sent", None)
        assert [event.type for event in await world.events()] == ["email.sent"]

    async def test_the_loop_sends_all_and_ends_when_told(self, world: World) -> None:
        outcomes = await known(world, *(f"c{number}" for number in range(25)))
        stop = asyncio.Event()
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            running = asyncio.create_task(worker.loop.run(stop))
            await until(lambda: len(mailbox.arrived) == len(outcomes))
            stop.set()
            await running

        assert len(mailbox.letters) == len(mailbox.arrived) == 25
        assert {await world.state(outcome) for outcome in outcomes} == {("sent", None)}

    async def test_two_workers_share_the_work(self, world: World) -> None:
        await known(world, *(f"c{number}" for number in range(30)))
        async with mail_server() as mailbox:
            settings = mail_settings(world.settings, mailbox.port)
            async with process(world, settings) as first, process(world, settings) as second:
                for _ in range(3):
                    await asyncio.gather(first.step(), second.step())

        assert len(mailbox.arrived) == len(mailbox.letters) == 30

    async def test_without_a_mail_server_messages_are_held_and_lost_never(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        async with process(world, world.settings) as worker:
            assert await worker.step() == []
        assert await world.state(hello) == ("held", "no_provider")

        world.clock.advance(timedelta(hours=1))
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            await worker.step()

        assert len(mailbox.arrived) == 1


class TestAWorkerThatIsKilled:
    async def test_between_the_claim_and_the_provider(self, world: World) -> None:
        """When it was claimed and never sent; then it goes out when its lease has ended."""
        (hello,) = await known(world, "ana")
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            await worker.claim_and_die()
            assert await worker.step() == []
            world.clock.advance(LEASE)
            await worker.step()

        assert len(mailbox.arrived) == 1
        assert await world.state(hello) == ("sent", None)

    async def test_between_sent_and_noted(self, world: World) -> None:
        """When the provider has it and nobody noted it; then it is given again under the same key: once to all."""
        (hello,) = await known(world, "ana")
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            await worker.send_and_die()
            world.clock.advance(LEASE)
            await worker.step()

        assert len(mailbox.arrived) == 2, "at least once to the provider"
        assert len(mailbox.letters) == 1, "once to the person"
        assert [event.id for event in await world.events()] == [f"{message_id(hello.id)}/sent"]

    async def test_a_late_worker_notes_nothing_of_what_another_has(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        async with mail_server() as mailbox:
            settings = mail_settings(world.settings, mailbox.port)
            async with process(world, settings) as slow, process(world, settings) as quick:
                async with world.engine.begin() as connection:
                    handed = await slow.dispatch.claim(connection, world.clock())
                world.clock.advance(LEASE)
                await quick.step()
                async with world.engine.begin() as connection:
                    await slow.dispatch.note(
                        connection, [(handed[0], Refused("no_such_address"))], world.clock()
                    )

        assert await world.state(hello) == ("sent", None)

    async def test_one_that_ends_every_worker_is_given_up(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            for _ in range(ATTEMPTS_MAX):
                await worker.claim_and_die()
                world.clock.advance(LEASE)
            await worker.step()

        assert mailbox.arrived == []
        assert await world.state(hello) == ("failed", "gave_up")


class TestTheRate:
    async def test_two_workers_keep_it_together(self, world: World) -> None:
        await known(world, *(f"c{number:02}" for number in range(30)))
        async with mail_server() as mailbox:
            settings = mail_settings(world.settings, mailbox.port, email_per_second=5.0)
            async with process(world, settings) as first, process(world, settings) as second:
                await first.step()
                await second.step()
                assert len(mailbox.arrived) == 5
                world.clock.advance(SECOND)
                await second.step()
                await first.step()
                assert len(mailbox.arrived) == 10

    async def test_a_clock_that_jumps_back_an_hour_stops_nothing(self, world: World) -> None:
        await known(world, *(f"c{number:02}" for number in range(12)))
        async with mail_server() as mailbox:
            settings = mail_settings(world.settings, mailbox.port, email_per_second=5.0)
            async with process(world, settings) as worker:
                await worker.step()
                late = world.due("c00", "solved", time=world.clock() - timedelta(hours=2))
                await world.happen(late)
                world.clock.advance(-timedelta(hours=1))
                await worker.step()
                world.clock.advance(SECOND)
                await worker.step()

        assert await world.state(late) == ("sent", None)


async def test_a_provider_is_told_when_it_may_have_the_message_already(world: World) -> None:
    (hello,) = await known(world, "ana")
    created = world.clock()
    sender = Recorder(Again("timed_out", "content", down=True))
    worker = Process(world, with_email(sender))
    await worker.step()
    world.clock.advance(timedelta(minutes=10))
    await worker.step()

    assert sender.since == [None, created]
    assert await world.state(hello) == ("sent", None)


async def test_no_more_are_with_the_provider_than_may_be_handed_over_twice(world: World) -> None:
    """Given that nothing can be noted; then no more are sent than a kill would repeat."""
    await known(world, *(f"c{number}" for number in range(UNNOTED_MAX + 5)))
    sender = Recorder()
    worker = Process(world, with_email(sender))
    async with world.engine.begin() as connection:
        handed = await worker.dispatch.claim(connection, world.clock())
    tasks = [asyncio.create_task(worker.dispatch.hand_over(each)) for each in handed]
    await until(lambda: len(sender.texts) == UNNOTED_MAX)
    await asyncio.sleep(0.05)
    assert len(sender.texts) == UNNOTED_MAX

    done = [(each, task.result()) for each, task in zip(handed, tasks, strict=True) if task.done()]
    worker.dispatch.noted(done)

    await asyncio.gather(*tasks)
    assert len(sender.texts) == UNNOTED_MAX + 5


async def test_a_bug_in_a_provider_costs_its_message_an_attempt_and_the_others_nothing(world: World) -> None:
    outcomes = await known(world, "ana", "ben")
    sender = Recorder(RuntimeError("a bug"))
    worker = Process(world, with_email(sender))

    receipts: Sequence[Receipt] = await worker.step()

    assert sorted(type(receipt).__name__ for receipt in receipts) == ["Again", "Sent"]
    states = sorted([await world.state(outcome) for outcome in outcomes], key=str)
    assert states == [("held", "retry"), ("sent", None)]


async def test_what_a_provider_asks_for_is_kept(world: World) -> None:
    (hello,) = await known(world, "ana")
    worker = Process(world, with_email(Recorder(Again("busy", "429", 1200.0, down=True))), chance=lambda: 0.0)
    await worker.step()

    row = await world.row(hello)
    assert row.due_at == world.clock() + timedelta(minutes=20)


async def test_what_was_not_begun_when_the_process_ends_goes_back_at_once(world: World) -> None:
    (hello,) = await known(world, "ana")
    sender = Recorder()
    worker = Process(world, with_email(sender))
    worker.dispatch.stop()
    await worker.step()

    assert sender.texts == []
    assert (await world.state(hello))[0] == "held"
    await Process(world, with_email(sender)).step()
    assert await world.state(hello) == ("sent", None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SMTP_URL", {"smtp_url": SecretStr("mail.example.com:hunter2")}),
        ("MAIL_FROM", {"smtp_url": SecretStr("smtp://127.0.0.1"), "mail_from": None}),
        ("MAIL_FROM", {"smtp_url": SecretStr("smtp://127.0.0.1"), "mail_from": "Mugs & more"}),
        ("SMS_URL", {"sms_url": SecretStr("http://sms.example.com?key=hunter2")}),
        ("SMS_URL", {"sms_url": SecretStr("twilio://AC1:hunter2@api.twilio.com")}),
        (
            "PUSH_URL",
            {"push_url": SecretStr("https://push.example.com"), "push_secret": SecretStr("hunter2")},
        ),
    ],
)
def test_settings_that_cannot_be_meant_end_the_start(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ProviderSettingsError, match=f"REGULARS_{name}") as refused:
        make_providers(Settings().model_copy(update=wrong), system_clock)
    assert "hunter2" not in str(refused.value)
