"""Identity on the real database: linking, merging, sharing, in any order and beside other workers."""

import asyncio
import random

import pytest

from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import encode_state
from shared.contracts.events import EventRecord
from tests.integration.scoring.world import World
from tests.property.scoring.test_identity import whose
from tests.support.life import SETTINGS, moment, order


def placed(days: float, order_id: str, **identifiers: str) -> EventRecord:
    """An order under these identifiers."""
    return order(moment(days), order_id, id=order_id, identifiers=identifiers).record


async def test_identifiers_seen_together_link(world: World):
    """Given an order by id and e-mail; when others come by either; then all are one customer's."""
    await world.feed(placed(0, "1", id="i", email="e"))
    await world.feed(placed(1, "2", email="e"))
    await world.feed(placed(2, "3", id="i"))

    told = await world.activity()
    assert len({one.customer_id for one in told}) == 1
    assert told[-1].facts.orders == 3
    assert [one.identifiers for one in told] == [{"id": ["i"], "email": ["e"]}, {}, {}]


async def test_two_customers_who_prove_to_be_one_are_merged_into_the_older(world: World):
    """Given one customer by e-mail and a younger one by id; when both are seen together; then the older one stays,
    with everything, and the other id leads there."""
    await world.feed(placed(0, "1", email="e"))
    await world.feed(placed(5, "2", id="i"))
    old, young = (one.customer_id for one in sorted(await world.activity(), key=lambda one: one.time))
    await world.feed(placed(9, "3", id="i", email="e"))

    (merged,) = [one for one in await world.activity() if one.type == "customer.merged"]
    assert (merged.customer_id, merged.data) == (
        old,
        {"from": young, "parts": [young], "epoch": 1},
    )
    assert merged.facts.orders == 2
    assert merged.identifiers == {"id": ["i"], "email": ["e"]}
    last = (await world.activity())[-1]
    assert [(one.facts.orders, one.late) for one in await world.activity() if one.type == "order.completed"][
        -1
    ] == (
        3,
        False,
    ), last
    assert await world.rows("SELECT id, orders FROM scoring.customers") == [(old, 3)]
    assert await world.rows("SELECT loser, winner FROM scoring.merges") == [(young, old)]
    assert await world.rows("SELECT DISTINCT customer_id FROM scoring.orders") == [(old,)]
    assert await world.rows("SELECT DISTINCT customer_id FROM scoring.timeline") == [(old,)]


async def test_an_address_gets_an_id_without_a_merge(world: World):
    """Given a customer by e-mail; when a new id comes with it; then it is the same customer, and the id is told."""
    await world.feed(placed(0, "1", email="e"))
    await world.feed(placed(1, "2", id="i", email="e"))

    told = await world.activity()
    assert len({one.customer_id for one in told}) == 1
    assert [one.type for one in told] == ["order.completed"] * 2
    assert told[-1].identifiers == {"id": ["i"], "email": ["e"]}
    assert told[-1].facts.orders == 2


async def test_a_family_with_one_address_stays_two_customers(world: World):
    """Given two shop ids with one e-mail address; then they are two; orders with the address alone go to the first."""
    await world.feed(placed(0, "1", id="ana", email="e"), placed(1, "2", id="ben", email="e"))
    await world.feed(placed(2, "3", email="e"))

    profiles = await world.profiles()
    assert sorted(len(events) for events in profiles) == [1, 2]
    assert not [one for one in await world.activity() if one.type == "customer.merged"]
    ana = next(one for one in await world.activity() if one.data.get("order_id") == "1").customer_id
    assert (await world.rows("SELECT orders FROM scoring.customers WHERE id = :id", id=ana)) == [(2,)]


async def test_a_late_event_that_names_an_earlier_owner_moves_the_address(world: World):
    """Given an address of Ben's with an order by it alone; when an older event shows it beside Ana's id; then the
    order is Ana's, and Ben's facts are told without it."""
    await world.feed(placed(5, "1", id="ben", email="e"))
    await world.feed(placed(6, "2", email="e"))
    await world.feed(placed(1, "3", id="ana", email="e"))

    told = await world.activity()
    ben = next(one for one in told if one.data.get("order_id") == "1").customer_id
    ana = next(one for one in told if one.data.get("order_id") == "3").customer_id
    assert ana != ben
    orders = dict(await world.rows("SELECT id, orders FROM scoring.customers"))
    assert orders == {ana: 2, ben: 1}
    corrected = {one.customer_id: one for one in told if one.type == "facts.corrected"}
    assert corrected[ben].facts.orders == 1
    assert corrected[ben].identifiers == {"id": ["ben"]}
    assert corrected[ana].identifiers == {"id": ["ana"], "email": ["e"]}


async def test_a_customer_merged_twice_is_found_under_every_former_id(world: World):
    """Given three customers by addresses and id; when one after the other proves to be the same; then all former ids
    lead to the one who is left."""
    await world.feed(placed(3, "1", id="i"))
    await world.feed(placed(2, "2", email="e2"))
    await world.feed(placed(1, "3", email="e1"))
    await world.feed(placed(4, "4", id="i", email="e2"))
    await world.feed(placed(5, "5", id="i", email="e1"))

    ((left, orders),) = await world.rows("SELECT id, orders FROM scoring.customers")
    assert orders == 5
    merges = await world.rows("SELECT loser, winner FROM scoring.merges")
    assert len(merges) == 2
    assert {winner for _, winner in merges} == {left}


async def test_a_worker_learns_what_another_one_changed(world: World):
    """Given two workers that know an address; when one learns whose it is; then the other gives events to them too."""
    other = World(world.engine, world.now)
    await world.feed(placed(5, "1", email="e"))
    await other.feed(placed(6, "2", email="e"))
    await other.feed(placed(1, "3", id="i"))
    await world.feed(placed(7, "4", id="i", email="e"))  # two become one, under the id that is older
    await other.feed(placed(8, "5", email="e"), placed(9, "6", id="i"))

    assert await world.rows("SELECT orders FROM scoring.customers") == [(6,)]


async def test_a_worker_that_hears_nothing_new_still_learns_who_was_merged(world: World):
    """Given a worker that knows two addresses as two customers'; when another one learns that both are one's, and the
    first gets more of each, of which it remembers all it needs; then all is the one customer's."""
    other = World(world.engine, world.now)
    for number, name in enumerate("efef"):
        await world.feed(placed(number, str(number), email=name))
    await other.feed(placed(5, "4", id="i", email="e"), placed(6, "5", id="i", email="f"))
    assert await world.rows("SELECT orders FROM scoring.customers") == [(6,)]
    await world.feed(placed(7, "6", email="f"), placed(8, "7", email="e"))

    assert await world.rows("SELECT orders FROM scoring.customers") == [(8,)]


def crowd(seed: int) -> list[EventRecord]:
    """Orders of a few people who share addresses, some known by an address alone."""
    luck = random.Random(seed)
    made = []
    for number in range(14):
        names = {}
        if luck.random() < 0.6:
            names["id"] = luck.choice(["i1", "i2", "i3"])
        if luck.random() < 0.7 or not names:
            names["email"] = luck.choice(["e1", "e2", "e3"])
        made.append(placed(luck.randint(0, 30), f"{number}", **names))
    return made


def expected(records: list[EventRecord]) -> dict[frozenset[str], str]:
    """The states that the rules give, computed without a database."""
    events = {event.key: event for event in map(Event.of, records)}
    return {
        group: encode_state(fold([events[key] for key in group], SETTINGS).state)
        for group in whose(list(events.values()))
    }


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_of_arrival_gives_the_same_profiles(world: World, seed: int):
    """Given events that link, merge and move; when they arrive in any order, repeated, in any batches; then profiles
    are those that the rules give for the set."""
    records = crowd(seed)
    luck = random.Random(seed)
    arrivals = records + luck.sample(records, 5)
    luck.shuffle(arrivals)
    while arrivals:
        size = luck.randint(1, 5)
        batch, arrivals = arrivals[:size], arrivals[size:]
        await world.feed(*batch)

    states = {group: state for group, (state, _) in (await world.profiles()).items()}
    assert states == expected(records)


@pytest.mark.parametrize("seed", range(4))
async def test_workers_beside_each_other_end_in_the_same_profiles(world: World, seed: int):
    """Given three workers; when they take overlapping batches in at the same time; then profiles are the same, every
    event was told once, and nobody waited for ever."""
    records = [record for part in range(4) for record in _renamed(crowd(seed * 10 + part), part)]
    luck = random.Random(seed)

    async def worker(share: list[EventRecord]) -> None:
        process = World(world.engine, world.now)  # with a memory of its own
        while share:
            size = luck.randint(1, 6)
            batch, share = share[:size], share[size:]
            await process.feed(*batch)

    shares = [luck.sample(records, len(records)) for _ in range(3)]
    async with asyncio.timeout(60):
        await asyncio.gather(*map(worker, shares))

    states = {group: state for group, (state, _) in (await world.profiles()).items()}
    assert states == expected(records)
    told = [one.id for one in await world.activity() if one.type == "order.completed"]
    assert len(told) == len(set(told)) == len(records)


def _renamed(records: list[EventRecord], part: int) -> list[EventRecord]:
    return [
        placed(
            (record.time - moment(0)).days,
            f"{part}-{record.id}",
            **{kind: f"{name}-{part // 2}" for kind, name in record.identifiers.items()},
        )
        for record in records
    ]
