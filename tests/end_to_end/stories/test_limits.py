"""What keeps messages human, from the event to the mailbox."""

from datetime import timedelta

import httpx

from tests.end_to_end.stories.town import Town


async def pause(town: Town, who: str, number: int) -> None:
    """A subscription rests."""
    await town.happen("subscription.paused", who, subscription_id=f"s-{number}")


async def test_who_unsubscribes_with_one_click_gets_no_more_advertising(town: Town) -> None:
    """Given a letter with the header of RFC 8058; when the mail program posts to it, without a key; then consent to
    marketing is withdrawn everywhere, the next campaign says nothing, and service still writes."""
    await town.register("c-ana")
    await town.happen("login.recorded", "c-ana")
    await town.skip_days(14)
    (letter,) = town.letters("c-ana")
    assert letter.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(letter.mail["List-Unsubscribe"]).split("<http")[1].split(">")[0]

    transport = town.apis["rewards"]._transport
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as stranger:
        path = httpx.URL("http" + link).raw_path.decode()
        done = await stranger.post(
            path,
            content="List-Unsubscribe=One-Click",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    assert done.status_code == 200, done.text
    await town.settle()

    profile = (await town.apis["scoring"].get("/v1/customers/c-ana")).json()
    assert profile["facts"]["consents_withdrawn"] == ["email_marketing"]
    await town.happen("login.recorded", "c-ana")
    await town.skip_days(14)
    await town.skip_days(7)  # longer than a message waits
    assert len(town.letters("c-ana")) == 1
    await pause(town, "c-ana", 1)
    await town.settle()
    _, service = town.letters("c-ana")
    assert "List-Unsubscribe" not in service.mail


async def test_at_night_messages_wait_for_the_morning_where_the_customer_is(town: Town) -> None:
    """Given one in New York and one in Tokyo who stay away; when a fortnight is over at midday in New York, which is
    night in Tokyo; then the one hears at once and the other at eight in the morning of Tokyo."""
    await town.register("c-ana")
    await town.register("c-kei", time_zone="Asia/Tokyo")
    await town.happen("login.recorded", "c-ana")
    await town.happen("login.recorded", "c-kei")
    await town.skip_days(13)
    await town.pass_time(timedelta(hours=23, minutes=30))
    await town.pass_time(timedelta(minutes=31))  # one minute past one in the night, in Tokyo
    assert (len(town.letters("c-ana")), len(town.letters("c-kei"))) == (1, 0)

    await town.pass_time(timedelta(hours=5, minutes=58))
    assert len(town.letters("c-kei")) == 0
    await town.pass_time(timedelta(minutes=1))
    assert len(town.letters("c-kei")) == 1


async def test_after_a_week_of_downtime_nobody_gets_a_week_of_mail(town: Town) -> None:
    """Given somebody with whom much becomes due in a week in which nothing runs; when everything runs again; then there
    are no more letters than the program allows, and none twice."""
    await town.register("c-ana")
    await town.happen("login.recorded", "c-ana")
    await town.order("c-ana")
    await town.skip_days(10)
    await town.happen("login.recorded", "c-ana")
    for number in range(5):
        town.clock.advance(timedelta(days=1))
        await pause(town, "c-ana", number)
    town.clock.advance(timedelta(days=10))
    await town.pass_days(1)

    assert 1 <= len(town.letters("c-ana")) <= 2
    assert len(set(town.subjects("c-ana"))) == len(town.letters("c-ana"))


async def test_history_writes_to_nobody(town: Town) -> None:
    """Given orders of years ago, told as history; when their customer lapsed in it; then nobody hears of it."""
    for days in (400, 380):
        await town.happen(
            "order.completed",
            "c-ana",
            contact={"email": "c-ana@example.com"},
            days_ago=days,
            historical=True,
            order_id=f"old-{days}",
            currency="USD",
            total="20",
        )
    await town.register("c-ana")
    await town.skip_days(3)

    assert town.letters("c-ana") == []
