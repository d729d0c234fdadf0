"""Orders and refunds that are told again, otherwise: what counts, what is given or taken, and what is written of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.skips import Why
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.state.redemptions import CodeUse
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, cancellation, order, refund, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD, PURCHASE, earned, line, rules

HOUR = timedelta(hours=1)
TWICE = rules(PURCHASE, "{id: twice, on: order.completed, multiply: 2}")


def code_use() -> CodeUse:
    """A code that was used for the order."""
    return CodeUse(
        id="use_1", customer_id=CUSTOMER, code="A", offer="five-off", order_id="1", at=NOW, personal=True
    )


def written(life: Life) -> Purchase:
    """The order, of which all is written by now, as is the member."""
    purchase = life.member.purchases["1"]
    purchase.changed = False
    life.changes.members.clear()
    life.changes.entries.clear()
    life.changes.outcomes.clear()
    return purchase


def is_noted(life: Life, purchase: Purchase) -> bool:
    """Whether order and member will be written."""
    return purchase.changed is True and life.changes.members == {CUSTOMER: life.member}


def test_what_a_refund_takes_is_written_and_told_to_the_last_field() -> None:
    """Given 100 points and as many again for an order; when 30 and then 20 are refunded, in history; then each time
    exactly that is taken, by rule, in the name of the refund."""
    life = Life(TWICE).happen(order("1", "100"), refund("1", "r", "30"))
    purchase, second = written(life), refund("1", "s", "20", at=NOW + HOUR, historical=True)
    life.happen(second)

    assert is_noted(life, purchase)
    assert [(grant.earned, grant.reversed) for grant in purchase.grants] == [(100, 50)] * 2
    assert [(one.kind, one.rule, one.points, one.cause, one.at) for one in life.changes.entries] == [
        ("reverse", rule, 20, second.id, NOW + HOUR) for rule in ("purchase", "twice")
    ]
    assert all("/1" in one.key for one in life.changes.entries)
    (told,) = life.changes.outcomes
    assert (told.type, told.id, told.cause, told.historical) == (
        "points.reversed",
        f"{second.id}/reversed/1",
        second.id,
        True,
    )
    assert told.data == {
        "points": 40,
        "rules": [{"rule": "purchase", "points": 20}, {"rule": "twice", "points": 20}],
        "order_id": "1",
        "available": 100,
    }


def test_a_refund_that_takes_a_single_point_or_none_is_told_only_if_it_does() -> None:
    """Given 3 points for an order of 3.50, of which a rule gives none back; when 0.50 and then 1 go back; then nothing
    is told of the first, and one point of the second."""
    life = Life(rules("{id: fix, on: order.completed, points: 9}", PURCHASE)).happen(order("1", "3.50"))
    written(life)
    life.happen(refund("1", "r", "0.50"))
    assert (life.kinds(), life.told()) == ([], [])

    life.happen(refund("1", "s", "1"))
    assert (life.kinds(), life.told()) == ([("reverse", "purchase", 1)], ["points.reversed"])


def test_of_a_refund_that_is_told_again_the_earliest_telling_counts() -> None:
    """Given 100 points twice, of which a refund took 60; when an earlier telling says that it was 59, then a later one
    90; then two points come back, in the name of the earlier, and are told; nothing more happens."""
    life = Life(TWICE).happen(order("1", "100"), refund("1", "r", "60", at=NOW + HOUR))
    purchase, early = written(life), refund("1", "r", "59", name="early", at=NOW)
    life.happen(early)

    assert is_noted(life, purchase)
    assert [(grant.earned, grant.reversed) for grant in purchase.grants] == [(100, 59)] * 2
    assert [(one.kind, one.points, one.cause, one.at, one.key) for one in life.changes.entries] == [
        ("earn", 1, early.id, NOW, f"earn/{rule}/1/{early.id}") for rule in ("purchase", "twice")
    ]
    (told,) = life.changes.outcomes
    assert (told.type, told.data["points"], told.data.get("order_id")) == ("points.earned", 2, "1")

    written(life)
    life.happen(refund("1", "r", "90", name="late", at=NOW + 2 * HOUR))
    assert (life.kinds(), life.told(), purchase.changed) == ([], [], False)


def test_an_order_cancelled_again_or_of_which_nothing_is_known_posts_nothing() -> None:
    """Given a cancelled order; when it is cancelled again; then nothing is written; when one that has yet to come is
    cancelled, by a part of a customer, it is remembered as that part's, and nothing else."""
    life = Life().happen(order("1", "50"), cancellation("1"))
    purchase = written(life)
    life.happen(cancellation("1", name="again"))
    assert (purchase.changed, life.told()) == (False, [])

    other = Life()
    other.member.part = "cus_part"
    other.happen(cancellation("1"))
    purchase = other.member.purchases["1"]
    assert (purchase.part, purchase.cancelled, purchase.placed_at) == ("cus_part", True, None)
    assert other.changes.members == {CUSTOMER: other.member}
    assert (other.told(), other.member.spend_since) == ([], None)


def test_an_order_is_its_part_s_and_is_written_though_it_gives_nothing() -> None:
    life = Life()
    life.member.part = "cus_part"
    life.happen(order("1", "0.50"))

    assert life.member.purchases["1"].part == "cus_part"
    assert is_noted(life, life.member.purchases["1"])


def test_of_tellings_of_one_moment_the_lowest_identity_counts_whichever_comes_first() -> None:
    """Given three tellings of an order at one moment; when they come in any order, then again; then one counts, which
    is the one of the lowest number."""
    told = sorted(
        (order("1", total, name=f"told-{total}") for total in ("50", "60", "70")),
        key=lambda one: lot_number(one.id),
    )
    for sequence in (told, told[::-1], [told[1], told[2], told[0], told[1]], [told[2], told[1], told[2]]):
        life = Life().happen(*sequence)
        counts = min(sequence, key=lambda one: lot_number(one.id))
        assert life.member.purchases["1"].total == Decimal(counts.data["total"])
    assert Life().happen(told[0], told[0]).member.purchases["1"].told is None


def test_an_order_told_again_gives_the_difference_in_its_own_name() -> None:
    """Given an order of 50 of which 10 came back; when an earlier telling says 80; then 30 more are given by each rule,
    in the name of that telling, and told; the order is written."""
    life = Life(TWICE).happen(order("1", "50"), refund("1", "r", "10"))
    purchase, early = written(life), order("1", "80", name="early", at=NOW - HOUR)
    life.happen(early)

    assert is_noted(life, purchase)
    assert [(one.kind, one.points, one.cause, one.at, one.key) for one in life.changes.entries] == [
        ("earn", 30, early.id, NOW - HOUR, f"earn/{rule}/1/{early.id}") for rule in ("purchase", "twice")
    ]
    (told,) = [one for one in life.changes.outcomes if one.type == "points.earned"]
    assert (told.data["points"], told.data["order_id"]) == (60, "1")
    assert life.member.available == 140


def test_rules_that_remember_what_they_gave_give_nothing_to_a_later_telling() -> None:
    """Given an order in another currency; when an earlier telling is in the program's; then rules that go by money give
    theirs, in any place among others; fixed points, limits, caps and rules for a tier do not."""
    life = Life(
        rules(
            "{id: fix, on: order.completed, points: 5, minimum_order: 1}",
            "{id: once, on: order.completed, points_per_unit: 1, limit: {times: 1, per: P1D}}",
            "{id: capped, on: order.completed, points_per_unit: 1, cap: {order: 5}}",
            "{id: golden, on: order.completed, points_per_unit: 1, tiers: [gold]}",
            "{id: mugs, on: order.completed, points_per_unit: 1, products: [mug]}",
            PURCHASE,
            "{id: twice, on: order.completed, multiply: 2}",
        )
    )
    life.happen(order("1", "50", currency="EUR", lines=[line("hat", 1, "50")]))
    life.happen(
        order("1", "50", name="early", at=NOW - HOUR, lines=[line("mug", 2, "10"), line("hat", 1, "30")])
    )
    assert earned(life) == {"mugs": 20, "purchase": 50, "twice": 70}


def test_an_earlier_telling_of_what_was_refunded_since_gives_back_the_code() -> None:
    """Given an order of 50 of which 30 came back, on which a code was used; when an earlier telling says that it was of
    30; then it is undone, the code may be used again, and who told so is named."""
    life = Life().happen(order("1", "50"), refund("1", "r", "30"))
    use = code_use()
    life.member.code_uses["1"] = [use]
    early = order("1", "30", name="early", at=NOW - HOUR)
    life.happen(early)

    assert use.undone_at == NOW
    assert [one.cause for one in life.changes.outcomes if one.type == "offer.released"] == [early.id]
    assert life.member.available == 0


@pytest.mark.parametrize("days", [0, 30])
def test_points_that_come_again_wait_as_those_of_the_order(days: int) -> None:
    """Given points that wait for 14 days, and an order whose lot is gone; when an earlier telling gives more; then they
    wait in a lot of the same number, if there is still something to wait for."""
    waiting = rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D"))
    life = Life(waiting).happen(order("1", "50"))
    number = life.member.purchases["1"].lot
    life.member.lots.clear()
    life.now += timedelta(days=days)
    life.happen(order("1", "80", name="early", at=NOW - HOUR))

    (lot,) = life.member.lots.values()
    assert (lot.number, lot.points, lot.pending) == (number, 30, not days)


def test_why_a_telling_gives_nothing_is_said() -> None:
    life = Life(TWICE).happen(order("1", "50"))
    life.changes.skips = []
    life.happen(order("1", "50", name="late", at=NOW + HOUR))

    assert [(one.rule, one.why) for one in life.changes.skips] == [
        ("purchase", Why.TOLD_BEFORE),
        ("twice", Why.TOLD_BEFORE),
    ]


def test_what_gives_no_points_is_written_too() -> None:
    """Given an order of less than a point; when it is told again, and refunded; then order and member are written."""
    life = Life().happen(order("1", "0.50"))
    for told in (order("1", "0.40", name="early", at=NOW - HOUR), refund("1", "r", "0.10")):
        purchase = written(life)
        life.happen(told)
        assert is_noted(life, purchase)


def test_a_code_used_for_an_order_that_was_cancelled_before_it_came_is_given_back_by_it() -> None:
    life, use = Life().happen(cancellation("1")), code_use()
    life.member.code_uses["1"] = [use]
    life.happen(order("1", "50"))

    assert [one.cause for one in life.changes.outcomes if one.type == "offer.released"] == [
        order("1", "50").id
    ]


def test_an_earlier_telling_that_tells_shipping_leaves_it_out() -> None:
    """Given a program that counts no shipping; when an earlier telling says that 10 were for it; then 40 points are
    left; a rule with a minimum order alone remembers no basket."""
    book = rules(
        "{id: big, on: order.completed, points_per_unit: 1, minimum_order: 5}", count="{shipping: false}"
    )
    life = Life(book).happen(order("1", "50"))
    life.happen(order("1", "50", name="middle", at=NOW - HOUR))
    assert life.member.purchases["1"].basket is None

    life.happen(order("1", "50", name="early", at=NOW - 2 * HOUR, shipping="10"))
    assert earned(life) == {"big": 40}


def test_grants_of_rules_that_are_gone_go_by_the_lines_that_are_told_now() -> None:
    """Given points for a mug, under a rule that is gone since, and for all that was paid; when an earlier telling has
    other lines, of a higher total; then all grants are put right, also when no rule is left."""
    mugs = "{id: mugs, on: order.completed, points_per_unit: 1, products: [mug]}"
    late = order("1", "30", lines=[line("mug", 1, "10"), line("hat", 1, "20")])
    lines = [line("mug", 2, "15"), line("hat", 1, "10")]
    early = order("1", "40", name="early", at=NOW - HOUR, lines=lines)
    for left in (rules(PURCHASE), rules("{id: review, on: review.posted, points: 1}")):
        life = Life(rules(mugs, PURCHASE)).happen(late)
        life.rules = left
        assert earned(life.happen(early)) == {"mugs": 30, "purchase": 40}


def test_a_rule_that_does_not_match_any_more_gives_the_difference_unless_it_has_a_cap() -> None:
    """Given rules for VIPs with a cap, with a limit and with none; when an earlier telling of one more dollar comes of
    the time before the customer was one; then the capped one gives no more, the others do, and no use is noted."""
    vip = """on: order.completed, points_per_unit: 1, when: "customer.in_segment('vip')" """
    book = rulebook(
        f"{HEAD}points:\n  earn:\n"
        f"    - {{id: capped, {vip}, cap: {{day: 500}}}}\n"
        f"    - {{id: limited, {vip}, limit: {{times: 5, per: P1M}}}}\n"
        "    - {id: fix, on: order.completed, points: 7}\n"
        f"    - {{id: vip, {vip}}}\n"
        'segments:\n  vip: "customer.spend_30d >= 500"\n'
    )
    life = Life(book).happen(order("1", "50", facts={"segments": ["vip"]}))
    life.happen(order("1", "51", name="early", at=NOW - HOUR))

    assert earned(life) == {"capped": 50, "limited": 51, "fix": 7, "vip": 51}
    assert {rule: len(uses) for rule, uses in life.member.uses.items()} == {"capped": 1, "limited": 1}


def test_what_all_customers_may_have_bounds_an_earlier_telling() -> None:
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {program: 60}}"))
    life.happen(order("1", "50"), order("1", "80", name="early", at=NOW - HOUR))
    assert earned(life) == {"p": 60}


def test_what_a_refund_hid_of_an_earlier_telling_is_given_when_it_was_smaller() -> None:
    """Given an order of 50 of which 60 came back, and which was of 80; when an earlier telling of the refund says that
    it was 0.50; then rules give for 79.50, one with a cap what it gave before, in a new lot if the old one is gone."""
    capped = "{id: capped, on: order.completed, points_per_unit: 1, cap: {order: 1000}}"
    life = Life(rules("{id: fix, on: order.completed, points: 1, limit: {times: 1}}", capped, PURCHASE))
    life.happen(order("1", "50"), refund("1", "r", "60"), order("1", "80", name="early", at=NOW - HOUR))
    assert earned(life) == {"fix": 1, "capped": 20, "purchase": 20}

    life.member.lots.clear()
    life.happen(refund("1", "r", "0.50", name="smaller", at=NOW - HOUR))
    assert earned(life) == {"fix": 1, "capped": 70, "purchase": 79}
    assert {grant.rule: (grant.earned, grant.reversed) for grant in life.member.purchases["1"].grants} == {
        "fix": (2, 1),  # it was undone, and given again
        "capped": (70, 0),
        "purchase": (79, 0),
    }


def test_where_no_identity_is_known_a_telling_of_the_same_moment_changes_nothing() -> None:
    life = Life().happen(order("1", "50"))
    purchase = written(life)
    purchase.lot = None
    life.happen(order("1", "60", name="same-time"))

    assert (purchase.changed, purchase.total) == (False, Decimal(50))
