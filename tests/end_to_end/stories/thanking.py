"""Stories of those who come again: thanks, codes for what they reached, the sale before all others."""

from tests.end_to_end.stories.together import Story, Timeline
from tests.end_to_end.stories.town import Town


async def thanks_for_the_second_order(town: Town, time: Timeline) -> None:
    """Given one order; when another comes; then there are thanks, with the points that the API tells too; and the third
    order brings none."""
    await town.register("c-ann")
    await town.order("c-ann", "49.20")
    await time.day(5)
    assert town.subjects("c-ann") == []

    await town.order("c-ann", "20.00")
    await time.soon()

    assert town.subjects("c-ann") == ["Thank you for coming back"]
    assert await town.points("c-ann") == 100 + 49 + 20
    assert "Hello Ann,\n" in town.letters("c-ann")[0].text
    assert "You have 169 points now" in town.letters("c-ann")[0].text
    await town.order("c-ann", "10.00")
    await time.day(15)
    assert len(town.letters("c-ann")) == 1


async def a_gift_for_the_fifth_order(town: Town, time: Timeline) -> None:
    """Given four orders; when the fifth comes; then its milestone brings a gift, whose code is in the letter."""
    await town.register("c-bea")
    for day in range(4):
        await time.day(day)
        await town.order("c-bea", "10.00")
    await time.day(12)
    assert town.subjects("c-bea") == ["Thank you for coming back"]

    await town.order("c-bea", "10.00")
    await time.soon()

    assert town.subjects("c-bea")[1:] == ["Something for you, Bea"]
    code = await town.code("c-bea", "fifth")
    letter = town.letters("c-bea")[1].text
    assert code in letter
    assert "tote" in letter
    why = await town.ask("rewards", f"/v1/customers/c-bea/explain?offer={code}")
    assert "fifth-purchase" in str(why)
    await town.order("c-bea", "10.00")
    await time.day(13)
    assert len(town.letters("c-bea")) == 2


async def gold_and_its_end(town: Town, time: Timeline) -> None:
    """Given an order that makes Gold; when it comes, a code does; each month another one; 30 days before the year is
    over a letter says what keeps the tier; and when nothing came, the tier ends. A year after the first
    order there are points."""
    await town.register("c-cal")
    await town.order("c-cal", "250.00")
    await time.soon()
    first = await town.code("c-cal", "gold-15")
    assert town.subjects("c-cal") == ["Something for you, Cal"]
    assert first in town.letters("c-cal")[0].text
    assert "15 % off" in town.letters("c-cal")[0].text

    await time.day(31)
    second = await town.code("c-cal", "gold-15")
    assert first != second
    assert second in town.letters("c-cal")[1].text

    await time.day(334)
    assert "Stay Gold" not in town.subjects("c-cal")
    await time.day(336)
    (letter,) = (each for each in town.letters("c-cal") if each.mail["Subject"] == "Stay Gold")
    assert "as Gold ends on 2 March 2027. Spend $200.01 more to keep it." in letter.text
    await time.day(366)
    tier = await town.ask("rewards", "/v1/customers/c-cal/tier")
    assert tier["tier"] == "member"
    assert town.subjects("c-cal").count("Stay Gold") == 1
    ledger = (await town.ask("rewards", "/v1/customers/c-cal/ledger"))["items"]
    assert [each["points"] for each in ledger if each["rule"] == "anniversary"] == [250]


async def points_run_out(town: Town, time: Timeline) -> None:
    """Given points that nobody spends; 30 days before they are a year old a letter tells how many; then they go."""
    await town.register("c-deb")
    await time.day(334)
    assert not [each for each in town.subjects("c-deb") if "points" in each]

    await time.day(336)

    assert [each for each in town.subjects("c-deb") if "points" in each] == [
        "100 points to spend until 2 March 2027"
    ]
    assert await town.points("c-deb") == 100
    await time.day(366)
    assert await town.points("c-deb") == 0
    assert len([each for each in town.subjects("c-deb") if "points" in each]) == 1


async def a_birthday(town: Town, time: Timeline) -> None:
    """Given somebody with a birthday; when the day begins, nothing is sent, as it is night; at eight there is a code in
    the mailbox; and the checkout takes it."""
    await town.register("c-eli", birthday="1990-03-20")
    await time.day(17, hours=12)
    assert town.subjects("c-eli") == []
    await time.day(17, hours=18.9)
    assert town.subjects("c-eli") == []

    await time.day(17, hours=19)  # eight in the morning: clocks have gone forward since

    assert town.subjects("c-eli") == ["Something for you, Eli"]
    code = await town.code("c-eli", "birthday")
    assert code in town.letters("c-eli")[0].text
    assert "10 USD off" in town.letters("c-eli")[0].text
    await town.redeem("c-eli", code)
    await time.day(20)
    assert len(town.letters("c-eli")) == 1


async def the_sale_before_all_others(town: Town, time: Timeline) -> None:
    """Given three orders; when an answer shows a loyal heart; then a code for the sale comes; the order with it is the
    campaign's success."""
    await town.register("c-fay")
    for day in (0, 8, 16):
        await time.day(day)
        await town.order("c-fay", "10.00")
    await time.day(17)
    assert town.subjects("c-fay") == ["Thank you for coming back"]

    await town.happen("survey.answered", "c-fay", kind="nps", score=10)
    await time.soon()

    assert town.subjects("c-fay")[1:] == [
        "For you, before all others"
    ]  # and no second letter on the same cause
    code = await town.code("c-fay", "preview")
    assert code in town.letters("c-fay")[1].text
    await time.day(20)
    await town.redeem("c-fay", code, "80.00")
    await time.soon()
    run = await town.run("c-fay", "preview-sale")
    assert (run["reached_at"] is not None, run["revenue"]) == (True, "80.00")
    await time.day(22)
    assert town.subjects("c-fay").count("For you, before all others") == 1


THANKING: list[Story] = [
    thanks_for_the_second_order,
    a_gift_for_the_fifth_order,
    gold_and_its_end,
    points_run_out,
    a_birthday,
    the_sale_before_all_others,
]
