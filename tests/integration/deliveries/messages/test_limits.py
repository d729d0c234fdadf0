"""What keeps messages human, played over days, with a downtime in between."""

from datetime import UTC, datetime, timedelta

import pytest

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import Unavailable
from tests.integration.deliveries.world import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_quiet_hours_end_where_the_customer_lives(world: World) -> None:
    """Given two customers in different zones; when messages are due in the night of one; then each gets it in the
    first minute of its own morning."""
    await world.program('messages: {consent: unless_withdrawn, quiet_hours: "21:00-08:00"}')
    await world.knows("ana", time_zone="America/Los_Angeles")  # 05:00
    await world.knows("ben")  # the program's: noon
    await world.happen(world.due("ana"), world.due("ben"))
    assert await world.send() == [("hello", "ben@example.com")]
    world.clock.advance(3 * HOUR - timedelta(seconds=1))
    assert await world.send() == []
    world.clock.advance(timedelta(seconds=1))
    assert await world.send() == [("hello", "ana@example.com")]


async def test_a_customer_who_moves_is_looked_at_again(world: World) -> None:
    """Given a message that waits for the morning; when the customer turns out to live where it is noon; then it goes
    out at once."""
    await world.program('messages: {consent: unless_withdrawn, quiet_hours: "21:00-08:00"}')
    await world.knows("ana", time_zone="Asia/Tokyo")  # 21:00
    hello = world.due("ana")
    await world.happen(hello)
    assert await world.send() == []
    assert await world.state(hello) == ("held", "quiet_hours")
    await world.knows("ana", time_zone="Europe/London")
    assert await world.send() == [("hello", "ana@example.com")]


async def test_marketing_beyond_the_limit_waits_its_turn(world: World) -> None:
    """Given two a week at most; when four are due within a minute; then two go out now and one more a week later; the
    last one's time has passed by then. What is service goes out at once."""
    await world.program("messages: {consent: unless_withdrawn, at_most: {times: 2, per: P7D}}")
    await world.knows("ana")
    outcomes = [world.due("ana", expires_at=world.clock() + 8 * DAY) for _ in range(3)]
    last = world.due("ana", "winback")
    await world.happen(*outcomes, last, world.due("ana", "solved"))
    assert sorted(await world.send()) == [("hello", "ana@example.com")] * 2 + [("solved", "ana@example.com")]
    world.clock.advance(7 * DAY - timedelta(seconds=1))
    assert await world.send() == []
    world.clock.advance(timedelta(seconds=1))
    assert await world.send() == [("hello", "ana@example.com")]
    assert await world.state(last) == ("skipped", "expired")


async def test_an_angry_ticket_holds_marketing_until_it_is_resolved(world: World) -> None:
    """Given an open ticket of an angry customer; when messages are due; then service goes out, and marketing as soon as
    the ticket is resolved."""
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(world.mood("ana", angry=True), hello, world.due("ana", "solved"))
    assert await world.send() == [("solved", "ana@example.com")]
    assert await world.state(hello) == ("held", "angry_ticket")
    world.clock.advance(DAY)
    assert await world.send() == []
    await world.happen(world.mood("ana"))
    assert await world.send() == [("hello", "ana@example.com")]


async def test_unopened_e_mails_put_sms_first(world: World) -> None:
    """Given five unopened e-mails; when a message is due; then it goes by SMS; after one was opened, by e-mail again;
    and by e-mail where the template has no SMS."""
    await world.program(
        "messages: {consent: unless_withdrawn, channels: [email, sms], sms_after_unopened: 5}"
    )
    await world.knows("ana", customer={"email": "ana@example.com", "phone": "+12125550100"})
    await world.happen(world.mood("ana", unopened=5), world.due("ana"), world.due("ana", "winback"))
    assert sorted(await world.send()) == [("hello", "+12125550100"), ("winback", "ana@example.com")]
    await world.happen(world.mood("ana", unopened=0), world.due("ana"))
    assert await world.send() == [("hello", "ana@example.com")]
    assert {event.type for event in await world.events()} == {"sms.sent", "email.sent"}


async def test_the_channel_that_the_customer_prefers_comes_first(world: World) -> None:
    """Given somebody who prefers SMS; when a message is due; then it goes there."""
    await world.program("messages: {consent: unless_withdrawn, channels: [email, sms]}")
    contacts = {"email": "ana@example.com", "phone": "+12125550100", "preferences": {"channel": "sms"}}
    await world.knows("ana", customer=contacts)
    await world.happen(world.due("ana"))
    assert await world.send() == [("hello", "+12125550100")]


async def test_after_a_week_of_downtime_nobody_gets_a_week_of_mail_at_once(world: World) -> None:
    """Given a message a day for a week, by two campaigns in turn, that nobody could send; when all is back; then one
    goes out, the newest, and one more a day later; older ones that say the same are left out, and nothing is left."""
    await world.knows("ana")
    start = world.clock()
    outcomes = [
        world.due("ana", ("hello", "winback")[day % 2], time=start + day * DAY, expires_at=start + 30 * DAY)
        for day in range(7)
    ]
    world.clock.advance(7 * DAY)
    await world.happen(*outcomes)  # the worker was away too

    sent = []
    for hour in range(5 * 24):
        for template, _ in await world.send():
            sent.append((hour, template))  # reads as it happens
        world.clock.advance(HOUR)
    assert sent == [(0, "hello"), (24, "winback")]
    states = [await world.state(outcome) for outcome in outcomes]
    assert states == [("skipped", "newer_message")] * 5 + [("sent", None)] * 2


async def test_senders_that_were_away_catch_up_gently_too(world: World) -> None:
    """Given messages that were queued in time while no sender ran, service among them; when senders are back after two
    days; then they go out a day apart, service first."""
    await world.knows("ana")
    await world.happen(world.due("ana"), world.due("ana", "winback"), world.due("ana", "solved"))
    world.clock.advance(2 * DAY)
    assert await world.send() == [("solved", "ana@example.com")]
    world.clock.advance(DAY)
    first = await world.send()
    world.clock.advance(DAY)
    assert sorted(first + await world.send()) == [
        ("hello", "ana@example.com"),
        ("winback", "ana@example.com"),
    ]


async def test_a_week_without_a_mail_server_is_caught_up_with_gently(world: World) -> None:
    """Given a message a day for a week that are held for want of a mail server, looked at again and again; when there
    is one; then one goes out and one more a day later: older ones that say the same are left out."""
    await world.knows("ana")
    nowhere = {Channel.EMAIL: Unavailable()}
    for day in range(7):
        template = ("hello", "winback")[day % 2]
        await world.happen(world.due("ana", template, expires_at=world.clock() + 30 * DAY))
        for _ in range(4):
            assert await world.claim(unavailable=nowhere) == []
            world.clock.advance(6 * HOUR)
    assert await world.send() == [("hello", "ana@example.com")]
    world.clock.advance(DAY)
    assert await world.send() == [("winback", "ana@example.com")]
    world.clock.advance(DAY)
    assert await world.send() == []


async def test_a_clock_that_jumps_an_hour_sends_nothing_twice_and_loses_nothing(world: World) -> None:
    """Given a clock that goes an hour back after a message was sent, and one forward; then the message is not sent
    again, and what is due meanwhile is sent."""
    world.clock.set(datetime(2026, 11, 1, 12, tzinfo=UTC))
    await world.knows("ana")
    await world.happen(world.due("ana"))
    assert len(await world.send()) == 1
    world.clock.set(datetime(2026, 11, 1, 11, tzinfo=UTC))
    assert await world.send() == []
    await world.happen(world.due("ana", "winback"))
    assert await world.send() == [("winback", "ana@example.com")]
    world.clock.set(datetime(2026, 11, 1, 13, tzinfo=UTC))
    assert await world.send() == []


@pytest.mark.parametrize("asked_first", [True, False])
async def test_consent_withdrawn_in_the_batch_that_asks_stops_the_message(
    world: World, *, asked_first: bool
) -> None:
    """Given somebody who agreed; when a message is asked for and the consent withdrawn within what the worker takes at
    once, in either order; then it is never queued."""
    await world.knows("ana", consents=["email.marketing"])
    world.clock.advance(timedelta(seconds=1))
    withdrawn = await world.told("ana", customer={"email": "ana@example.com"}, withdrawn=["email.marketing"])
    hello = world.due("ana")
    await world.happen(*((hello, withdrawn) if asked_first else (withdrawn, hello)))
    assert await world.state(hello) == ("skipped", "no_consent")
    assert await world.send() == []


async def test_consent_that_is_withdrawn_counts_for_what_is_queued(world: World) -> None:
    """Given a program that asks for consent; when it is withdrawn while a message waits; then the message is not sent;
    and nothing is sent to who never gave it."""
    await world.program('messages: {quiet_hours: "11:00-13:00"}')
    await world.knows("ana", consents=["email.marketing"])
    await world.knows("ben")
    hello, other = world.due("ana"), world.due("ben")
    await world.happen(hello, other)
    assert await world.send() == []
    await world.knows("ana", withdrawn=["email.marketing"])
    world.clock.advance(HOUR)
    assert await world.send() == []
    assert await world.state(hello) == await world.state(other) == ("skipped", "no_consent")
