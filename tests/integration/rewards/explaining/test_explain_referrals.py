"""What became of a referral is explained to either side, at each step of its way."""

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.earning.test_referrals import DAY, bought, came, made, shop  # noqa: F401
from tests.integration.rewards.two_members import ANA, BEN
from tests.unit.rewards.building import NOW, cancellation


async def why(api: httpx.AsyncClient, customer: str, event: str) -> tuple[str | None, str]:
    """What is said of the referral to one side."""
    query = {"event": event, "rule": "friends"}
    answer = await api.get(f"/v1/customers/{customer}/explain", params=query)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["rules"]
    return one["why"], one["sentence"]


async def test_each_step_of_a_referral_is_explained(shop: Rewards, api: httpx.AsyncClient) -> None:  # noqa: F811
    """Given a referral; when nobody has come, a friend came, ordered, cancelled, and ordered again; then both are
    told each time how it stands."""
    told = []

    async def tell() -> None:
        told.append(((await why(api, ANA, "made"))[0], (await why(api, BEN, "came"))[0] if came_in else None))

    came_in = False
    await shop.happen(made())
    await tell()
    came_in = True
    await shop.happen(came())
    await shop.pass_time()
    await tell()
    await shop.happen(bought("1"))
    await tell()
    await shop.happen(cancellation("1", customer=BEN, at=NOW + 2 * DAY))
    await shop.pass_time()
    shop.clock.set(NOW + 16 * DAY)
    await shop.pass_time()
    await tell()
    await shop.happen(bought("2", after=16 * DAY))
    shop.clock.set(NOW + 31 * DAY)
    await shop.pass_time()
    await tell()

    assert told == [
        ("no_friend_came", None),
        ("no_order_kept", "no_order_kept"),
        ("not_kept_yet", "not_kept_yet"),
        ("no_order_kept", "no_order_kept"),
        (None, None),
    ]
    assert "gave 300 points for referral.made made" in (await why(api, ANA, "made"))[1]
    assert "gave 100 points for customer.registered came" in (await why(api, BEN, "came"))[1]


async def test_a_friend_who_had_ordered_before_is_told_so(shop: Rewards, api: httpx.AsyncClient) -> None:  # noqa: F811
    """Given an order from before the referral; when it is due; then both sides are told why it gives nothing."""
    await shop.happen(bought("0", after=-3 * DAY), made(), came(), bought("1"))
    shop.clock.set(NOW + 20 * DAY)
    await shop.pass_time()

    assert (await why(api, ANA, "made"))[0] == "friend_known_before"
    assert (await why(api, BEN, "came"))[0] == "friend_known_before"
