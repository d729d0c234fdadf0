"""Stories of those who stay away, and of what comes round: logins, subscriptions, contracts."""

from tests.end_to_end.stories.together import Story, Timeline
from tests.end_to_end.stories.town import Town


async def a_fortnight_without_a_login(town: Town, time: Timeline) -> None:
    """Given one who goes on to log in, one who stops, and one who never did; when a fortnight passes; then the one who
    stopped is asked, once; and the login that follows is the campaign's success."""
    for who in ("c-nan", "c-ned", "c-nia"):
        await town.register(who)
    await town.happen("login.recorded", "c-nan")
    await time.day(4)
    await town.happen("login.recorded", "c-ned")
    for day in (8, 16):
        await time.day(day)
        await town.happen("login.recorded", "c-nan")
    await time.day(17, hours=22.9)
    assert [town.subjects(who) for who in ("c-nan", "c-ned", "c-nia")] == [[], [], []]

    await time.day(17, hours=23)  # noon again: clocks have gone forward since

    assert [town.subjects(who) for who in ("c-nan", "c-ned", "c-nia")] == [[], ["How can we help?"], []]
    await time.day(20)
    await town.happen("login.recorded", "c-ned")
    await time.soon()
    assert (await town.run("c-ned", "how-can-we-help"))["reached_at"] is not None
    assert len(town.letters("c-ned")) == 1


async def a_subscription_rests(town: Town, time: Timeline) -> None:
    """Given somebody who wants no advertising; when they pause their subscription; then they hear that their place is
    kept; and that they come back is the campaign's success."""
    await town.register("c-oda", consent={"marketing": False})
    await town.happen("subscription.started", "c-oda", subscription_id="s-oda")
    await time.day(1)
    await town.happen("subscription.paused", "c-oda", subscription_id="s-oda")
    await time.soon()
    assert town.subjects("c-oda") == ["We'll hold your spot"]

    await time.day(30)
    await town.happen("subscription.resumed", "c-oda", subscription_id="s-oda")
    await time.soon()

    assert (await town.run("c-oda", "hold-your-spot"))["reached_at"] is not None
    assert len(town.letters("c-oda")) == 1


async def a_subscription_renews(town: Town, time: Timeline) -> None:
    """Given a subscription that renews on 20 April and then each month; when 30 days are left, a letter tells the
    day, at eight in the morning, and an alert; the next one comes for the next renewal."""
    await town.register("c-pam")
    await town.happen("subscription.started", "c-pam", subscription_id="s-pam", renews_on="2026-04-20")
    await time.day(18, hours=18.9)
    assert town.subjects("c-pam") == []

    await time.day(18, hours=19)  # of 21 March

    assert town.subjects("c-pam") == ["Your renewal is coming up"]
    assert "Your renewal is on 20 April 2026." in town.letters("c-pam")[0].text
    await town.close(await town.alert("c-pam", "renewal-ahead"), tell=False)
    await time.day(48)
    await town.happen("subscription.renewed", "c-pam", subscription_id="s-pam", renews_on="2026-05-20")
    await time.day(49)
    await time.day(52)
    assert town.subjects("c-pam") == ["Your renewal is coming up"] * 2
    assert "20 May 2026" in town.letters("c-pam")[1].text


async def a_contract_renews(town: Town, time: Timeline) -> None:
    """Given a contract of a company; when 30 days are left; then the person of that company who is known has a letter,
    once."""
    await town.register("c-quo")
    await town.happen(
        "contract.signed", "c-quo", account_id="a-quo", renews_on="2026-05-01", contract_id="k-1"
    )
    await time.day(29)
    assert town.subjects("c-quo") == []

    await time.day(30)  # 1 April

    assert town.subjects("c-quo") == ["Your renewal is coming up"]
    assert "1 May 2026" in town.letters("c-quo")[0].text
    await time.day(40)
    assert len(town.letters("c-quo")) == 1


WAITING: list[Story] = [
    a_fortnight_without_a_login,
    a_subscription_rests,
    a_subscription_renews,
    a_contract_renews,
]
