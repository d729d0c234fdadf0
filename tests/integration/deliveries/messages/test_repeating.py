"""The last look before a message is handed over, and what a provider may have already: it is repeated as it was."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.deliveries.domain.messages.progress import LEASE
from services.deliveries.domain.providers.answers import Again, Refused
from shared.contracts.outcomes import Outcome, message_id
from tests.integration.deliveries.sending import Process, Recorder, known, with_email
from tests.integration.deliveries.world import World

WEEK = timedelta(days=7)

Change = Callable[[World, Outcome], Awaitable[None]]


async def withdraws_consent(world: World, hello: Outcome) -> None:
    await world.knows("ana", withdrawn=["email"])


async def bounces(world: World, hello: Outcome) -> None:
    """By another message, or told over the API."""
    async with world.admin.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO deliveries.suppressed (pseudonym, channel, at, message_id, code)"
                " VALUES (:pseudonym, 'email', now(), '', 'complained')"
            ),
            {"pseudonym": world.pseudonyms.of("email", "ana@example.com")},
        )


async def reaches_the_goal(world: World, hello: Outcome) -> None:
    data = {"campaign": "hello", "run": hello.data["run"]}
    await world.happen(world.outcome("message.withdrawn", "ana", data))


async def is_erased(world: World, hello: Outcome) -> None:
    async with world.admin.begin() as connection:
        await world.keys.destroy(connection, [world.subject("ana")], world.clock())


async def has_another_address(world: World, hello: Outcome) -> None:
    await world.knows("ana", customer={"email": "new@example.com"})


async def proves_to_be_somebody_else(world: World, hello: Outcome) -> None:
    """Who told another address since, and wants no messages."""
    world.clock.advance(timedelta(seconds=1))
    await world.knows("ben", withdrawn=["marketing"])
    await world.happen(world.merged("ana", "ben", 1))


async def is_too_late(world: World, hello: Outcome) -> None:
    world.clock.advance(WEEK)


class TestTheLastLook:
    @pytest.mark.parametrize(
        ("change", "state"),
        [
            (withdraws_consent, ("skipped", "no_consent")),
            (bounces, ("skipped", "no_contact")),
            (reaches_the_goal, ("skipped", "goal_reached")),
            (is_erased, ("skipped", "erased")),
            (proves_to_be_somebody_else, ("skipped", "no_consent")),
        ],
    )
    async def test_what_changes_between_claim_and_hand_over_counts(
        self, world: World, change: Change, state: tuple[str, str]
    ) -> None:
        """Given a message that a sender has; when its reader may not be written to any more before it is handed over;
        then no provider gets it, and it is decided anew at once."""
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        async with world.engine.begin() as connection:
            (handed,) = await worker.dispatch.claim(connection, world.clock())
        await change(world, hello)
        receipt = await worker.dispatch.hand_over(handed)
        async with world.engine.begin() as connection:
            await worker.dispatch.note(connection, [(handed, receipt)], world.clock())
        await worker.step()

        assert sender.given == []
        assert await world.state(hello) == state

    async def test_who_has_lost_the_lease_hands_nothing_over(self, world: World) -> None:
        await known(world, "ana")
        sender = Recorder()
        slow, quick = Process(world, with_email(sender)), Process(world, with_email(sender))
        async with world.engine.begin() as connection:
            (handed,) = await slow.dispatch.claim(connection, world.clock())
        world.clock.advance(LEASE)
        await quick.step()
        await slow.dispatch.hand_over(handed)

        assert len(sender.given) == 1

    async def test_what_cannot_be_noted_as_begun_is_not_begun(self, world: World) -> None:
        """Given a statement that fails; then each message costs an attempt, and no provider is asked."""
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        async with world.engine.begin() as connection:
            (handed,) = await worker.dispatch.claim(connection, world.clock())
        async with world.admin.begin() as connection:
            await connection.execute(text("ALTER TABLE deliveries.messages RENAME begun_at TO away"))
        receipt = await worker.dispatch.hand_over(handed)
        assert isinstance(receipt, Again)
        assert receipt.code == "failed_here"
        async with world.admin.begin() as connection:
            await connection.execute(text("ALTER TABLE deliveries.messages RENAME away TO begun_at"))
        assert sender.given == []
        assert await world.state(hello) == ("sending", None)


class TestWhatAProviderMayHave:
    @pytest.mark.parametrize(
        "change",
        [
            withdraws_consent,
            bounces,
            reaches_the_goal,
            has_another_address,
            proves_to_be_somebody_else,
            is_too_late,
        ],
    )
    async def test_is_repeated_as_it_was(self, world: World, change: Change) -> None:
        """Given a worker that was killed between "sent" and "noted"; when anything else would be decided by now; then
        the same goes to the same address under the same key, and is noted as sent."""
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        await worker.send_and_die()
        await change(world, hello)
        world.clock.advance(LEASE)
        await worker.step()

        assert sender.given == [("ana@example.com", message_id(hello.id))] * 2
        assert await world.state(hello) == ("sent", None)
        (sent,) = await world.events()
        assert (sent.type, sent.identifiers) == ("email.sent", {"id": world.subject("ana")})
        row = await world.row(hello)
        assert (row.begun_at, row.contact_sealed) == (None, None)

    async def test_is_not_repeated_to_who_was_erased(self, world: World) -> None:
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        await worker.send_and_die()
        await is_erased(world, hello)
        world.clock.advance(LEASE)
        await worker.step()

        assert len(sender.given) == 1
        assert await world.state(hello) == ("skipped", "erased")

    async def test_is_repeated_until_the_provider_says_yes_or_no(self, world: World) -> None:
        """Given the same, and a provider in trouble; when it recovers; then it has the same message again, though its
        reader has another address by then; a no ends it."""
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        await worker.send_and_die()
        await has_another_address(world, hello)
        sender.answers = [Again("timed_out", down=True), Again("busy"), Refused("content_refused")]
        world.clock.advance(LEASE)
        for _ in range(3):
            await worker.step()
            world.clock.advance(timedelta(minutes=10))

        assert sender.given == [("ana@example.com", message_id(hello.id))] * 4
        assert await world.state(hello) == ("failed", "refused")

    async def test_waits_for_its_provider_and_has_failed_when_its_time_is_over(self, world: World) -> None:
        """Given the same, and no provider any more; then it is not noted as skipped: it may have arrived."""
        (hello,) = await known(world, "ana")
        await Process(world, with_email(Recorder())).send_and_die()
        world.clock.advance(LEASE)
        without = Process(world, with_email(Recorder()))
        without.dispatch._providers = {}
        await without.step()
        assert (await world.row(hello)).state == "sending"
        world.clock.advance(WEEK)
        await without.step()
        assert await world.state(hello) == ("failed", "gave_up")

    async def test_counts_for_how_often_its_reader_is_written_to(self, world: World) -> None:
        """Given one message a week at most, and one that went when its worker was killed; then the next one waits."""
        await world.program("messages: {consent: unless_withdrawn, at_most: {times: 1, per: P7D}}")
        (hello,) = await known(world, "ana")
        sender = Recorder()
        worker = Process(world, with_email(sender))
        await worker.send_and_die()
        world.clock.advance(timedelta(days=6))
        another = world.due("ana", "winback")
        await world.happen(another)
        await worker.step()

        assert len(sender.given) == 2
        assert await world.state(hello) == ("sent", None)
        assert await world.state(another) == ("held", "too_often")

    async def test_its_repetition_waits_for_the_morning(self, world: World) -> None:
        """Given a worker that is killed, and a week without any; when the next one begins at night; then the message is
        repeated when the quiet hours are over, though it has expired."""
        (hello,) = await known(world, "ana")
        await world.program('messages: {consent: unless_withdrawn, quiet_hours: "21:00-08:00"}')
        sender = Recorder()
        lost, other = Process(world, with_email(sender)), Process(world, with_email(sender))
        async with world.engine.begin() as connection:
            (handed,) = await lost.dispatch.claim(connection, world.clock())
        await lost.dispatch.hand_over(handed)
        world.clock.advance(WEEK + timedelta(hours=27) - timedelta(hours=world.clock().hour))
        await other.step()
        assert (world.clock().hour, len(sender.given)) == (3, 1)
        assert await world.state(hello) == ("sending", None)

        world.clock.advance(timedelta(hours=5))
        await other.step()
        assert len(sender.given) == 2
        assert await world.state(hello) == ("sent", None)
