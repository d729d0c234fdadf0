"""Membership beside merges, undone ones, and a program that changes between: what is told always leads to what is."""

from typing import Any

import pytest

from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import PostgresIdentities
from services.scoring.application.identity.merging import Merging, Named
from services.scoring.domain.settings import ScoreSettings
from shared.program.conditions.condition import Condition
from tests.integration.scoring.identity.test_identities import placed
from tests.integration.scoring.segments.test_segments import SEGMENTS, Shop, shop  # noqa: F401  # a fixture
from tests.support.life import NEW_YORK, STAGES, moment, order

CHANGED = ScoreSettings.by_stages(
    STAGES,
    "USD",
    NEW_YORK,
    segments={
        "vip": Condition.compile("customer.spend_30d >= 40"),
        "few": Condition.compile("customer.orders <= 2"),
        "many": Condition.compile("customer.orders >= 3"),
    },
)
"""Another program: one segment with another rule, two new ones, two gone."""


def merging(shop: Shop) -> Merging:  # noqa: F811
    """The use case, beside the shop's own worker."""
    return Merging(PostgresIdentities(), PostgresDecisions(), shop.take_in.identify, shop.take_in.apply)


async def merge(shop: Shop, source: str, into: str) -> None:  # noqa: F811
    """Somebody merges two customers."""
    async with shop.engine.begin() as connection:
        ends = Named(source, None), Named(into, None)
        await merging(shop).merge(connection, "mrg_1", *ends, reason="one", actor="key", now=shop.now)


async def undo(shop: Shop) -> None:  # noqa: F811
    """Somebody undoes it."""
    async with shop.engine.begin() as connection:
        await merging(shop).undo(connection, "mrg_1", reason="two", actor="key", now=shop.now)


async def check(shop: Shop) -> dict[str, list[str]]:  # noqa: F811
    """Following what is told of each customer, entered and left alternate and end where the stored membership is;
    which stands the same by segment. Answers it by customer. Who was merged away has left everything by that."""
    await shop.members()
    inside: dict[str, set[str]] = {}
    for one in sorted(await shop.activity(), key=lambda one: one.received):
        if one.type == "customer.merged":
            inside.pop(one.data["from"], None)
        own = inside.setdefault(one.customer_id, set())
        for change in one.changes:
            if change.what != "segment":
                continue
            if change.old is not None:
                assert change.old in own, (one.type, change)
                own.remove(change.old)
            if change.new is not None:
                assert change.new not in own, (one.type, change)
                own.add(change.new)
    stored = {
        customer_id: sorted(names.split())
        for customer_id, names in await shop.rows("SELECT id, segments FROM scoring.customers")
    }
    assert {
        customer_id: sorted(own) for customer_id, own in inside.items() if customer_id in stored
    } == stored
    return stored


def restarted(shop: Shop, settings: ScoreSettings) -> Shop:  # noqa: F811
    """The same shop, with another program."""
    return Shop(shop.engine, shop.now, settings)


async def feed(shop: Shop, *records: Any) -> None:  # noqa: F811
    """Events, each in a batch of its own."""
    for record in records:
        await shop.feed(record)


@pytest.mark.parametrize("passes", [True, False], ids=["after-a-pass", "before-any-pass"])
async def test_an_undone_merge_tells_each_membership_anew_by_the_rules_of_now(shop: Shop, passes: bool):  # noqa: F811
    """Given a merge of two customers, and another program since; when the merge is undone, before or after all were
    looked at by the new rules; then each is told into the segments that the new rules give, and out of all others."""
    shop.now = moment(2)
    await feed(shop, placed(0, "1", id="ana"), placed(1, "2", id="ben"))
    await check(shop)
    await merge(shop, "ben", "ana")
    assert list((await check(shop)).values()) == [[]]
    await shop.feed(order(moment(1.5), "3", "600", id="e3", identifiers={"id": "ben"}).record)
    await check(shop)

    shop = restarted(shop, CHANGED)
    if passes:
        await shop.pass_all(moment(2, hours=1))
        assert list((await check(shop)).values()) == [["many", "vip"]]
    shop.now = moment(2, hours=2)
    await undo(shop)
    after = await check(shop)
    await shop.pass_all(moment(2, hours=3))

    assert sorted(after.values()) == [["few", "vip"], ["few", "vip"]]
    assert await check(shop) == after


async def test_a_merge_after_another_program_leaves_what_the_old_rules_gave(shop: Shop):  # noqa: F811
    """Given customers in segments of one program; when they are merged by a worker with another one; then what the new
    program has no segments for is left, and nobody stays behind under either id."""
    shop.now = moment(2)
    await feed(shop, placed(0, "1", id="ana"), placed(1, "2", id="ben"), placed(1.5, "3", id="ben"))
    assert sorted((await check(shop)).values()) == [[], ["one-time"]]

    shop = restarted(shop, CHANGED)
    shop.now = moment(2, hours=2)
    await merge(shop, "ben", "ana")

    assert list((await check(shop)).values()) == [["many", "vip"]]
    rows = await shop.rows("SELECT count(DISTINCT customer_id) FROM scoring.memberships")
    assert rows == [(1,)]


def test_the_programs_differ_in_every_way():
    """Given the two programs; then one segment changes its rule, some go, some come."""
    assert SEGMENTS["vip"].source != CHANGED.segments.sources["vip"]
    assert SEGMENTS.keys() - CHANGED.segments.sources.keys() == {"one-time", "top"}
