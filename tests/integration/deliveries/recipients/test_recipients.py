"""Whom messages go to: what is told of persons, merges and unmerges, erasure."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.deliveries.application.recipients.tagging import NamelessError
from shared.bus.wiring import TOPICS
from tests.integration.deliveries.world import World
from tests.support.streams import on_stream

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_the_newest_address_counts_however_late_an_older_one_is_told(world: World) -> None:
    """Given an address told today; when an event of yesterday tells another; then mail goes to today's, and names that
    only the old event told are known."""
    await world.knows("ana", customer={"email": "new@example.com"})
    older = {"email": "old@example.com", "first_name": "Ana"}
    await world.knows("ana", customer=older, at=world.clock() - DAY)
    await world.happen(world.due("ana"))
    (claimed,) = await world.claim()
    assert claimed.contact.value == "new@example.com"
    assert claimed.recipient.personal["first_name"] == "Ana"


async def test_an_outcome_that_comes_again_later_turns_nothing_back(world: World) -> None:
    """Given consent that was given and then withdrawn; when the outcome of giving it is replayed; then it stays
    withdrawn."""
    await world.program("messages: {}")
    given = await world.told("ana", customer={"email": "ana@example.com"}, consents=["email"])
    world.clock.advance(HOUR)
    await world.happen(given, await world.told("ana", withdrawn=["email"]))
    await world.happen(given)
    hello = world.due("ana")
    await world.happen(hello)
    assert await world.send() == []
    assert await world.state(hello) == ("skipped", "no_consent")


async def test_a_merge_takes_contacts_and_queued_messages_along_and_an_unmerge_brings_them_back(
    world: World,
) -> None:
    """Given two customers, one with an address and a queued message; when they merge; then the message is the other
    one's, and counts towards its limit; when the merge is undone; then it is as before."""
    await world.program("messages: {consent: unless_withdrawn, at_most: {times: 1, per: P7D}}")
    await world.knows("ana")
    await world.knows("ben", customer={"first_name": "Ben"})
    first = world.due("ana", expires_at=world.clock() + 20 * DAY)
    await world.happen(first)
    await world.happen(world.merged("ana", "ben", 1))
    (claimed,) = await world.claim()
    assert (claimed.message.customer_id, claimed.contact.value) == (world.id("ben"), "ana@example.com")
    assert claimed.contact.subject == world.subject("ana")
    await world.note([claimed])

    more = world.due("ben", expires_at=world.clock() + 20 * DAY)
    await world.happen(more)
    assert await world.send() == []
    assert await world.state(more) == ("held", "too_often")

    back = world.merged("ana", "ana", 2, kind="customer.unmerged", **{"from": world.id("ben")})
    await world.happen(back)
    row = await world.row(first)
    assert row.customer_id == world.id("ana")
    world.clock.advance(7 * DAY)
    assert await world.send() == []
    assert await world.state(more) == ("skipped", "no_contact")


async def test_changes_in_who_is_who_may_come_in_any_order(world: World) -> None:
    """Given a merge and its undoing that travel in other partitions; when the later one comes first; then the part
    stays where the later one left it, and a message for it finds it there."""
    await world.knows("ana")
    await world.knows("ben", customer={"first_name": "Ben"})
    back = world.merged("ana", "ana", 2, kind="customer.unmerged", **{"from": world.id("ben")})
    await world.happen(back)
    await world.happen(world.merged("ana", "ben", 1))
    await world.happen(world.due("ana", of="ben"))
    (claimed,) = await world.claim()
    assert (claimed.message.customer_id, claimed.contact.value) == (world.id("ana"), "ana@example.com")


async def test_what_is_told_of_a_part_that_has_moved_is_told_of_its_customer(world: World) -> None:
    """Given a part that went to another customer; when its address is told under the old one; then mail to the new one
    goes there."""
    await world.knows("ben", customer={"first_name": "Ben"})
    await world.happen(world.merged("ana", "ben", 1))
    await world.happen(await world.told("ana", customer={"email": "ana@example.com"}))
    await world.happen(world.due("ben"))
    assert await world.send() == [("hello", "ana@example.com")]


async def test_an_address_that_a_merge_brings_is_waited_for(world: World) -> None:
    """Given a customer without an address, into whom one was merged of whom nothing was told yet, since that travels in
    another partition; when a message is due; then it waits; and goes out as soon as the address is told."""
    await world.knows("ben", customer={"first_name": "Ben"})
    hello = world.due("ben")
    await world.happen(world.merged("ana", "ben", 1), hello)
    assert await world.send() == []
    assert await world.state(hello) == ("held", "contact_awaited")

    world.clock.advance(timedelta(seconds=5))
    await world.happen(
        await world.told("ana", customer={"email": "ana@example.com"}, state_of=world.id("ana"))
    )
    assert await world.send() == [("hello", "ana@example.com")]


async def test_an_address_that_does_not_come_is_not_waited_for_long(world: World) -> None:
    """Given a message that waits for an address which a merge may bring; when an hour passes; then it is skipped."""
    await world.knows("ben", customer={"first_name": "Ben"})
    hello = world.due("ben")
    await world.happen(world.merged("ana", "ben", 1), hello)
    assert await world.send() == []
    world.clock.advance(HOUR)
    assert await world.send() == []
    assert await world.state(hello) == ("skipped", "no_contact")


async def test_consent_of_before_a_merge_does_not_come_back_after_it(world: World) -> None:
    """Given a customer who was merged into one who wants no e-mail; when what had been told of the first before that
    comes only now, by either of two ways; then its address is known, and no e-mail is wanted still."""
    await world.program("messages: {}")
    await world.knows("ben", customer={"first_name": "Ben"}, withdrawn=["email"])
    world.clock.advance(HOUR)
    person = {"consents": [], "consents_withdrawn": ["email"]}
    await world.happen(world.merged("ana", "ben", 1, person=person))
    world.clock.advance(HOUR)
    for of in ("ana", "ben"):
        known = {"email": "ana@example.com"}
        late = await world.told(
            "ana", of=of, customer=known, consents=["email"], state_of=world.id("ana"), emails_unopened=9
        )
        hello = world.due("ben")
        await world.happen(late, hello)
        assert await world.send() == []
        assert await world.state(hello) == ("skipped", "no_consent")


async def test_consent_withdrawn_after_the_clock_was_put_back_counts(world: World) -> None:
    """Given consent that was told while the clock was an hour ahead; when the clock is put right, and the consent is
    withdrawn; then nothing is sent any more."""
    await world.program("messages: {}")
    world.clock.advance(HOUR)
    await world.knows("ana", customer={"email": "ana@example.com"}, consents=["email"])
    world.clock.advance(-HOUR)
    await world.happen(await world.told("ana", withdrawn=["email"]))
    hello = world.due("ana")
    await world.happen(hello)
    assert await world.send() == []
    assert await world.state(hello) == ("skipped", "no_consent")


async def test_nobody_who_was_erased_is_written_to(world: World) -> None:
    """Given a queued message; when the person's key is destroyed; then it is not sent, and nothing that is told of them
    later is kept."""
    await world.knows("ana")
    hello = world.due("ana")
    late = await world.told("ana", customer={"email": "ana@example.com"})
    await world.happen(hello)
    async with world.admin.begin() as connection:
        await world.keys.destroy(connection, [world.subject("ana")])
    assert await world.send() == []
    assert await world.state(hello) == ("skipped", "erased")
    again = world.due("ana")
    await world.happen(late, again)
    assert await world.send() == []
    assert await world.state(again) == ("skipped", "erased")


async def test_no_table_holds_personal_data_in_the_clear(world: World) -> None:
    """Given a customer of whom much is told and a message that was sent; when every table of the service and its
    outbox is searched; then neither address, telephone nor name is found."""
    known = {"email": "ana.secret@example.com", "phone": "+12125550199", "first_name": "Anastasia"}
    await world.knows("ana", customer=known)
    await world.happen(world.due("ana"))
    assert len(await world.send()) == 1
    async with world.admin.connect() as connection:
        tables = await connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'deliveries'")
        )
        dumped = ""
        for (table,) in tables.all():
            rows = await connection.execute(text(f"SELECT t::text FROM deliveries.{table} t"))
            dumped += "".join(row for (row,) in rows)
        for topic in TOPICS:
            dumped += "".join(each.value.decode() for each in await on_stream(connection, topic))
    assert world.id("ana") in dumped
    for value in known.values():
        assert value not in dumped
        assert value.encode().hex() not in dumped


async def test_a_tag_that_a_campaign_gives_becomes_an_event_of_the_part_or_of_the_customer(
    world: World,
) -> None:
    """Given a customer with a known part; when a tag is due for it, and for another part that nothing is known of; then
    both are told under the known one, under ids of their own."""
    await world.knows("ana")
    data = {"campaign": "winback", "run": "r", "tag": "won-back"}
    first = world.outcome("tag.due", "ana", {**data, "part": world.id("ana")})
    second = world.outcome("tag.due", "ana", {**data, "part": world.id("another")})
    await world.happen(first, second)
    events = await world.events()
    assert {(event.type, event.id) for event in events} == {
        ("customer.tagged", first.id),
        ("customer.tagged", second.id),
    }
    for event in events:
        assert event.data == {"tag": "won-back", "by": "winback"}
        assert (event.subject, event.identifiers) == (world.subject("ana"), {"id": world.subject("ana")})


async def test_a_tag_for_somebody_of_whom_nothing_is_known_is_set_aside_and_can_be_replayed(
    world: World,
) -> None:
    """Given a customer of whom deliveries has heard nothing; when a tag is due; then it is refused alone, with nothing
    written, so that the stream sets it aside; when something is known and it is replayed; then it is told."""
    due = world.outcome("tag.due", "eve", {"campaign": "winback", "run": "r", "tag": "won-back"})
    with pytest.raises(NamelessError, match="campaign winback"):
        await world.happen(due)
    assert await world.events() == []

    await world.knows("eve")
    await world.happen(due)
    (event,) = await world.events()
    assert (event.type, event.id, event.subject) == ("customer.tagged", due.id, world.subject("eve"))
