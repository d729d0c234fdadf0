"""The queue of messages: once each, to the right one, in good time, and with a reason for whatever is not sent."""

from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import text

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import Unavailable
from services.deliveries.domain.providers.answers import Again, Refused
from tests.integration.deliveries.world import World

HOUR = timedelta(hours=1)


async def test_a_message_goes_out_once_and_is_told_as_an_event(world: World) -> None:
    """Given a known customer; when a message is due and sent; then it is noted, told once, and not due any more."""
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello)

    assert await world.send() == [("hello", "ana@example.com")]

    assert await world.state(hello) == ("sent", None)
    assert await world.claim() == []
    (event,) = await world.events()
    row = await world.row(hello)
    assert row.context == "{}"  # what it spoke of is not kept any longer than it is needed
    assert (event.type, event.source, event.id) == ("email.sent", "regulars", f"{row.id}/sent")
    assert (event.subject, event.identifiers) == (world.subject("ana"), {"id": world.subject("ana")})
    assert event.data == {"message_id": row.id, "campaign": "hello"}


async def test_the_same_outcome_twice_is_one_message(world: World) -> None:
    """Given an outcome that travels twice; when it is taken, sent and taken again; then one mail went out."""
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello, hello)
    assert len(await world.send()) == 1
    await world.happen(hello)
    assert await world.send() == []


async def test_one_message_per_cause(world: World) -> None:
    """Given two campaigns on the same cause; when both ask; then the first is sent and the other says why it is not.

    The same cause is another thing for another customer: a referral has two sides."""
    await world.knows("ana")
    await world.knows("ben")
    first, second = world.due("ana", cause="x"), world.due("ana", "winback", cause="x")
    other = world.due("ben", cause="x")
    await world.happen(first, second, other)
    third = world.due("ana", "solved", cause="x")
    await world.happen(third)

    assert sorted(await world.send()) == [("hello", "ana@example.com"), ("hello", "ben@example.com")]
    assert await world.state(second) == await world.state(third) == ("skipped", "same_cause")


async def test_nobody_is_written_to_about_history(world: World) -> None:
    """Given an outcome of history; when it is taken; then there is no message."""
    await world.knows("ana")
    await world.happen(replace(world.due("ana"), historical=True))
    assert await world.claim() == []


async def test_without_an_address_or_a_template_the_message_is_skipped(world: World) -> None:
    """Given somebody without contacts, and a template that is gone; when messages are due; then each says so."""
    await world.knows("ana", customer={"first_name": "Ana"})
    await world.knows("ben")
    hello, gone = world.due("ana"), world.due("ben", "nothing-of-the-kind")
    unknown = world.due("eve")
    await world.happen(hello, gone, unknown)

    assert await world.claim() == []
    assert await world.state(hello) == ("skipped", "no_contact")
    assert await world.state(unknown) == ("skipped", "no_contact")
    assert await world.state(gone) == ("skipped", "no_template")


async def test_a_message_that_came_too_late_is_not_sent(world: World) -> None:
    """Given a message; when it expired before anybody could send it; then it is skipped."""
    await world.knows("ana")
    hello = world.due("ana", expires_at=world.clock() + HOUR)
    await world.happen(hello)
    world.clock.advance(HOUR)
    assert await world.send() == []
    assert await world.state(hello) == ("skipped", "expired")


async def test_a_goal_that_is_reached_withdraws_what_is_still_queued(world: World) -> None:
    """Given a message that waits; when its run is withdrawn; then it is skipped at once, and others are not."""
    await world.program('messages: {consent: unless_withdrawn, quiet_hours: "11:00-14:00"}')
    await world.knows("ana")
    hello, other = world.due("ana"), world.due("ana", "winback")
    await world.happen(hello, other)
    assert await world.claim() == []  # it is noon

    await world.happen(
        world.outcome("message.withdrawn", "ana", {"campaign": "hello", "run": hello.data["run"]})
    )
    assert await world.claim() == []
    assert await world.state(hello) == ("skipped", "goal_reached")
    world.clock.advance(2 * HOUR)
    assert await world.send() == [("winback", "ana@example.com")]


async def test_a_goal_told_before_its_message_withdraws_it_too(world: World) -> None:
    """Given partitions that are not read in step; when a run is withdrawn before its message is asked for; then the
    message is skipped all the same; a month later nobody remembers the run."""
    await world.knows("ana")
    hello = world.due("ana")
    withdrawn = world.outcome("message.withdrawn", "ana", {"campaign": "hello", "run": hello.data["run"]})
    await world.happen(withdrawn, withdrawn)

    await world.happen(hello)

    assert await world.claim() == []
    assert await world.state(hello) == ("skipped", "goal_reached")
    world.clock.advance(31 * 24 * HOUR)
    await world.happen(world.outcome("message.withdrawn", "ana", {"campaign": "hello", "run": "another"}))
    async with world.admin.connect() as connection:
        rows = await connection.execute(text("SELECT run FROM deliveries.withdrawn_runs"))
        assert [row.run for row in rows] == ["another"]


class TestSenders:
    """What senders do with claims, and what becomes of it."""

    async def test_two_processes_never_claim_the_same(self, world: World) -> None:
        """Given a claim that has not committed; when another process claims; then it waits for nobody and gets what is
        left."""
        for name in ("ana", "ben"):
            await world.knows(name)
            await world.happen(world.due(name))
        other = world.another_queue()
        async with world.engine.begin() as first:
            mine = await world.queue.claim(first, world.clock(), 1)
            async with world.engine.begin() as second:
                theirs = await other.claim(second, world.clock(), 100)
        assert len(mine) == len(theirs) == 1
        assert {mine[0].contact.value, theirs[0].contact.value} == {"ana@example.com", "ben@example.com"}
        assert await world.claim() == []

    async def test_a_sender_that_dies_leaves_the_message_to_another(self, world: World) -> None:
        """Given a claim of a process that was killed; when its lease is over; then another has the same message under
        the same id, and what the first one says later is not noted."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        (dead,) = await world.claim()
        world.clock.advance(timedelta(minutes=4))
        assert await world.claim() == []
        world.clock.advance(timedelta(minutes=1))
        (mine,) = await world.claim()
        assert mine.message.id == dead.message.id
        assert mine.message.attempts == 2

        assert await world.note([dead]) == []
        assert await world.note([mine]) == [mine.message.id]
        assert await world.note([mine]) == []
        assert len(await world.events()) == 1

    async def test_what_could_not_be_taken_is_tried_again_when_the_sender_says(self, world: World) -> None:
        """Given a provider that asks to come again; when the time has come; then the message is claimed again, and its
        attempts are kept."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        await world.note(await world.claim(), Again("busy", "451 4.3.2"), world.clock() + HOUR)
        assert await world.state(hello) == ("held", "retry")
        assert await world.claim() == []
        world.clock.advance(HOUR)
        (again,) = await world.claim()
        assert again.message.attempts == 2
        await world.note([again], Again("busy", "451 4.3.2"))
        assert await world.state(hello) == ("failed", "gave_up")

    async def test_a_fault_of_the_provider_costs_no_attempt(self, world: World) -> None:
        """Given a provider that is down; when it is tried again; then the message has had no attempt yet."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        await world.note(await world.claim(), Again("connection_refused", down=True), world.clock() + HOUR)
        assert await world.state(hello) == ("held", "provider_down")
        world.clock.advance(HOUR)
        (again,) = await world.claim()
        assert again.message.attempts == 1
        assert await world.note([again]) == [again.message.id]

    async def test_an_address_that_is_no_good_is_used_no_more(self, world: World) -> None:
        """Given an address that bounced; when there is a telephone; then the message goes there, and so do others; a
        new address is good again."""
        await world.program("messages: {consent: unless_withdrawn, channels: [email, sms]}")
        await world.knows("ana", customer={"email": "old@example.com", "phone": "+12125550100"})
        await world.happen(world.due("ana"))
        await world.note(await world.claim(), Refused("no_such_address", "550 5.1.1", suppress=True))
        assert await world.send() == [("hello", "+12125550100")]

        await world.knows("ana", customer={"email": "new@example.com"})
        await world.happen(world.due("ana"))
        assert await world.send() == [("hello", "new@example.com")]

    async def test_an_address_that_is_no_good_ends_a_message_without_another_way(self, world: World) -> None:
        """Given an address that bounced, and no other; then the message has failed, and the next is skipped."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        await world.note(await world.claim(), Refused("no_such_address", "550 5.1.1", suppress=True))
        assert await world.claim() == []
        assert await world.state(hello) == ("failed", "refused")
        later = world.due("ana")
        await world.happen(later)
        assert await world.claim() == []
        assert await world.state(later) == ("skipped", "no_contact")

    async def test_a_message_that_is_refused_has_failed(self, world: World) -> None:
        """Given a provider that refuses the message itself; then it has failed, with the attempt kept."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        await world.note(await world.claim(), Refused("content_refused", "554 5.7.1"))
        assert await world.state(hello) == ("failed", "refused")
        assert await world.events() == []

    async def test_without_a_provider_messages_are_held_and_nothing_is_lost(self, world: World) -> None:
        """Given no mail server; when messages are due; then they are held, and sent once there is one."""
        await world.knows("ana")
        hello = world.due("ana")
        await world.happen(hello)
        assert await world.claim(unavailable={Channel.EMAIL: Unavailable()}) == []
        assert await world.state(hello) == ("held", "no_provider")
        world.clock.advance(timedelta(minutes=15))
        assert await world.send() == [("hello", "ana@example.com")]

    async def test_a_provider_that_is_down_is_waited_for(self, world: World) -> None:
        """Given a mail server that is down for a minute, and a telephone; then the e-mail waits that minute."""
        await world.program("messages: {consent: unless_withdrawn, channels: [email, sms]}")
        await world.knows("ana", customer={"email": "ana@example.com", "phone": "+12125550100"})
        await world.happen(world.due("ana"))
        until = world.clock() + timedelta(minutes=1)
        assert await world.claim(unavailable={Channel.EMAIL: Unavailable(until)}) == []
        world.clock.advance(timedelta(minutes=1))
        assert await world.send() == [("hello", "ana@example.com")]
