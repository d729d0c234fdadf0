"""Every change of a tier, to the last field of its record and of what is told; and what leaves the tier alone."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.changes import Changes, TierChange
from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.tiering import tiers
from services.rewards.domain.tiering.standing import Standing
from shared.contracts.outcomes import Outcome
from shared.program.model.program import Program
from shared.program.model.tiers import Measure, Tiers
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, activity, order, refund, rulebook
from tests.unit.rewards.tiering.test_tier_policies import LEVELS, living, new_york

EARLIER = NOW - timedelta(hours=3)
ENDS = new_york(2027, 6, 2)
"""When Gold ends that was reached on 1 June 2026."""
MONTHLY = LEVELS.replace(
    "at: 200.01, keep_for: P12M", "at: 200.01, keep_for: P12M, benefits: [{offer: fifth, every: P1M}]"
)
ROLLING = rulebook().program
BY_POINTS = living("{points_over: P12M}", levels=LEVELS.replace("200.01", "201")).rules.program
YEARS = living("{spend_in: anniversary_year}").rules.program
FOR_GOOD = living(levels=LEVELS.replace(", keep_for: P12M", "")).rules.program
CALENDAR = living("{spend_in: calendar_year}").rules.program
NOTICED = living("{spend_over: P12M}", "notice_before: P30D").rules.program
BRINGING = living(levels=MONTHLY).rules.program
WITHOUT = rulebook(PROGRAM[: PROGRAM.index("tiers:")] + PROGRAM[PROGRAM.index("offers:") :]).program


def rules(program: Program) -> Tiers:
    """The program's tiers."""
    assert program.tiers is not None
    return program.tiers


def changes() -> Changes:
    """Nothing yet, under version 1, which the programs are of."""
    return Changes(NOW, 1)


def gold(**more: object) -> Member:
    """A customer who reached Gold today with 250, who had two changes of tier before."""
    member = Member(
        CUSTOMER, tier="gold", tier_since=EARLIER, tier_until=ENDS, tier_changes=2, spend=Decimal(250)
    )
    for name, value in more.items():
        setattr(member, name, value)
    return member


def record(old: str | None, new: str, reason: str, **more: object) -> TierChange:
    """The first record of the test's customer, with 250 counting, unless it says otherwise."""
    said: dict[str, object] = {"number": 1, "spend": Decimal(250), "cause": "c", "until": ENDS, **more}
    return TierChange(
        CUSTOMER,
        said["number"],  # type: ignore[arg-type]
        NOW,
        old,
        new,
        reason,
        said["spend"],  # type: ignore[arg-type]
        str(said["cause"]),
        1,
        said["until"],  # type: ignore[arg-type]
    )


def told(change: TierChange, type_: str = "tier.changed", *, historical: bool = False) -> Outcome:
    """What is published of a record."""
    data = {"from": change.old, "to": change.new, "reason": change.reason, "until": change.until}
    return Outcome(
        id=f"{CUSTOMER}/tier/{change.number}",
        customer_id=CUSTOMER,
        type=type_,
        time=NOW,
        cause=change.cause,
        program_version=1,
        data=data,
        historical=historical,
    )


@pytest.mark.parametrize("historical", [False, True])
def test_a_tier_that_is_reached_is_recorded_and_told_with_all_that_made_it(historical: bool) -> None:
    """Given a customer of whom nothing but the rolling spend is at hand; when it reaches Gold; then the tier runs from
    the order that reached it, and the record and the outcome say what, when, why and by which version; what is
    imported brings its benefit from the next month on, anything else at once."""
    member, made = Member(CUSTOMER, spend=Decimal(250)), changes()

    if historical:
        tiers.reconsider(member, BRINGING, made, at=EARLIER, cause="c", historical=True)
    else:
        tiers.reconsider(member, BRINGING, made, at=EARLIER, cause="c")

    expected = record(None, "gold", "spend")
    assert tiers.standing_of(member, rules(BRINGING)) == Standing(1, EARLIER, ENDS, "")
    assert made.tiers == [expected]
    assert made.outcomes == [told(expected, historical=historical)]
    assert made.standings == {CUSTOMER: member}
    assert member.tier_due == (datetime(2026, 7, 1, 9, tzinfo=NOW.tzinfo) if historical else NOW)
    assert (member.tier_promise, made.by_history) == (
        rules(BRINGING).levels[1].promise,
        {CUSTOMER} if historical else set(),
    )


def test_an_order_in_grace_that_reaches_the_tier_anew_makes_it_last_and_nobody_is_told() -> None:
    """Given Gold in grace; when what counts reaches Gold again; then it is kept for another period, since when it was
    first reached, and no record is made: the tier is the same; what does not reach it changes nothing."""
    since = NOW - timedelta(days=400)
    member, made = gold(tier_status="grace", tier_since=since, tier_until=NOW + timedelta(days=9)), changes()

    tiers.reconsider(member, ROLLING, made, at=EARLIER, cause="c")

    assert tiers.standing_of(member, rules(ROLLING)) == Standing(1, since, ENDS, "")
    assert (made.tiers, made.outcomes, made.standings) == ([], [], {CUSTOMER: member})

    member, made = gold(tier_status="grace", spend=Decimal(10)), changes()
    tiers.reconsider(member, ROLLING, made, at=EARLIER, cause="c")
    assert (member.tier_status, made.standings) == ("grace", {})


@pytest.mark.parametrize("program", [ROLLING, WITHOUT], ids=["reached already", "no tiers"])
def test_what_reaches_nothing_new_leaves_the_tier_alone(program: Program) -> None:
    """Given Gold; when more is spent that reaches no higher tier, or there are no tiers; then nothing changes, not even
    until when it lasts."""
    ends = ENDS - timedelta(days=30)
    member, made = gold(tier_until=ends), changes()
    tiers.reconsider(member, program, made, at=NOW, cause="c")
    assert (made.standings, made.tiers, member.tier_until, member.tier_since) == ({}, [], ends, EARLIER)


def test_the_sum_decides_nothing_where_something_else_counts() -> None:
    """Given a program that counts points; when there is a sum of money and no points; then no tier is reached."""
    member, made = Member(CUSTOMER, spend=Decimal(250)), changes()
    tiers.reconsider(member, BY_POINTS, made, at=NOW, cause="c")
    assert (member.tier, made.standings) == (None, {})


def test_a_higher_tier_reached_in_grace_runs_from_then() -> None:
    """Given Gold in grace; when Platinum is reached; then it is had since then, not since Gold was."""
    member, made = gold(tier_status="grace", spend=Decimal(2000)), changes()
    tiers.reconsider(member, ROLLING, made, at=NOW, cause="c")
    assert tiers.standing_of(member, rules(ROLLING)) == Standing(2, NOW, ENDS)


@pytest.mark.parametrize("historical", [False, True])
def test_a_tier_that_goes_with_its_order_is_recorded_with_what_is_left(historical: bool) -> None:
    """Given Gold by orders of which 100 are left; when it is decided anew after a refund; then it is lost, and the
    record says how much remains; the same decision for any other reason but an end takes nothing."""
    counted = {"1": Counted(EARLIER, Decimal(100)), "2": Counted(NOW - timedelta(days=400), Decimal(90))}
    member, made = gold(counted=counted), changes()
    tiers.reconsider(member, ROLLING, made, at=NOW, cause="c", reason="merge")
    assert (made.tiers, member.tier) == ([], "gold")

    tiers.reconsider(member, ROLLING, made, at=NOW, cause="c", reason="refund", historical=historical)

    expected = record("gold", "member", "refund", number=3, spend=Decimal(100), until=None)
    assert made.tiers == [expected]
    assert made.outcomes == [told(expected, historical=historical)]
    assert tiers.standing_of(member, rules(ROLLING)) == Standing(0, None, None, "")


NEXT = datetime(2026, 6, 12, 12, tzinfo=NOW.tzinfo)
"""When a month begins that is counted from 20 days before `NOW`."""


@pytest.mark.parametrize(
    ("program", "before", "due"),
    [
        (BRINGING, None, NEXT),
        (BRINGING, NOW - timedelta(days=5), NOW - timedelta(days=5)),
        (BRINGING, NEXT + timedelta(days=5), NEXT),
        (FOR_GOOD, NEXT, NEXT),
        (FOR_GOOD, None, None),
    ],
)
def test_history_that_moves_a_tier_puts_off_nothing_that_is_due(
    program: Program, before: datetime | None, due: datetime | None
) -> None:
    """Given Gold; when imported history shows that it began earlier; then what was due stays due, by what the tier
    promised then, and the tier is not one that history reached; when an order of now shows it, then all is due."""
    member, made = gold(counted={"1": Counted(NOW - timedelta(days=20), Decimal(250))}), changes()
    member.tier_due, member.tier_promise = before, "then"
    tiers.reconsider(member, program, made, at=NOW, cause="c", historical=True)
    assert (member.tier_since, member.tier_due) == (NOW - timedelta(days=20), due)
    assert (member.tier_promise, made.by_history) == ("then", set())

    member.tier_since = EARLIER
    tiers.reconsider(member, program, made, at=NOW, cause="c")
    assert member.tier_due == (NOW if program is BRINGING else None)
    assert member.tier_promise == rules(program).levels[1].promise


def test_a_tier_that_an_order_reaches_after_history_is_not_one_that_history_reached() -> None:
    """Given Gold by imported history; when an order of the same batch reaches Platinum; then what that brings is not
    taken to be had."""
    member, made = Member(CUSTOMER, spend=Decimal(250)), changes()
    tiers.reconsider(member, ROLLING, made, at=EARLIER, cause="c", historical=True)
    assert made.by_history == {CUSTOMER}
    member.spend = Decimal(2000)
    tiers.reconsider(member, ROLLING, made, at=NOW, cause="d")
    assert made.by_history == set()


def test_grace_by_history_is_none_that_history_brought() -> None:
    """Given Gold whose time is over; when an imported refund finds it so; then it is kept for its grace, and what it
    brings is not taken to be had."""
    program = living("{spend_over: P12M}", "grace: P60D").rules.program
    since = NOW - timedelta(days=370)
    member, made = gold(counted={"1": Counted(since, Decimal(250))}, tier_since=since), changes()
    tiers.reconsider(member, program, made, at=NOW, cause="c", reason="refund", historical=True)
    assert ([change.reason for change in made.tiers], made.by_history) == (["grace"], set())


@pytest.mark.parametrize("historical", [False, True])
def test_a_decision_anew_names_its_activity(historical: bool) -> None:
    """Given orders that reach Gold, and no tier; when it is decided anew because of a merge; then the record names the
    activity."""
    member, made = Member(CUSTOMER, counted={"1": Counted(EARLIER, Decimal(250))}), changes()
    merged = activity("customer.merged", "m", historical=historical)

    tiers.decide_anew(member, BRINGING, made, merged, reason="merge")

    expected = record(None, "gold", "merge", cause=merged.id)
    assert (made.tiers, made.outcomes) == ([expected], [told(expected, historical=historical)])
    assert (member.tier_due == NOW) is not historical


@pytest.mark.parametrize(
    ("due", "days", "expected"),
    [
        (None, 100, timedelta(days=70, hours=16)),
        (20, 100, timedelta(days=20)),
        (80, 100, timedelta(days=70, hours=16)),
        (None, 20, timedelta(0)),
        (None, 170, timedelta(days=140, hours=16)),
    ],
    ids=["none before", "earlier", "later", "past", "clocks change"],
)
def test_after_a_refund_the_end_is_looked_at_again_in_time_for_its_notice(
    due: int | None, days: int, expected: timedelta
) -> None:
    """Given a tier that ends in so many days, with 30 days of notice; when a refund does not take it; then it is looked
    at again when the notice would be given, or now if that is past, or when something else is due before: it may be
    lost now, and was not before."""
    since = NOW + timedelta(days=days - 365)
    member, made = gold(counted={"1": Counted(since, Decimal(250))}, tier_since=since), changes()
    member.tier_until = tiers.present(member, NOTICED, NOW).until
    member.tier_due = None if due is None else NOW + timedelta(days=due)

    tiers.reconsider(member, NOTICED, made, at=NOW, cause="c", reason="refund")

    assert member.tier_due is not None
    assert (member.tier, member.tier_due - NOW) == ("gold", expected)
    assert made.standings == {CUSTOMER: member}


@pytest.mark.parametrize(
    ("program", "reason"), [(NOTICED, "spend"), (ROLLING, "refund")], ids=["nothing lost", "no notice"]
)
def test_where_no_notice_can_have_become_due_nothing_is_written(program: Program, reason: str) -> None:
    """Given Gold as it was; when an order adds to it, or the program gives no notice; then nothing is due anew."""
    member = gold(counted={"1": Counted(EARLIER, Decimal(250))})
    made = changes()
    tiers.reconsider(member, program, made, at=NOW, cause="c", reason=reason)
    assert (member.tier_due, made.standings) == (None, {})

    nobody = Member(CUSTOMER, counted={})
    tiers.reconsider(nobody, NOTICED, made, at=NOW, cause="c", reason="refund")
    assert (nobody.tier_due, made.standings) == (None, {})


@pytest.mark.parametrize("reason", ["review", "grace", "grant", "grant_ended", "spend", "merge", "refund"])
def test_the_same_tier_for_another_time_is_recorded_where_somebody_will_ask_why(reason: str) -> None:
    """Given Gold; when it is given until another time; then a review, a grace and what is done by hand are recorded,
    and only a grace is told."""
    member, made = gold(), changes()
    standing = Standing(1, EARLIER, ENDS + timedelta(days=9), "grace" if reason == "grace" else "")

    tiers.apply(member, standing, ROLLING, made, cause="c", reason="review" if reason == "grace" else reason)

    expected = record("gold", "gold", reason, number=3, until=standing.until)
    asked = reason in {"review", "grace", "grant", "grant_ended"}
    assert made.tiers == ([expected] if asked else [])
    assert made.outcomes == ([told(expected, "tier.grace")] if reason == "grace" else [])
    assert tiers.standing_of(member, rules(ROLLING)) == standing


def test_the_same_standing_is_no_change_and_nor_is_the_lowest_of_who_had_none() -> None:
    """Given a standing; when it is decided the same again, or a customer without any comes to the lowest; then nothing
    is written; a tier that is gone from the program counts as the lowest, and another takes its place."""
    member, made = gold(tier_status="grace"), changes()
    tiers.apply(member, Standing(1, EARLIER, ENDS, "grace"), ROLLING, made, cause="c", reason="review")
    nobody = Member(CUSTOMER)
    tiers.apply(nobody, Standing(0, NOW), ROLLING, made, cause="c", reason="review")
    assert (made.standings, made.tiers, nobody.tier, nobody.tier_since) == ({}, [], None, None)

    assert tiers.current_level(rules(ROLLING), gold(tier="gone")) == 0
    tiers.apply(gold(tier="gone"), Standing(0, NOW), ROLLING, made, cause="c", reason="spend")
    assert [(one.old, one.new) for one in made.tiers] == [("gone", "member")]


def test_who_is_in_grace_already_does_not_enter_it_again() -> None:
    """Given Gold in grace; when a review comes to grace until another time; then it is recorded as a review."""
    member, made = gold(tier_status="grace"), changes()
    tiers.apply(member, Standing(1, EARLIER, NOW, "grace"), ROLLING, made, cause="c", reason="review")
    assert [one.reason for one in made.tiers] == ["review"]
    assert made.outcomes == []


def test_what_counts_now_is_the_rolling_spend_or_all_that_is_in_the_window() -> None:
    """Given a sum, and items within the window and before it; then what counts is the sum where it is kept and nothing
    else is at hand, and the items in the window otherwise."""
    items = {
        "1": Counted(NOW - timedelta(days=1), Decimal(30)),
        "2": Counted(new_york(2025, 5, 31, 23), Decimal(9)),
    }
    assert tiers.amount_now(gold(), ROLLING, NOW) == 250
    assert tiers.amount_now(gold(counted=items), ROLLING, NOW) == 30
    assert tiers.amount_now(gold(), BY_POINTS, NOW) == 0
    assert tiers.amount_now(gold(counted=items), YEARS, NOW) == 30
    assert tiers.amount_now(gold(), YEARS, NOW) == 0


@pytest.mark.parametrize(
    ("program", "facts", "before", "joined", "written"),
    [
        (YEARS, {"registered_at": EARLIER, "first_order_at": NOW}, None, EARLIER, True),
        (YEARS, {"first_order_at": NOW}, None, NOW, True),
        (YEARS, {"first_order_at": NOW}, NOW, NOW, False),
        (YEARS, {"registered_at": EARLIER}, NOW, EARLIER, True),
        (YEARS, {}, None, None, False),
        (YEARS, {}, NOW, NOW, False),
        (CALENDAR, {"registered_at": EARLIER}, None, None, False),
        (WITHOUT, {"registered_at": EARLIER}, None, None, False),
    ],
    ids=["registered", "ordered", "known", "registered late", "neither", "forgotten", "calendar", "no tiers"],
)
def test_years_of_membership_run_from_the_registration_or_the_first_order(
    program: Program,
    facts: dict[str, object],
    before: datetime | None,
    joined: datetime | None,
    written: bool,
) -> None:
    """Given a program with years of membership; when an activity tells since when the customer is known; then it is
    kept, once; no other program keeps it."""
    member, made = Member(CUSTOMER, joined_at=before), changes()
    tiers.note_joined(member, activity("login.recorded", "l", facts=facts), program, made)
    assert (member.joined_at, bool(made.standings)) == (joined, written)


def test_the_window_begins_with_a_day_of_the_shop() -> None:
    """Given programs; then the window begins with a local day 12 months back, or with the year; and money counts, or
    what the program says, or nothing."""
    assert tiers.start_of_window(ROLLING, NOW) == new_york(2025, 6, 1)
    assert tiers.start_of_window(CALENDAR, NOW) == new_york(2026, 1, 1)
    assert tiers.start_of_window(WITHOUT, NOW) is None
    assert [tiers.measure_of(one) for one in (ROLLING, BY_POINTS, WITHOUT)] == [
        Measure.SPEND,
        Measure.POINTS,
        None,
    ]


@pytest.mark.parametrize("historical", [False, True])
def test_an_order_reaches_the_tier_at_its_own_time_and_by_its_own_name(historical: bool) -> None:
    """Given a customer of whom only the sum is at hand; when an order of three hours ago reaches Gold; then Gold is
    since then, because of it; its refund takes it, because of the refund."""
    life = Life()
    life.member.counted = None
    bought = order("1", "250.50", at=EARLIER, historical=historical)
    life.happen(bought)
    assert (life.member.tier_since, life.member.spend) == (EARLIER, Decimal("250.50"))
    (change,) = life.changes.tiers
    assert (change.cause, change.reason, change.spend) == (bought.id, "spend", Decimal("250.50"))
    assert life.changes.outcomes[-1].historical is historical

    back = refund("1", "r", "250.50", at=NOW, historical=historical)
    life.happen(back)
    change = life.changes.tiers[-1]
    assert (change.cause, change.reason, change.spend) == (back.id, "refund", 0)
    assert life.changes.outcomes[-1].historical is historical


def test_the_sum_follows_orders_of_the_window_alone() -> None:
    """Given orders in the window and before it; when both are refunded, and an order is refunded of which nothing is
    known; then only what was in the sum leaves it; without tiers no sum is kept."""
    life = Life().happen(
        order("old", "500", at=NOW - timedelta(days=400)), order("1", "100"), order("2", "50.50")
    )
    assert life.member.spend == Decimal("150.50")
    life.happen(refund("old", "a", "500"), refund("unknown", "b", "5"))
    assert life.member.spend == Decimal("150.50")
    life.happen(refund("2", "c", "50.50"))
    assert life.member.spend == 100

    life.rules = rulebook(PROGRAM[: PROGRAM.index("tiers:")] + PROGRAM[PROGRAM.index("offers:") :])
    life.happen(order("3", "10"))
    assert (life.member.spend, life.member.spend_since, life.member.tier) == (0, None, None)


@pytest.mark.parametrize("historical", [False, True])
def test_points_count_from_the_first_one_on_under_the_name_of_what_gave_them(historical: bool) -> None:
    """Given a program in which one point reaches Gold; when one is earned; then it counts at its time, under its key,
    and reaches Gold; when it goes with its order, so does Gold; nothing earned changes nothing."""
    program = living("{points_over: P12M}", levels=LEVELS.replace("200.01", "1")).rules.program
    member, made = Member(CUSTOMER, lifetime_earned=8), changes()
    tiers.count_earned(member, program, made, 8, key="k", at=EARLIER, cause="c")
    assert (member.counted, made.standings) == (None, {})

    words = {"historical": True} if historical else {}
    tiers.count_earned(member, program, made, 7, key="k", at=EARLIER, cause="c", **words)
    expected = record(None, "gold", "spend", spend=Decimal(1))
    assert member.counted == {"k": Counted(EARLIER, Decimal(1))}
    assert (made.tiers, made.outcomes) == ([expected], [told(expected, historical=historical)])

    member.counted.clear()  # what orders gave is counted, and taken off, with them
    tiers.count_earned(member, program, made, 9, key=None, at=NOW, cause="d", **words)
    assert [(one.reason, one.cause, one.spend) for one in made.tiers[1:]] == [("refund", "d", 0)]
    assert member.counted == {}


@pytest.mark.parametrize("historical", [False, True])
def test_points_that_no_order_gave_reach_a_tier_because_of_what_gave_them(historical: bool) -> None:
    """Given Gold at 50 points; when a review gives them, now or long ago; then the record names the review, and what
    is told is as historical as that."""
    life = living("{points_over: P12M}", levels=LEVELS.replace("200.01", "50"))
    review = activity("review.posted", "v", historical=historical)
    life.happen(review)
    assert [(one.new, one.cause) for one in life.changes.tiers] == [("gold", review.id)]
    (changed,) = (one for one in life.changes.outcomes if one.type == "tier.changed")
    assert changed.historical is historical


def test_an_order_of_which_nobody_knows_when_it_was_placed_counts_nothing() -> None:
    """Given an order of which only a refund is known; when it is followed; then the sum stays as it was."""
    member, made = Member(CUSTOMER, spend=Decimal(5), spend_since=NOW), changes()
    told_of = refund("1", "r", "5")
    tiers.follow_order(member, Purchase(order_id="1"), tiers.NOTHING_SPENT, told_of, BY_POINTS, made)
    assert (member.spend, made.standings) == (5, {})


@pytest.mark.parametrize("program", [ROLLING, WITHOUT], ids=["money counts", "no tiers"])
def test_points_count_nowhere_else(program: Program) -> None:
    """Given a program whose tiers do not count points; when some are earned; then nothing is counted."""
    member, made = Member(CUSTOMER, lifetime_earned=900), changes()
    tiers.count_earned(member, program, made, 0, key="k", at=NOW, cause="c")
    assert (member.counted, member.tier, made.standings) == (None, None, {})
