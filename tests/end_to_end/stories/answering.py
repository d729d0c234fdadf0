"""Stories of what people do with their letters, and of what is then done otherwise."""

import re
from html import unescape

import httpx

from tests.end_to_end.stories.together import Story, Timeline
from tests.end_to_end.stories.town import Town


def links(town: Town, who: str, use: str) -> list[str]:
    """The links of one use in the newest letter of somebody: `o`, `c`, `p`."""
    part = town.letters(who)[-1].mail.get_body(("html",))
    assert part is not None
    return [unescape(path) for path in re.findall(rf'"https?://[^/"]+(/{use}/[^"]+)"', part.get_content())]


def stranger(town: Town) -> httpx.AsyncClient:
    """A browser at the public address, without a key."""
    return httpx.AsyncClient(transport=town.apis["rewards"]._transport, base_url="http://shop")


async def who_opens_and_follows_a_link(town: Town, time: Timeline) -> None:
    """Given a letter with a link; when its picture is loaded and the link followed, each twice; then the link leads
    where it should, facts and the campaign's report count each once, and no letter follows."""
    await town.register("c-amy")
    await town.happen("x.wish.noted", "c-amy")
    await time.soon()
    (picture,), (link,) = links(town, "c-amy", "o"), links(town, "c-amy", "c")
    async with stranger(town) as browser:
        for _ in range(2):
            assert (await browser.get(picture)).headers["content-type"] == "image/gif"
            led = await browser.get(link)
            assert (led.status_code, led.headers["location"]) == (302, "https://shop.example/wish")
    await time.soon()

    facts = (await town.ask("scoring", "/v1/customers/c-amy"))["facts"]
    assert (facts["emails_sent"], facts["emails_opened"], facts["emails_clicked"]) == (1, 1, 1)
    (arm,) = (await town.ask("rewards", "/v1/campaigns/your-wish/report"))["arms"]
    assert (arm["opened"], arm["clicked"]) == (1, 1)
    await time.day(1)
    assert town.subjects("c-amy") == ["Your wish"]


async def who_chooses_what_to_get(town: Town, time: Timeline) -> None:
    """Given a letter's page of preferences; when advertising by e-mail is unticked there; then the next wish brings no
    letter, and a paused subscription does, as that is service."""
    await town.register("c-ben")
    await town.happen("x.wish.noted", "c-ben")
    await time.soon()
    (page,) = links(town, "c-ben", "p")
    async with stranger(town) as browser:
        shown = (await browser.get(page)).text
        assert 'name="email.marketing" checked' in shown
        saved = await browser.post(page, data={"choices": "yes", "email.service": "on", "tracking": "on"})
        assert "Saved." in saved.text
        assert 'name="email.marketing" checked' not in saved.text
    await time.soon()
    assert (await town.ask("scoring", "/v1/customers/c-ben"))["facts"]["consents_withdrawn"]

    await time.day(1)
    await town.happen("x.wish.noted", "c-ben")
    await town.happen("subscription.paused", "c-ben", subscription_id="s-ben")
    await time.soon()

    assert town.subjects("c-ben") == ["Your wish", "We'll hold your spot"]
    assert await town.fates("c-ben", "your-wish") == [("skipped", "no_consent"), ("sent", None)]


async def five_letters_unopened_then_an_sms(town: Town, time: Timeline) -> None:
    """Given five letters that stay unopened; then the next message goes as an SMS to the provider, under an idempotency
    key, and no letter; when a letter has been opened after all, letters come again."""
    await town.register("c-cat", phone="+12125550100")
    for hour in range(5):
        await time.day(0, hours=hour)
        await town.happen("subscription.paused", "c-cat", subscription_id=f"s-{hour}")
    await time.day(1)
    assert town.subjects("c-cat") == ["We'll hold your spot"] * 5
    assert (await town.ask("scoring", "/v1/customers/c-cat"))["facts"]["emails_unopened"] == 5

    await town.happen("x.wish.noted", "c-cat")
    await time.soon()

    (request,) = town.sms.requests
    assert (request.json["channel"], request.json["to"]) == ("sms", "+12125550100")
    assert "Your wish is here" in request.json["text"]
    assert request.headers["idempotency-key"] == request.headers["webhook-id"] == request.json["id"]
    assert len(town.letters("c-cat")) == 5
    assert (await town.ask("scoring", "/v1/customers/c-cat"))["facts"]["sms_sent"] == 1
    async with stranger(town) as browser:
        await browser.get(links(town, "c-cat", "o")[0])
    await time.day(2)
    await town.happen("x.wish.noted", "c-cat")
    await time.soon()
    assert town.subjects("c-cat")[5:] == ["Your wish"]
    assert len(town.sms.requests) == 1


async def two_ways_to_ask(town: Town, time: Timeline) -> None:
    """Given a campaign in two variants; when ten leave their carts; then each has the letter of one of them, an hour
    later, the one that the API names; both are written; an order counts for the arm of who placed it."""
    crowd = [f"c-v{letter}" for letter in "abcdefghij"]
    subjects = {"short": "Still there", "long": "What you left in your cart"}
    for who in crowd:
        await town.register(who)
        await town.happen("x.cart.left", who)
    await time.day(0, hours=0.9)
    assert all(town.letters(who) == [] for who in crowd)

    await time.day(0, hours=1)

    arms = {who: (await town.run(who, "left-cart"))["arm"] for who in crowd}
    assert set(arms.values()) == {"short", "long"}
    assert {who: town.subjects(who) for who in crowd} == {who: [subjects[arms[who]]] for who in crowd}
    await town.order("c-va", "70.00")
    await time.soon()
    report = (await town.ask("rewards", "/v1/campaigns/left-cart/report"))["arms"]
    found = {arm["arm"]: (arm["sent"], arm["goals"]) for arm in report if arm["arm"] in subjects}
    assert found == {
        arm: (list(arms.values()).count(arm), int(arms["c-va"] == arm)) for arm in ("short", "long")
    }


ANSWERING: list[Story] = [
    who_opens_and_follows_a_link,
    who_chooses_what_to_get,
    five_letters_unopened_then_an_sms,
    two_ways_to_ask,
]
