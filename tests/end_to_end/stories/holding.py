"""Stories of letters that wait, and of what happens to their readers meanwhile. Noon is that of New York."""

from tests.end_to_end.stories.together import Story, Timeline
from tests.end_to_end.stories.town import Town, address

NIGHT, MORNING = 10, 20
"""Ten in the evening and eight in the morning, in hours after noon."""


async def consent_is_withdrawn_while_a_letter_waits(town: Town, time: Timeline) -> None:
    """Given a letter that waits for the morning; when consent is withdrawn in the night; then it is not sent."""
    await town.register("c-dot")
    await time.day(0, hours=NIGHT)
    await town.happen("x.wish.noted", "c-dot")
    await time.soon()
    assert await town.fates("c-dot", "your-wish") == [("held", "quiet_hours")]

    await time.day(0, hours=NIGHT + 1)
    await town.happen("consent.changed", "c-dot", contact={"consent": {"marketing": False}})
    await time.day(0, hours=MORNING)

    assert town.letters("c-dot") == []
    assert await town.fates("c-dot", "your-wish") == [("skipped", "no_consent")]


async def the_goal_is_reached_while_a_letter_waits(town: Town, time: Timeline) -> None:
    """Given the same; when they order in the night; then nobody asks them to in the morning; another one is asked."""
    for who in ("c-eva", "c-els"):
        await town.register(who)
    await time.day(0, hours=NIGHT)
    for who in ("c-eva", "c-els"):
        await town.happen("x.wish.noted", who)
    await time.day(0, hours=NIGHT + 1)
    await town.order("c-eva", "12.00")

    await time.day(0, hours=MORNING)

    assert (town.subjects("c-eva"), town.subjects("c-els")) == ([], ["Your wish"])
    assert await town.fates("c-eva", "your-wish") == [("skipped", "goal_reached")]
    assert (await town.run("c-eva", "your-wish"))["revenue"] == "12.00"


async def an_angry_ticket_is_open(town: Town, time: Timeline) -> None:
    """Given somebody who is angry with us; when their wish is there; then no advertising goes out while the ticket is
    open, and service does; once it is resolved, the letter comes."""
    await town.register("c-fin")
    words = "This is terrible. I am furious: the worst service, horrible and useless!"
    await town.happen("ticket.opened", "c-fin", ticket_id="t-fin", text=words)
    await town.happen("x.wish.noted", "c-fin")
    await town.happen("subscription.paused", "c-fin", subscription_id="s-fin")
    await time.day(2)
    assert town.subjects("c-fin") == ["We'll hold your spot"]
    assert await town.fates("c-fin", "your-wish") == [("held", "angry_ticket")]

    await town.happen("ticket.resolved", "c-fin", ticket_id="t-fin")
    await time.soon()

    assert town.subjects("c-fin")[1:] == ["Your wish"]
    await time.day(4)
    assert len(town.letters("c-fin")) == 2


async def two_prove_to_be_one_while_a_letter_waits(town: Town, time: Timeline) -> None:
    """Given somebody whom the newsletter knows by e-mail, and a customer of the shop; when a letter to the first waits
    and both prove to be one; then it comes in the morning, once, and the customer has the run."""
    mail = {"id": None, "email": address("c-gia")}
    consent = {"consent": {"email": True, "marketing": True}, "time_zone": "America/New_York"}
    await town.happen("customer.updated", "", contact=mail | consent)
    await town.happen("login.recorded", "c-gia")
    await time.day(0, hours=NIGHT)
    await town.happen("x.wish.noted", "", contact=mail)
    await time.day(0, hours=NIGHT + 1)
    assert town.letters("c-gia") == []
    await town.happen("customer.identified", "c-gia", contact={"email": address("c-gia")})

    await time.day(0, hours=MORNING)
    await time.day(2)

    assert town.subjects("c-gia") == ["Your wish"]
    assert (await town.run("c-gia", "your-wish"))["wrote"] is True
    assert await town.fates("c-gia", "your-wish") == [("sent", None)]
    facts = (await town.ask("scoring", "/v1/customers/c-gia"))["facts"]
    assert (facts["emails_sent"], facts["logins"]) == (1, 1)


HOLDING: list[Story] = [
    consent_is_withdrawn_while_a_letter_waits,
    the_goal_is_reached_while_a_letter_waits,
    an_angry_ticket_is_open,
    two_prove_to_be_one_while_a_letter_waits,
]
