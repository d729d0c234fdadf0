"""Referrals on a real database: both sides, once the friend's first order is kept, whatever comes when."""

from datetime import timedelta
from itertools import permutations

import httpx
import pytest

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.wiring.parts import programs_of
from shared.contracts.activity import Activity
from shared.program.versions.store import activate
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, MAIL, points, went
from tests.unit.rewards.building import NOW, activity, cancellation, order, refund
from tests.unit.rewards.earning.earn_rules import HEAD

PROGRAM = f"""{HEAD}points:
  pending_for: P7D
  referral: {{id: friends, points: 300, friend: 100, kept_for: P14D, minimum_order: 20, limit: {{times: 2, per: P1M}}}}
"""
DAY = timedelta(days=1)


async def put(rewards: Rewards, settings: Settings, source: str) -> None:
    """Put a program in force."""
    programs = programs_of(settings)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="key", now=rewards.clock())
    object.__setattr__(rewards.handler, "programs", programs)
    object.__setattr__(rewards.jobs, "programs", programs)


@pytest.fixture
async def shop(rewards: Rewards, settings: Settings) -> Rewards:
    """Rewards with a referral."""
    await put(rewards, settings, PROGRAM)
    return rewards


def made(customer: str = ANA, referral_id: str = "R-1", name: str = "made") -> Activity:
    """A customer has referred somebody."""
    return activity("referral.made", name, customer=customer, at=NOW - DAY, referral_id=referral_id)


def came(customer: str = BEN, referral_id: str = "R-1", name: str = "came") -> Activity:
    """A friend registers."""
    return activity("customer.registered", name, customer=customer, referral_id=referral_id)


def bought(
    name: str = "1", total: str = "50", *, customer: str = BEN, after: timedelta = DAY, **more: str
) -> Activity:
    """The friend orders, a day after coming."""
    return order(name, total, customer=customer, at=NOW + after, **more)


async def given(rewards: Rewards) -> dict[str, int]:
    """What each has earned."""
    return {customer: earned for customer, (_, earned) in (await points(rewards)).items() if earned}


async def test_both_get_their_points_when_the_order_has_been_kept_and_not_a_moment_before(
    shop: Rewards,
) -> None:
    """Given a friend's order; when 14 days have passed to the second; then both have points, of that moment."""
    await shop.happen(made(), came(), bought())
    kept = NOW + DAY + timedelta(days=14)

    shop.clock.set(kept - timedelta(seconds=1))
    await shop.pass_time()
    assert await given(shop) == {}
    shop.clock.set(kept + timedelta(days=3))
    await shop.pass_time()
    await shop.pass_time()

    assert await points(shop) == {ANA: (300, 300), BEN: (100, 100)}
    assert await shop.rows("SELECT DISTINCT at, rule FROM rewards.entries WHERE kind = 'earn'") == [
        (kept, "friends")
    ]
    told = [(one.customer_id, one.type, one.data["points"]) for one in await shop.outcomes()]
    assert sorted(told) == [(ANA, "points.earned", 300), (BEN, "points.earned", 100)]
    await shop.check()


@pytest.mark.parametrize("events", list(permutations([made(), came(), bought()])))
@pytest.mark.parametrize("late", [False, True])
async def test_it_ends_alike_in_whatever_order_it_is_told(
    shop: Rewards, events: tuple[Activity, ...], late: bool
) -> None:
    """Given who brings, who came, and the order, told in any order, some of it long after the order was kept; then both
    have their points."""
    for each in events:
        await shop.happen(each)
        await shop.pass_time()
        if late:
            shop.clock.advance(timedelta(days=20))
    shop.clock.set(NOW + timedelta(days=90))
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 100}
    await shop.happen(*events)
    await shop.pass_time()
    assert await given(shop) == {ANA: 300, BEN: 100}


@pytest.mark.parametrize(
    "undone",
    [
        cancellation("1", customer=BEN),
        refund("1", "r", "50", customer=BEN),
        refund("1", "r", "30.01", customer=BEN),
    ],
)
async def test_an_order_that_was_not_kept_gives_nothing_but_the_next_one_does(
    shop: Rewards, undone: Activity
) -> None:
    """Given an order called off, refunded, or below the minimum since; when it would have been kept; then nobody has
    points; when the next order has been kept, both have."""
    await shop.happen(made(), came(), bought(), undone)
    shop.clock.set(NOW + timedelta(days=40))
    await shop.pass_time()
    assert await given(shop) == {}

    await shop.happen(bought("2", after=timedelta(days=40)))
    shop.clock.set(NOW + timedelta(days=53))
    await shop.pass_time()
    assert await given(shop) == {}
    shop.clock.set(NOW + timedelta(days=54))
    await shop.pass_time()
    assert await given(shop) == {ANA: 300, BEN: 100}


async def test_a_refund_after_the_order_was_kept_takes_nothing(shop: Rewards) -> None:
    """Given points of a referral; when the order is refunded later; then they stay."""
    await shop.happen(made(), came(), bought())
    shop.clock.set(NOW + timedelta(days=15))
    await shop.pass_time()

    await shop.happen(refund("1", "r", "50", customer=BEN))
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 100}


async def test_an_order_may_name_the_referral_itself(shop: Rewards) -> None:
    """Given a friend who never registers; when the first order names the referral; then it counts."""
    await shop.happen(made(), bought(referral_id="R-1"))
    shop.clock.set(NOW + timedelta(days=15))
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 100}


async def test_a_customer_who_had_ordered_before_is_no_friend_to_bring(shop: Rewards) -> None:
    """Given a customer with an order of last year; when a later order names a referral; then nobody has points."""
    await shop.happen(made(), bought("0", after=-300 * DAY), bought(referral_id="R-1"))
    shop.clock.set(NOW + timedelta(days=30))
    await shop.pass_time()

    assert await given(shop) == {}
    assert await shop.rows("SELECT closed FROM rewards.referrals") == [("known_before",)]


async def test_who_brings_many_is_bound_by_the_limit_and_the_friends_are_not(shop: Rewards) -> None:
    """Given at most 2 friends a month; when 3 come by the same id; then 2 count for who brings, all 3 get theirs."""
    friends = [f"cus_{letter * 24}" for letter in "xyz"]
    await shop.happen(made())
    for friend in friends:
        await shop.happen(came(friend, name=f"came-{friend}"), bought(f"o-{friend}", customer=friend))
    shop.clock.set(NOW + timedelta(days=20))
    await shop.pass_time()

    assert await given(shop) == {ANA: 600} | dict.fromkeys(friends, 100)
    await shop.check()


async def test_a_ring_of_customers_who_bring_each_other_is_no_ring_of_points(shop: Rewards) -> None:
    """Given two who each came by the referral of the other, a day apart, and ordered; when all is kept; then only the
    one who came first was brought: the other had brought a friend by then, and is no new customer."""
    await shop.happen(made(ANA, "R-1", "a"), made(BEN, "R-2", "b"))
    await shop.happen(came(BEN, "R-1", "c"), bought("1", customer=BEN))
    late = order("2", "50", customer=ANA, at=NOW + 2 * DAY, referral_id="R-2")
    await shop.happen(late, bought("3", customer=MAIL, after=3 * DAY, referral_id="R-2"))
    shop.clock.set(NOW + timedelta(days=30))
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 400, MAIL: 100}
    assert dict(await shop.rows("SELECT customer_id, closed FROM rewards.referrals"))[ANA] == "known_before"
    await shop.check()


async def test_nobody_brings_themselves(shop: Rewards) -> None:
    """Given somebody who refers and comes under another address; when the two prove to be one; then no points."""
    await shop.happen(made(), came(), bought())
    await shop.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    shop.clock.set(NOW + timedelta(days=20))
    await shop.pass_time()

    assert await given(shop) == {}
    assert await shop.rows("SELECT closed FROM rewards.referrals") == [("self",)]


async def test_a_referral_moves_with_a_merge_and_comes_back(shop: Rewards) -> None:
    """Given a friend, and who brought them, merged into others meanwhile; then whoever they are now has the points;
    when the merges are undone, the points go back with their parts."""
    other = "cus_" + "o" * 24
    await shop.happen(made(), came(), bought())
    await shop.happen(
        went("customer.merged", BEN, MAIL, [BEN], 1), went("customer.merged", ANA, other, [ANA], 2)
    )
    shop.clock.set(NOW + timedelta(days=20))
    await shop.pass_time()
    assert await given(shop) == {other: 300, MAIL: 100}

    await shop.happen(
        went("customer.unmerged", MAIL, BEN, [BEN], 3), went("customer.unmerged", other, ANA, [ANA], 4)
    )

    assert {who: left for who, (left, _) in (await points(shop)).items() if left} == {ANA: 300, BEN: 100}
    await shop.check()


async def test_a_program_without_a_referral_notes_nothing(rewards: Rewards) -> None:
    """Given the plain program; when referrals are told of; then nothing is kept of them."""
    await rewards.happen(made(), came(), bought())

    assert await rewards.rows("SELECT count(*) FROM rewards.referrals") == [(0,)]
    assert await rewards.rows("SELECT count(*) FROM rewards.referral_ids") == [(0,)]


async def test_both_sides_see_what_became_of_it(shop: Rewards, api: httpx.AsyncClient) -> None:
    """Given one friend whose order is kept, and one who has not ordered; then who brought them sees both, in
    pages, without learning who they are, and the friend their own."""
    await shop.happen(made(), came(), bought(), came(MAIL, name="later"))
    shop.clock.set(NOW + timedelta(days=20))
    await shop.pass_time()

    seen: list[dict[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get(f"/v1/customers/{ANA}/referrals", params=query)).json()
        seen += page["items"]
        cursor = page["next"]

    assert {one["status"] for one in seen} == {"rewarded", "waiting"}
    assert [(one["side"], one["referral_id"]) for one in seen] == [("bringer", "R-1")] * 2
    assert BEN not in str(seen)
    (own,) = (await api.get(f"/v1/customers/{BEN}/referrals")).json()["items"]
    assert (own["side"], own["status"], own["due_at"]) == ("friend", "rewarded", None)


async def test_an_order_that_a_merge_brings_counts_for_the_referral(shop: Rewards) -> None:
    """Given a friend who registered, and who ordered as a guest under an address; when the two prove to be one after
    the order was told; then the order counts as if it had come later."""
    await shop.happen(made(), came())
    await shop.pass_time()
    await shop.happen(bought(customer=MAIL))
    await shop.happen(went("customer.merged", MAIL, BEN, [MAIL], 1))
    shop.clock.set(NOW + timedelta(days=30))
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 100}


async def test_a_referral_that_was_due_while_two_were_one_is_decided_when_they_part(shop: Rewards) -> None:
    """Given two friends who were taken for one while the order of one was kept; when they part; then both referrals
    count."""
    await shop.happen(made(), came(), bought())
    await shop.happen(came(MAIL, name="second"), bought("2", customer=MAIL))
    await shop.happen(went("customer.merged", MAIL, BEN, [MAIL], 1))
    shop.clock.set(NOW + timedelta(days=30))
    await shop.pass_time()
    assert await given(shop) == {ANA: 300, BEN: 100}
    await shop.happen(went("customer.unmerged", BEN, MAIL, [MAIL], 2))
    await shop.pass_time()

    assert await given(shop) == {ANA: 600, BEN: 100, MAIL: 100}


async def test_a_referral_that_was_due_while_there_was_none_is_decided_when_there_is(
    shop: Rewards, settings: Settings
) -> None:
    """Given a friend's order; when it has been kept while a program without a referral is in force, put there by
    mistake; then the way back gives both their points."""
    await shop.happen(made(), came(), bought())
    await put(shop, settings, f"{HEAD}points: {{pending_for: P7D}}\n")
    shop.clock.set(NOW + timedelta(days=30))
    await shop.pass_time()
    async with shop.engine.begin() as connection:
        await activate(connection, 2, actor="key", now=shop.clock())
    programs = shop.handler.programs
    assert isinstance(programs, PostgresPrograms)
    programs.look_again()
    await shop.pass_time()

    assert await given(shop) == {ANA: 300, BEN: 100}
