"""Where a customer stands by what was reached and what was granted, to the moment; and what time does to it."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Counted, Member, TierGrant
from services.rewards.domain.tiering.counting import Calendar
from services.rewards.domain.tiering.standing import (
    GRACE,
    GRANTED,
    Standing,
    earned,
    level_for,
    reached,
    with_grants,
)
from services.rewards.domain.tiering.tier_time import foresee, pass_time
from services.rewards.domain.tiering.tiers import apply
from shared.contracts.outcomes import Outcome
from shared.program.model.tiers import Tiers
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, rulebook
from tests.unit.rewards.tiering.test_tier_policies import LEVELS, living, new_york

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
ENDS = new_york(2027, 6, 2)
"""When Gold ends that was reached on 1 June 2026."""
NOTICE_AT = new_york(2027, 5, 3)
NOTICED = living("{spend_over: P12M}", "notice_before: P30D").rules
WITHOUT = rulebook(PROGRAM[: PROGRAM.index("tiers:")] + PROGRAM[PROGRAM.index("offers:") :])


def rules(rulebook: Rulebook) -> Tiers:
    """Its tiers."""
    assert rulebook.program.tiers is not None
    return rulebook.program.tiers


TIERS = rules(NOTICED)


def grant(tier: str, begins: int, ends: int) -> TierGrant:
    """A grant from so many days from now to so many."""
    return TierGrant(f"{tier}-{begins}-{ends}", tier, NOW + begins * DAY, NOW + ends * DAY)


def test_the_level_is_the_highest_that_is_reached_and_the_lowest_if_none_is() -> None:
    """Given Gold at 200.01 and Platinum at 2000; then each is reached to the cent, and less than nothing is the lowest
    tier."""
    amounts = ("-1", "0", "200.00", "200.01", "1999.99", "2000")
    assert [level_for(TIERS, Decimal(amount)) for amount in amounts] == [0, 0, 0, 1, 1, 2]


def test_the_lowest_tier_and_one_without_a_period_are_kept_for_good() -> None:
    """Given tiers of which Platinum is kept for ever; then only Gold has an end."""
    for_ever = rules(living(levels=LEVELS.replace("at: 2000, keep_for: P12M", "at: 2000")).rules)
    calendar = Calendar.of(for_ever.basis, NOTICED.program.time_zone, Member(CUSTOMER))
    ends = [reached(for_ever, calendar, level, NOW) for level in range(3)]
    assert ends == [Standing(0, NOW, None), Standing(1, NOW, ENDS), Standing(2, NOW, None)]


def test_a_tier_that_is_had_is_not_renewed_by_what_reaches_no_higher_one() -> None:
    """Given Gold by two orders; when the older one has left the window and another comes that would reach Platinum with
    it; then Gold stays as it was, and ends when it did."""
    items = [
        Counted(NOW - 100 * DAY, Decimal(150)),
        Counted(NOW, Decimal(100)),
        Counted(NOW + 300 * DAY, Decimal(1800)),
    ]
    calendar = Calendar.of(TIERS.basis, NOTICED.program.time_zone, Member(CUSTOMER))
    assert earned(items, TIERS, calendar, NOW + 301 * DAY) == Standing(1, NOW, ENDS)


GOLD = Standing(1, NOW - DAY, NOW + 5 * DAY)


@pytest.mark.parametrize(
    ("standing", "grants", "expected"),
    [
        (Standing(), [grant("gold", 0, 9)], Standing(1, NOW, NOW + 9 * DAY, GRANTED)),
        (Standing(), [grant("gold", 1, 9)], Standing()),
        (Standing(), [grant("gold", -9, 0)], Standing()),
        (Standing(), [grant("gone", -1, 9)], Standing()),
        (GOLD, [grant("gold", -3, 9)], Standing(1, NOW - DAY, NOW + 9 * DAY, GRANTED)),
        (GOLD, [grant("gold", -3, 5)], GOLD),
        (GOLD, [grant("gold", -3, 2)], GOLD),
        (GOLD._replace(until=None), [grant("gold", -3, 9)], GOLD._replace(until=None)),
        (GOLD._replace(level=2), [grant("gold", -3, 9)], GOLD._replace(level=2)),
        (
            Standing(),
            [grant("gold", -9, -1), grant("gold", -2, 9)],
            Standing(1, NOW - 2 * DAY, NOW + 9 * DAY, GRANTED),
        ),
        (
            GOLD,
            [grant("platinum", -1, 3), grant("gold", -1, 9)],
            Standing(2, NOW - DAY, NOW + 3 * DAY, GRANTED),
        ),
    ],
    ids=[
        "begins now",
        "begins later",
        "ends now",
        "of a tier that is gone",
        "longer",
        "as long",
        "shorter",
        "kept for good",
        "lower",
        "over, and another",
        "higher, and longer",
    ],
)
def test_the_higher_of_what_was_reached_and_granted_counts_and_of_the_same_the_longer(
    standing: Standing, grants: list[TierGrant], expected: Standing
) -> None:
    """Given a standing and grants, in any order; then the higher tier counts, since it began; of the same tier, the one
    that lasts longer, since it was first had."""
    assert with_grants(standing, grants, TIERS, NOW) == expected
    assert with_grants(standing, grants[::-1], TIERS, NOW) == expected


def gold(*spent: tuple[datetime, int], **more: object) -> Member:
    """A customer who reached Gold on 1 June 2026 with an order of 250, and has spent this since."""
    member = Member(CUSTOMER, tier="gold", tier_since=NOW, tier_until=ENDS, tier_changes=1)
    orders = [(NOW, 250), *spent]
    member.counted = {str(n): Counted(at, Decimal(amount)) for n, (at, amount) in enumerate(orders)}
    for name, value in more.items():
        setattr(member, name, value)
    return member


def pass_to(member: Member, now: datetime, rulebook: Rulebook = NOTICED, *, same: bool = True) -> Changes:
    """What time has done by then."""
    changes = Changes(now, 1)
    pass_time(member, rulebook, changes, same_program=same)
    return changes


@pytest.mark.parametrize("same", [True, False])
def test_the_end_of_a_tier_is_told_ahead_once_and_to_the_field(same: bool) -> None:
    """Given Gold with 30 days of notice, and 50 spent towards another year; when it is a moment before the notice; then
    nothing is told, and the notice is due next; at the notice the customer hears which tier, until which day, what
    follows, and how much is missing; and not again."""
    member = gold((new_york(2027, 1, 5), 50))
    early = pass_to(member, NOTICE_AT - MOMENT, same=same)
    assert (early.outcomes, member.tier_due, member.tier_noticed) == ([], NOTICE_AT, None)
    assert early.standings == {CUSTOMER: member}

    changes = pass_to(member, NOTICE_AT, same=same)

    end = ENDS.isoformat()
    data = {"tier": "gold", "to": "member", "until": ENDS, "on": "2027-06-01", "missing": "150.01"}
    assert changes.outcomes == [
        Outcome(
            id=f"{CUSTOMER}/tier-expiring/{end}",
            customer_id=CUSTOMER,
            type="tier.expiring",
            time=NOTICE_AT,
            cause=f"notice:{end}",
            program_version=1,
            data=data,
        )
    ]
    assert (member.tier_due, member.tier_noticed) == (ENDS, ENDS)
    assert changes.standings == {CUSTOMER: member}
    assert pass_to(member, NOTICE_AT + DAY, same=same).outcomes == []
    assert member.tier_due == ENDS


def test_who_keeps_the_tier_hears_nothing_until_that_changes() -> None:
    """Given Gold that another order keeps; when the notice would be given; then nothing is told, and it stays possible:
    a refund may change it."""
    member = gold((new_york(2027, 1, 5), 201))
    assert pass_to(member, NOTICE_AT).outcomes == []
    assert (member.tier_due, member.tier_noticed) == (ENDS, None)


@pytest.mark.parametrize(
    ("status", "cause"), [("", f"review:{ENDS.isoformat()}"), (GRANTED, f"grant_ended:{ENDS.isoformat()}")]
)
@pytest.mark.parametrize("same", [True, False])
def test_a_tier_whose_time_is_over_is_decided_anew_because_of_that(
    status: str, cause: str, same: bool
) -> None:
    """Given Gold that nothing keeps; when its time is over, whether the program is another or not; then it is lost, and
    the record names the end and whether it had been granted; nothing more is due."""
    member = gold(tier_status=status)
    changes = pass_to(member, ENDS, same=same)
    (change,) = changes.tiers
    assert (change.new, change.cause, change.reason) == ("member", cause, cause.split(":", maxsplit=1)[0])
    assert (member.tier_due, changes.standings) == (None, {CUSTOMER: member})


def test_under_another_program_the_tier_is_decided_before_its_end() -> None:
    """Given Gold; when the program asks for 260 since; then it stays until its end, as nothing but time takes it then;
    who has no tier and now reaches one has it from then on."""
    nobody = gold(tier=None, tier_since=None, tier_until=None, tier_changes=0)
    changes = pass_to(nobody, NOW + DAY, same=False)
    (change,) = changes.tiers
    assert (change.new, change.cause) == ("gold", f"review:{(NOW + DAY).isoformat()}")
    assert (nobody.tier_since, nobody.tier_until, nobody.tier_due) == (NOW, ENDS, NOTICE_AT)

    assert pass_to(gold(tier=None, tier_until=None), NOW).tiers == []


def test_time_does_nothing_to_who_was_merged_or_where_there_are_no_tiers() -> None:
    """Given Gold; when the customer was merged into another; then nothing of it is due any more; when there are no
    tiers; then what is due stays due until there are."""
    member = gold(merged_into="cus_2", tier_due=ENDS)
    changes = pass_to(member, ENDS)
    assert (member.tier_due, changes.tiers, changes.standings) == (None, [], {CUSTOMER: member})
    member = gold(tier_due=ENDS)
    assert (pass_to(member, ENDS, WITHOUT).standings, member.tier_due) == ({}, ENDS)


@pytest.mark.parametrize(
    ("more", "spent", "expected"),
    [
        ([], 0, ("member", "2000")),
        ([], 201, ("gold", "1799")),
        ([], 2000, None),
        (["downgrade: one_step"], 0, ("gold", "2000")),
        (["grace: P14D"], 0, ("member", "2000")),
        (["grace: P14D"], 2000, None),
    ],
    ids=["falls", "falls to what is earned", "stays", "one step", "after grace", "stays without grace"],
)
def test_what_the_tier_falls_to_is_foreseen_with_what_is_missing(
    more: list[str], spent: int, expected: tuple[str, str] | None
) -> None:
    """Given Platinum, and what was spent towards its next year; then it is foreseen to which tier it falls at its end,
    grace left out, and how much more would keep it."""
    program = living("{spend_over: P12M}", "notice_before: P30D", *more).rules.program
    member = gold((NOW, 2000), tier="platinum")
    assert member.counted is not None
    if spent:
        member.counted["new"] = Counted(new_york(2027, 1, 5), Decimal(spent))
    assert foresee(member, program, ENDS) == expected

    member.grants = [TierGrant("g", "platinum", NOW, ENDS + DAY)]
    if not more:
        assert foresee(member, program, ENDS) is None


def test_in_grace_the_tier_below_is_what_follows() -> None:
    """Given Gold in grace, of which the grace ends; then the lowest tier follows."""
    program = living("{spend_over: P12M}", "notice_before: P30D", "grace: P14D").rules.program
    assert foresee(gold(tier_status=GRACE, tier_until=ENDS + 14 * DAY), program, ENDS + 14 * DAY) == (
        "member",
        "200.01",
    )


def test_a_higher_tier_for_the_same_time_is_another() -> None:
    """Given Gold; when Platinum is granted for just as long, and then until November; then it is had, and its notice is
    due at the beginning of a local day, though clocks change before the end."""
    member, changes = gold(), Changes(NOW, 1)
    apply(member, Standing(2, NOW, ENDS), NOTICED.program, changes, cause="c", reason="grant")
    assert (member.tier, member.tier_due) == ("platinum", NOTICE_AT)
    until = new_york(2026, 11, 19)
    apply(member, Standing(2, NOW, until), NOTICED.program, changes, cause="c", reason="grant")
    assert (member.tier_until, member.tier_due) == (until, new_york(2026, 10, 20))
