"""Taking events in: each counts once, in any order, and is told with the facts right after it."""

from decimal import Decimal

import pytest

from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import encode_state
from shared.contracts.codec import MalformedRecordError, encode
from shared.postgres.inserting import FEW
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, cancellation, moment, order, record, refund

ANA = {"identifiers": {"id": "p-ana"}}
BEN = {"identifiers": {"id": "p-ben"}}


def placed(days: float, order_id: str, total: str = "49.20", **fields):
    """The record of an order."""
    return order(moment(days), order_id, total, **(fields or ANA)).record


async def test_an_order_becomes_a_profile_a_timeline_and_activity(world: World):
    """Given nothing; when an order comes; then there is a customer, and the activity tells the facts."""
    await world.feed(placed(0, "1"))

    (told,) = await world.activity()
    assert (told.type, told.facts.orders, str(told.facts.spend)) == ("order.completed", 1, "49.20")
    assert told.identifiers == {"id": ["p-ana"]}
    assert told.data["order_id"] == "1"
    assert [(change.what, change.old, change.new) for change in told.changes] == [
        ("stage", None, "value_realisation")
    ]
    assert await world.rows("SELECT id FROM scoring.customers") == [(told.customer_id,)]
    assert await world.rows("SELECT count(*) FROM scoring.timeline") == [(1,)]


async def test_the_same_event_counts_once_within_a_batch_and_across_batches(world: World):
    """Given an order taken in; when it comes again, twice in a batch; then nothing changes and nothing is told."""
    await world.feed(placed(0, "1"), placed(0, "1"))
    before = await world.profiles()

    await world.feed(placed(0, "1"))
    await world.feed(placed(0, "1"), placed(1, "2"), placed(1, "2"))

    told = await world.activity()
    assert [one.data["order_id"] for one in told] == ["1", "2"]
    assert len(before) == 1
    assert told[-1].facts.events == 2


async def test_each_event_of_a_batch_is_told_with_the_facts_right_after_it(world: World):
    """Given three orders of one customer in a batch, unsorted; when it is taken in; then facts grow one by one."""
    await world.feed(placed(20, "3"), placed(0, "1"), placed(10, "2"))

    told = await world.activity()
    assert [(one.data["order_id"], one.facts.orders, one.late) for one in told] == [
        ("1", 1, False),
        ("2", 2, False),
        ("3", 3, False),
    ]
    assert told[-1].facts.order_interval_days == 10
    assert told[1].facts.stage == "active"


async def test_a_late_event_ends_in_the_same_state_and_is_told_late(world: World):
    """Given the orders of two days; when one from between comes; then the state is as if it had come in order."""
    records = [placed(0, "1"), placed(20, "3"), placed(10, "2")]
    await world.feed(*records[:2])
    await world.feed(records[2])

    ((state,),) = await world.rows("SELECT state FROM scoring.customers")
    assert state == encode_state(fold(map(Event.of, records), SETTINGS).state)
    late = (await world.activity())[-1]
    assert late.late
    assert (late.facts.orders, late.facts.last_order_at) == (3, moment(20))


async def test_late_and_new_events_in_one_batch_are_told_late_first_then_in_order(world: World):
    """Given an order; when an older and a newer one come together; then the newer one's facts include both."""
    await world.feed(placed(10, "2"))
    await world.feed(placed(20, "3"), placed(0, "1"))

    told = (await world.activity())[1:]
    assert [(one.data["order_id"], one.late, one.facts.orders) for one in told] == [
        ("1", True, 2),
        ("3", False, 3),
    ]


async def test_refunds_and_cancellations_that_come_before_their_order_wait_for_it(world: World):
    """Given a refund of an unknown order; when the order comes, late in time too; then it counts less the refund."""
    await world.feed(refund(moment(5), "1", "r1", "9.20", **ANA).record)
    await world.feed(cancellation(moment(6), "2", **ANA).record)
    await world.feed(placed(0, "1"), placed(0, "2"))

    told = (await world.activity())[-1]
    assert (str(told.facts.spend), told.facts.orders) == ("40.00", 1)


async def test_refunds_count_once_and_never_above_what_was_paid(world: World):
    """Given an order; when refunds repeat and exceed it; then spend is 0, not less."""
    await world.feed(placed(0, "1", "50.00"))
    await world.feed(refund(moment(1), "1", "r1", "20", id="a", **ANA).record)
    await world.feed(refund(moment(2), "1", "r1", "20", id="b", **ANA).record)
    await world.feed(refund(moment(3), "1", "r2", "40", **ANA).record)

    spends = [str(one.facts.spend) for one in await world.activity()]
    assert spends == ["50.00", "30.00", "30.00", "0.00"]


async def test_a_cancelled_order_is_as_if_never_placed(world: World):
    """Given three orders; when the last is cancelled; then counts, sums and the last order go back."""
    await world.feed(placed(0, "1"), placed(10, "2"), placed(12, "3"))
    await world.feed(cancellation(moment(13), "3", **ANA).record)

    facts = (await world.activity())[-1].facts
    assert (facts.orders, str(facts.spend), facts.last_order_at) == (2, "98.40", moment(10))
    assert facts.order_interval_days == 10


async def test_customers_do_not_mix(world: World):
    """Given events of two customers in one batch; then each has their own."""
    await world.feed(placed(0, "1"), placed(0, "1", "10", **BEN), placed(1, "2", "10", **BEN))

    told = await world.activity()
    assert len({one.customer_id for one in told}) == 2
    assert await world.rows("SELECT orders, spend FROM scoring.customers ORDER BY orders") == [
        (1, Decimal("49.20")),
        (2, 20),
    ]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * 5000,
        encode(record("order.completed", moment(), {"order_id": "1", "currency": "USD", "total": "-1"})),
        encode(record("order.completed", moment(), {"order_id": "1", "currency": "USD", "total": "1e5"})),
        encode(record("order.completed", moment(), {"currency": "USD", "total": "1"})),
        encode(record("login.recorded", moment(), identifiers={})),
    ],
)
async def test_a_malformed_record_raises_and_changes_nothing(world: World, value: bytes):
    """Given a record that is no event; when it is handled beside a good one; then it raises and nothing is kept."""
    with pytest.raises(MalformedRecordError):
        await world.feed_raw([encode(placed(0, "1")), value])

    assert await world.profiles() == {}
    assert await world.rows("SELECT * FROM scoring.inbox") == []
    assert await world.activity() == []


async def test_who_is_known_by_the_shops_id_alone_is_told_of_once(world: World):
    """Given a customer without address or telephone; when orders come; then the first tells how the customer is
    reached (push services know people by that id), and the others, which bring nothing new, do not."""
    await world.feed(placed(0, "1"), placed(1, "2"))
    await world.feed(placed(2, "3"))

    persons = [told.person for told in await world.activity()]
    assert [person is not None for person in persons] == [True, False, False]
    assert persons[0].identifiers == {"id": "p-ana"}


async def test_many_events_and_few_are_stored_alike(world: World):
    """Given orders of many customers in one batch, and one more alone; then each is stored as it was told, and the one
    like the many."""
    many = [placed(0, f"{n}", identifiers={"id": f"p-{n}"}) for n in range(FEW + 1)]
    alone = placed(0, "alone", identifiers={"id": "p-alone"})
    await world.feed(*many)
    await world.feed(alone)

    stored = await world.rows("SELECT CAST(record AS text), reading FROM scoring.timeline")
    assert sorted(stored) == sorted((encode(one).decode(), None) for one in [*many, alone])
    for table, columns in (
        ("orders", "placed_at, currency, total, refunded, cancelled, refunds IS NULL"),
        ("customers", "stage, orders, spend, last_order_at, lapses_at, churns_at, segments, score"),
        ("facts", "facts"),
    ):
        counted = f"SELECT count(*) FROM scoring.{table} GROUP BY {columns}"  # our own names
        assert await world.rows(counted) == [(FEW + 2,)]
