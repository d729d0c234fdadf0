"""Mail servers that refuse, hang, lie or go away: each message ends as it should, and no other pays for it."""

import asyncio
from datetime import timedelta

from services.deliveries.adapters.providers.senders import make_providers
from services.deliveries.application.messages.sending import Provider
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.answers import Again
from services.deliveries.domain.providers.backoff import ATTEMPTS_MAX
from services.deliveries.domain.providers.breaker import FAILURES_MAX, OPEN_FOR
from services.deliveries.domain.providers.pace import Pace
from tests.integration.deliveries.sending import (
    SECOND,
    Process,
    Recorder,
    attempts,
    known,
    mail_settings,
    process,
    until,
)
from tests.integration.deliveries.world import World
from tests.support.mailbox import Dialogue, Mailbox, mail_server, scripted_server


class TestAMailServerThatRefuses:
    async def test_a_dead_address_is_suppressed_for_all_campaigns(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        box = Mailbox(refuse={"ana@example.com": "550 5.1.1 <ana@example.com> unknown"})
        async with (
            mail_server(box) as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            await worker.step()
            await worker.step()
            assert await world.state(hello) == ("failed", "refused")
            later = world.due("ana", "winback")
            await world.happen(later)
            await worker.step()

        assert (await world.state(later))[0] == "skipped"
        assert await attempts(world) == [("refused", "no_such_address")]
        assert mailbox.arrived == []

    async def test_a_dead_address_sends_it_by_the_next_channel(self, world: World) -> None:
        await world.program("messages: {consent: unless_withdrawn, channels: [email, sms]}")
        await world.knows("ana", customer={"email": "ana@example.com", "phone": "+15005550001"})
        hello = world.due("ana")
        await world.happen(hello)
        sms = Recorder()
        box = Mailbox(refuse={"ana@example.com": "550 5.1.1 unknown"})
        async with mail_server(box) as mailbox:
            providers = make_providers(mail_settings(world.settings, mailbox.port), world.clock)
            providers.by_channel[Channel.SMS] = Provider(sms, Pace(100.0, 100), 4)
            worker = Process(world, providers)
            await worker.step()
            await worker.step()
            await providers.close()

        assert sms.texts == ["Hello by SMS"]
        assert await world.state(hello) == ("sent", None)

    async def test_what_is_put_off_comes_again_later_and_later_and_is_given_up(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        world.clock.advance(SECOND)
        box = Mailbox(refuse={"ana@example.com": "451 4.7.1 greylisted"})
        waits: list[timedelta] = []
        async with (
            mail_server(box) as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            for _ in range(ATTEMPTS_MAX):
                assert await worker.step() == [Again("put_off", "451 4.7.1")]
                row = await world.row(hello)
                if row.due_at is None:
                    break
                assert (row.state, row.reason) == ("held", "retry")
                waits.append(row.due_at - world.clock())
                world.clock.set(row.due_at - SECOND / 1000)
                assert await worker.step() == []
                world.clock.set(row.due_at)

        assert await world.state(hello) == ("failed", "gave_up")
        assert waits[:4] == [timedelta(seconds=seconds) for seconds in (15, 30, 60, 120)]
        assert max(waits) == timedelta(minutes=30)
        assert len(await attempts(world)) == ATTEMPTS_MAX


class TestAMailServerInTrouble:
    async def test_the_circuit_opens_nothing_is_lost_and_one_message_finds_out(self, world: World) -> None:
        outcomes = await known(world, *(f"c{number:02}" for number in range(20)))
        async with (
            scripted_server(Dialogue(greeting="")) as port,
            process(world, mail_settings(world.settings, port, smtp_connections=1)) as worker,
        ):
            receipts = await worker.step()
            assert {type(receipt) for receipt in receipts} == {Again}
            assert "email: no_connection" in str(worker.loop.trouble)
            world.clock.advance(OPEN_FOR - SECOND)
            assert await worker.step() == [], "left alone"
        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            world.clock.advance(timedelta(minutes=1))
            assert len(await worker.step()) == 1, "a probe"
            assert worker.loop.trouble is None
            for _ in range(3):
                await worker.step()

        assert len(mailbox.arrived) == len(mailbox.letters) == 20
        assert {await world.state(outcome) for outcome in outcomes} == {("sent", None)}

    async def test_once_it_is_open_no_other_message_is_tried(self, world: World) -> None:
        await known(world, *(f"c{number:02}" for number in range(20)))
        dialogue = Dialogue(MAIL="451 4.3.0 out of disk")
        async with (
            scripted_server(dialogue) as port,
            process(world, mail_settings(world.settings, port, smtp_connections=1)) as worker,
        ):
            stop = asyncio.Event()
            running = asyncio.create_task(worker.loop.run(stop))
            await until(lambda: worker.loop.trouble is not None)
            await asyncio.sleep(0.3)
            stop.set()
            await running

        assert dialogue.heard.count("MAIL") == FAILURES_MAX

    async def test_an_outage_costs_no_message_its_attempts(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        async with (
            scripted_server(Dialogue(greeting="")) as port,
            process(world, mail_settings(world.settings, port)) as worker,
        ):
            for _ in range(ATTEMPTS_MAX + 2):
                await worker.step()
                world.clock.advance(timedelta(minutes=10))
        assert (await world.state(hello))[0] == "held"

        async with (
            mail_server() as mailbox,
            process(world, mail_settings(world.settings, mailbox.port)) as worker,
        ):
            world.clock.advance(timedelta(hours=1))
            await worker.step()

        assert len(mailbox.arrived) == 1
