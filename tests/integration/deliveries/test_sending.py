"""From the queue to a real mailbox: every message arrives once, whatever the provider or the process does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.deliveries.adapters.gates import PostgresGates
from services.deliveries.adapters.senders import Providers, ProviderSettingsError, make_providers
from services.deliveries.application.ports import Rendered
from services.deliveries.application.sending import UNNOTED_MAX, Dispatch, Provider
from services.deliveries.domain.answers import Again, Receipt, Refused, Sent
from services.deliveries.domain.backoff import ATTEMPTS_MAX
from services.deliveries.domain.breaker import FAILURES_MAX, OPEN_FOR
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.pace import Pace
from services.deliveries.domain.progress import LEASE
from services.deliveries.domain.recipient import Contact
from services.deliveries.entrypoints.message_sender import MessageSender
from shared.clock import system_clock
from shared.contracts.outcomes import Outcome, message_id
from shared.settings import Settings
from tests.integration.deliveries.world import World
from tests.support.mailbox import Dialogue, Mailbox, mail_server, scripted_server

SECOND = timedelta(seconds=1)


def mail_settings(settings: Settings, port: int, **more: Any) -> Settings:
    return settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
            "mail_from": "Mugs & more <hello@shop.example>",
            "email_per_second": 10_000.0,
            **more,
        }
    )


class Process:
    """One worker's sender loop, stepped by hand."""

    def __init__(self, world: World, providers: Providers, chance: Callable[[], float] = lambda: 0.5) -> None:
        queue = world.another_queue()
        self.dispatch = Dispatch(queue, queue.renderer, PostgresGates(), providers.by_channel, chance=chance)
        self.loop = MessageSender(
            engine=world.engine,
            dispatch=self.dispatch,
            clock=world.clock,
            transient=lambda error: isinstance(error, OSError),
            close=providers.close,
        )
        self._world = world

    async def step(self) -> list[Receipt]:
        """Claim once, hand over, note; what the providers said."""
        async with self._world.engine.begin() as connection:
            handed = await self.dispatch.claim(connection, self._world.clock())
        receipts = await asyncio.gather(*(self.dispatch.hand_over(each) for each in handed))
        if handed:
            async with self._world.engine.begin() as connection:
                await self.dispatch.note(
                    connection, list(zip(handed, receipts, strict=True)), self._world.clock()
                )
            self.dispatch.noted(list(zip(handed, receipts, strict=True)))
        return list(receipts)

    async def claim_and_die(self) -> None:
        """Killed after the claim was committed."""
        async with self._world.engine.begin() as connection:
            await self.dispatch.claim(connection, self._world.clock())

    async def send_and_die(self) -> None:
        """Killed after the provider took the messages, before that was noted."""
        async with self._world.engine.begin() as connection:
            handed = await self.dispatch.claim(connection, self._world.clock())
        await asyncio.gather(*(self.dispatch.hand_over(each) for each in handed))


@asynccontextmanager
async def process(world: World, settings: Settings, **more: Any) -> AsyncIterator[Process]:
    providers = make_providers(settings, world.clock)
    try:
        yield Process(world, providers, **more)
    finally:
        await providers.close()


async def known(world: World, *names: str) -> list[Outcome]:
    """Customers, each with a message that is due."""
    outcomes = []
    for name in names:
        await world.knows(name)
        outcomes.append(world.due(name))
    await world.happen(*outcomes)
    return outcomes


async def until(come: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not come():  # noqa: ASYNC110  # what is looked at tells nobody
            await asyncio.sleep(0.01)


async def attempts(world: World) -> list[tuple[str, str]]:
    async with world.admin.connect() as connection:
        rows = await connection.execute(
            text("SELECT result, code FROM deliveries.attempts ORDER BY at, number")
        )
        return [(result, code) for result, code in rows]


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


class Recorder:
    """A provider that takes all, or answers as told."""

    def __init__(self, *answers: Receipt | Exception) -> None:
        self.answers = list(answers)
        self.texts: list[str] = []
        self.since: list[datetime | None] = []

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        self.texts.append(rendered.text)
        self.since.append(since)
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_email(sender: Recorder) -> Providers:
    return Providers({Channel.EMAIL: Provider(sender, Pace(1000.0, 1000), 4)})


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
