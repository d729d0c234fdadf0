"""Those who fall silent are asked back: 60 days without an order. Its report is of these ten alone."""

from typing import Any

from tests.end_to_end.stories.town import Town

CROWD = [f"c-{name}" for name in ("ana", "bo", "cy", "di", "eve", "finn", "gil", "hal", "ida", "jo")]


async def runs(town: Town, campaign: str) -> dict[str, str]:
    """Who began a campaign, and in which arm."""
    found = {}
    for who in CROWD:
        answer = await town.apis["rewards"].get(f"/v1/customers/{who}/campaigns")
        assert answer.status_code == 200, answer.text
        for run in answer.json()["items"]:
            if run["campaign"] == campaign:
                found[who] = run["arm"]
    return found


async def report(town: Town, campaign: str) -> dict[str, Any]:
    """What the campaign has brought."""
    answer = await town.apis["rewards"].get(f"/v1/campaigns/{campaign}/report")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_after_60_days_without_an_order_a_code_comes_and_brings_an_order(town: Town) -> None:
    """Given ten customers who ordered once; when 60 days pass; then those who are not held out have one mail, with a
    code that the checkout takes; the order that follows within 30 days is counted; and nobody is asked twice."""
    for who in CROWD:
        await town.register(who)
        await town.order(who)
    await town.skip_days(59)
    assert all(not town.letters(who) for who in CROWD)

    await town.skip_days(1)

    arms = await runs(town, "we-miss-you")
    asked = [who for who in CROWD if arms[who] != "holdout"]
    assert set(arms) == set(CROWD)
    assert 0 < len(asked) < 10  # one in ten is held out, these ten by their names
    for who in CROWD:
        expected = [f"We miss you, {who.removeprefix('c-').capitalize()}"] if who in asked else []
        assert town.subjects(who) == expected
    (offer,) = (await town.apis["rewards"].get(f"/v1/customers/{asked[0]}/offers")).json()["items"]
    assert offer["code"] in town.letters(asked[0])[0].text
    order_id = await town.order(asked[0], "60.00", coupon=offer["code"])
    used = await town.apis["rewards"].post(
        f"/v1/offers/{offer['code']}/redeem",
        json={"customer": asked[0], "order": {"order_id": order_id, "total": "60.00"}},
        headers={"Idempotency-Key": "story"},
    )
    assert used.status_code == 200, used.text
    await town.skip_days(40)
    assert town.subjects(asked[0])[1:] == ["Thank you for coming back"]
    assert [len(town.letters(who)) for who in asked[1:]] == [1] * len(asked[1:])
    found = await report(town, "we-miss-you")
    treated, held_out = (
        next(arm for arm in found["arms"] if arm["arm"] == name) for name in ("treated", "holdout")
    )
    assert (treated["customers"], treated["sent"], treated["offered"]) == (len(asked),) * 3
    assert (treated["redeemed"], treated["goals"], treated["revenue"]) == (1, 1, "60.00")
    assert (held_out["customers"], held_out["sent"], held_out["goals"]) == (10 - len(asked), 0, 0)
    assert treated["against_holdout"]["goal"]["verdict"] == "too_few"
