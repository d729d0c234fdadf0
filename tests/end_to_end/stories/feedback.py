"""Stories of those who say what they think, and of what somebody of the shop should see to."""

from tests.end_to_end.stories.together import Story, Timeline
from tests.end_to_end.stories.town import Town

SORRY = "We are sorry, and we want to put it right"


async def who_is_unhappy_hears_that_it_is_put_right(town: Town, time: Timeline) -> None:
    """Given a bad answer; then there is a word of regret, and an alert; when somebody closes it, and the customer is to
    know, there is a second letter; another bad answer within the month brings none; the order that follows counts."""
    await town.register("c-gus", consent={"marketing": False})
    await town.happen("survey.answered", "c-gus", kind="nps", score=3)
    await time.soon()
    assert town.subjects("c-gus") == [SORRY]
    alert = await town.alert("c-gus", "unhappy-feedback")

    await time.day(2)
    await town.close(alert, tell=True)
    await time.soon()

    assert town.subjects("c-gus")[1:] == ["We listened"]
    assert "Called them" not in town.letters("c-gus")[1].text
    await town.happen("survey.answered", "c-gus", kind="csat", score=1)
    await time.day(10)
    await town.order("c-gus", "30.00")
    await time.day(12)
    assert len(town.letters("c-gus")) == 2
    run = await town.run("c-gus", "sorry-to-hear")
    assert (run["reached_at"] is not None, run["revenue"]) == (True, "30.00")


async def who_is_happy_is_thanked(town: Town, time: Timeline) -> None:
    """Given a good answer; then there are thanks; a friend referred is the campaign's success."""
    await town.register("c-hew")
    await town.happen("survey.answered", "c-hew", kind="nps", score=10)
    await time.soon()
    assert town.subjects("c-hew") == ["You made our day"]
    assert (await town.ask("scoring", "/v1/alerts?customer=c-hew"))["items"] == []

    await time.day(3)
    await town.happen("survey.answered", "c-hew", kind="csat", score=5)
    await town.happen("referral.made", "c-hew", referral_id="r-hew")
    await time.soon()

    assert (await town.run("c-hew", "glad-to-hear"))["reached_at"] is not None
    assert len(town.letters("c-hew")) == 1


async def who_is_neither_hears_nothing(town: Town, time: Timeline) -> None:
    """Given an answer between; then nobody writes."""
    await town.register("c-huw")
    await town.happen("survey.answered", "c-huw", kind="nps", score=7)
    await time.day(3)
    assert town.letters("c-huw") == []


async def a_loyal_customer_at_risk(town: Town, time: Timeline) -> None:
    """Given somebody who orders every other day; when they fall silent; then somebody of the shop is told, and nobody
    writes by machine; when they have been called, they may have it in writing."""
    await town.register("c-kim")
    for day in (0, 2, 4, 6, 8):
        await time.day(day)
        await town.order("c-kim", "10.00")
    await time.day(10, hours=23)
    assert (await town.ask("scoring", "/v1/alerts?customer=c-kim"))["items"] == []

    await time.day(11, hours=1)

    alert = await town.alert("c-kim", "loyal-at-risk")
    assert town.subjects("c-kim") == ["Thank you for coming back", "Something for you, Kim"]
    await town.close(alert, tell=True)
    await time.soon()
    assert town.subjects("c-kim")[2:] == ["We listened"]


async def a_valuable_customers_ticket(town: Town, time: Timeline) -> None:
    """Given a loyal customer and one who is not, each with a ticket that nobody answers for a day; then an alert is
    about the first alone; closed without a word, it stays within the shop; with one, the customer reads it."""
    for who in ("c-lee", "c-lou"):
        await town.register(who)
    for day in (0, 2, 4, 6, 8):
        await time.day(day)
        await town.order("c-lee", "10.00")
    await time.day(9)
    for who in ("c-lee", "c-lou"):
        await town.happen("ticket.opened", who, ticket_id=f"t-{who}", subject="Where is it?")
    await time.day(9, hours=23)
    assert (await town.ask("scoring", "/v1/alerts?customer=c-lee&kind=valuable-ticket"))["items"] == []

    await time.day(10)

    alert = await town.alert("c-lee", "valuable-ticket")
    assert (await town.ask("scoring", "/v1/alerts?customer=c-lou"))["items"] == []
    before = len(town.letters("c-lee"))
    await town.happen("ticket.replied", "c-lee", ticket_id="t-c-lee", text="It is on its way.")
    await town.happen("ticket.resolved", "c-lee", ticket_id="t-c-lee")
    await town.close(alert, tell=True)
    await time.soon()
    assert town.subjects("c-lee")[before:] == ["We listened"]
    assert town.letters("c-lou") == []


async def who_no_longer_opens_mails(town: Town, time: Timeline) -> None:
    """Given a valuable customer; when eight mails stay unopened; then there is an alert; closed without telling, nobody
    hears of it."""
    await town.register("c-max")
    await town.order("c-max", "1200.00")
    await time.soon()
    assert town.subjects("c-max") == ["Something for you, Max"]  # the first that stays unopened
    for number in range(6):
        await town.happen("email.sent", "c-max", message_id=f"news-{number}")
    await time.day(1)
    assert (await town.ask("scoring", "/v1/alerts?customer=c-max"))["items"] == []

    await town.happen("email.sent", "c-max", message_id="news-6")
    await time.soon()

    await town.close(await town.alert("c-max", "stopped-opening"), tell=False)
    await time.day(3)
    assert len(town.letters("c-max")) == 1


FEEDBACK: list[Story] = [
    who_is_unhappy_hears_that_it_is_put_right,
    who_is_happy_is_thanked,
    who_is_neither_hears_nothing,
    a_loyal_customer_at_risk,
    a_valuable_customers_ticket,
    who_no_longer_opens_mails,
]
