"""What time does to a tier while it lasts: what it brings, when word of its end goes out, under which program."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.tiering.tier_time import arrived, bring_at_once, foresee, pass_time
from tests.unit.rewards.building import CUSTOMER, NOW, Life, order, refund
from tests.unit.rewards.tiering.test_tier_policies import LEVELS, living, new_york, until
from tests.unit.rewards.tiering.test_tier_records import MONTHLY

ENDS = new_york(2027, 6, 2)
"""When Gold ends that was reached on 1 June 2026."""
NEXT_MONTH = NOW + timedelta(days=30)
NOTICED = living("{spend_over: P12M}", "notice_before: P30D").rules
BRINGING = living(levels=MONTHLY).rules


class Silent(Changes):
    """What a simulation collects."""

    tells = False


def gold(spent: str = "250", **more: object) -> Member:
    """A customer who has Gold since 1 June 2026, with an order of so much."""
    member = Member(CUSTOMER, tier="gold", tier_since=NOW, tier_until=ENDS, tier_changes=1)
    member.counted = {"1": Counted(NOW, Decimal(spent))}
    for name, value in more.items():
        setattr(member, name, value)
    return member


def pass_to(member: Member, now: datetime, rules: Rulebook, *, same: bool) -> Changes:
    """What time has done by then."""
    changes = Changes(now, 1)
    pass_time(member, rules, changes, same_program=same)
    return changes


@pytest.mark.parametrize("more", ["benefits", "notice"])
def test_a_program_that_asks_for_more_takes_nothing_when_something_else_is_due(more: str) -> None:
    """Given Gold at 250, which brings an offer each month, or of whose end word goes out ahead; when the program asks
    for 500, and a month passes, or it is time for that word; then Gold stays until its time is over, and is then lost
    (it was lost with the next offer, or the word of its end)."""
    levels, notice = (MONTHLY, []) if more == "benefits" else (LEVELS, ["notice_before: P30D"])
    life = living("{spend_over: P12M}", *notice, levels=levels).happen(order("1", "250"))
    life.rules = living("{spend_over: P12M}", *notice, levels=levels.replace("200.01", "500")).rules

    until(life, new_york(2026, 7, 20)).wait(timedelta(0))
    until(life, new_york(2027, 5, 20))
    assert (life.member.tier, life.member.tier_until) == ("gold", ENDS)

    until(life, ENDS)
    assert life.member.tier == "member"


@pytest.mark.parametrize("same", [True, False])
def test_a_tier_brings_its_offer_each_month_and_is_looked_at_then(same: bool) -> None:
    """Given Gold that brings an offer each month; when it has just been reached, and a month later; then the offer is
    issued, each time once, and time has something to do again in a month."""
    member = gold()
    for months in range(2):
        now = new_york(2026, 6 + months, 1, NOW.astimezone(BRINGING.program.time_zone).hour)
        changes = pass_to(member, now, BRINGING, same=same)
        assert [issued.offer for issued in changes.offers] == ["fifth"]
        assert member.tier_due == now + timedelta(days=30 + months)
        assert pass_to(member, now, BRINGING, same=same).offers == []


@pytest.mark.parametrize("same", [True, False])
def test_who_has_no_tier_gets_nothing_and_nothing_is_due(same: bool) -> None:
    """Given nobody who ever reached a tier; when time is looked at; then nothing comes, and nothing will."""
    member = Member(CUSTOMER, counted={}, tier_due=NOW)
    assert pass_to(member, NOW, BRINGING, same=same).offers == []
    assert member.tier_due is None


def test_under_the_same_program_nothing_is_decided_before_the_end() -> None:
    """Given Gold of which not all that counts would reach Platinum was there when it was decided; when time is looked
    at under the same program; then it stays Gold: a higher tier comes with what reaches it; under another program it is
    looked at anew."""
    member = gold("2000")
    assert pass_to(member, NEXT_MONTH, BRINGING, same=True).tiers == []
    assert (member.tier, member.tier_until) == ("gold", ENDS)

    (change,) = pass_to(member, NEXT_MONTH, BRINGING, same=False).tiers
    assert (change.new, change.reason, change.cause) == (
        "platinum",
        "review",
        f"review:{NEXT_MONTH.isoformat()}",
    )


def test_a_program_that_keeps_a_tier_longer_moves_no_end_before_it_comes() -> None:
    """Given Gold that lasts a year; when another program keeps it for two, and time is looked at; then it ends when it
    did, and is then looked at by that program."""
    longer = living(levels=MONTHLY.replace("keep_for: P12M, benefits", "keep_for: P24M, benefits")).rules
    member = gold()
    assert pass_to(member, NEXT_MONTH, longer, same=False).tiers == []
    assert (member.tier, member.tier_until) == ("gold", ENDS)


def test_a_tier_that_rises_while_it_is_granted_does_not_rise_because_the_grant_ended() -> None:
    """Given Gold by hand, which goes on; when another program asks so little that Platinum is reached; then the record
    names no grant that ended."""
    (change,) = pass_to(gold("2000", tier_status="granted"), NOW, BRINGING, same=False).tiers
    assert (change.new, change.reason) == ("platinum", "review")


def test_a_tier_that_is_over_names_its_end_however_late_somebody_looks() -> None:
    """Given Gold that ended a week ago, while nobody looked; then the record names the end, not the week after."""
    (change,) = pass_to(gold(), ENDS + timedelta(days=7), NOTICED, same=True).tiers
    assert (change.new, change.cause) == ("member", f"review:{ENDS.isoformat()}")


def test_a_tier_that_is_kept_for_good_now_has_no_end_to_tell_of() -> None:
    """Given Gold of whose end the customer was told, and which is kept for good since; then nothing more is told."""
    member = gold(tier_until=None, tier_noticed=ENDS)
    assert pass_to(member, NEXT_MONTH, NOTICED, same=True).outcomes == []
    assert member.tier_due is None


def test_the_notice_is_due_with_a_local_day_though_clocks_change_before_the_end() -> None:
    """Given Gold that ends on 19 November, with 30 days of notice; then the notice is due on 20 October at midnight in
    New York, where clocks are put back between the two."""
    member = gold(tier_until=new_york(2026, 11, 19))
    pass_to(member, NOW, NOTICED, same=True)
    assert member.tier_due == new_york(2026, 10, 20)


@pytest.mark.parametrize(("at", "missing"), [((2026, 6, 1, 23), "200.01"), ((2026, 6, 2, 0), "150.01")])
def test_what_is_missing_is_counted_from_the_first_local_day_of_the_next_window(
    at: tuple[int, int, int, int], missing: str
) -> None:
    """Given Gold of 1 June, which lasts a year; when 50 more were spent late that evening, they go with it; when they
    were spent at the next midnight in New York, they count towards the next year."""
    member = gold()
    assert member.counted is not None
    member.counted["2"] = Counted(new_york(*at), Decimal(50))
    assert foresee(member, NOTICED.program, ENDS) == ("member", missing)


@pytest.mark.parametrize(("joined", "missing"), [(new_york(2025, 3, 1), "150.01"), (None, "200.01")])
def test_what_is_missing_is_counted_in_the_years_of_the_member(joined: datetime | None, missing: str) -> None:
    """Given Gold by years of membership, which ends with February 2027, and 50 spent in March 2026; then they count for
    who joined in March, and not for who has years of the calendar."""
    program = living("{spend_in: anniversary_year}", "notice_before: P30D").rules.program
    member, end = gold(joined_at=joined), new_york(2027, 3, 1)
    member.counted = {
        "1": Counted(new_york(2025, 4, 1), Decimal(250)),
        "2": Counted(new_york(2026, 3, 5), Decimal(50)),
    }
    assert foresee(member, program, end) == ("member", missing)


def test_orders_at_hand_count_in_what_is_missing_as_they_stand() -> None:
    """Given Gold, and 50.50 spent in the year after, an order that is at hand; then 149.51 are missing."""
    life: Life = living("{spend_over: P12M}").happen(order("1", "250"))
    until(life, new_york(2027, 1, 5)).happen(order("2", "50.50", at=life.now))
    assert foresee(life.member, NOTICED.program, ENDS) == ("member", "149.51")


@pytest.mark.parametrize("more", [[], ["downgrade: one_step"]])
def test_below_gold_there_is_one_tier_whatever_the_way_down(more: list[str]) -> None:
    """Given Gold with nothing that keeps it; then a member follows, by what is earned and by one step."""
    program = living("{spend_over: P12M}", *more).rules.program
    assert foresee(gold(), program, ENDS) == ("member", "200.01")


def test_who_has_just_reached_a_tier_gets_what_it_brings_as_a_whole() -> None:
    """Given Gold that brings an offer each month; when a part of a customer reaches it; then the customer gets the
    first offer, whichever part it was, and the next one is due in a month."""
    life = living(levels=MONTHLY)
    life.member.part = "cus_part"
    life.happen(order("1", "250"))
    assert arrived(life.changes) == {CUSTOMER: life.member}

    bring_at_once(life.member, life.rules, life.changes)

    ((offer, part),) = [(issued.offer, issued.part) for issued in life.changes.offers]
    assert (offer, part) == ("fifth", None)
    assert life.member.tier_due == NOW + timedelta(days=30)
    assert arrived(life.changes) == {}


def test_a_notice_that_is_due_with_the_tier_itself_stays_due() -> None:
    """Given Gold for a year, of whose end word goes out 30 days ahead; when an order of 340 days ago reaches it; then
    its offer comes at once, and the word is left to whoever has all that counts at hand."""
    life = living("{spend_over: P12M}", "notice_before: P30D", levels=MONTHLY)
    life.happen(order("1", "250", at=NOW - timedelta(days=340)))
    bring_at_once(life.member, life.rules, life.changes)
    assert (len(life.changes.offers), life.told()[-1]) == (1, "offer.issued")
    assert life.member.tier_due is not None
    assert life.member.tier_due <= NOW

    life.wait(timedelta(0))
    assert (len(life.changes.offers), life.told()[-1]) == (1, "tier.expiring")


@pytest.mark.parametrize(
    ("levels", "brings", "due"),
    [
        (MONTHLY, True, NOW + timedelta(days=30)),
        (MONTHLY.replace("at: 200.01, keep_for: P12M", "at: 200.01"), True, NOW + timedelta(days=30)),
        (
            MONTHLY.replace("at: 200.01, keep_for: P12M", "at: 200.01, keep_for: P14D"),
            True,
            new_york(2026, 6, 16),
        ),
        (LEVELS, False, ENDS),
        (LEVELS.replace("at: 200.01, keep_for: P12M", "at: 200.01"), False, None),
    ],
)
def test_after_what_comes_at_once_comes_the_next_of_it_or_the_end(
    levels: str, brings: bool, due: datetime | None
) -> None:
    """Given Gold with an offer each month or without, for a year, for 14 days or for good; when it is reached; then who
    gets an offer has arrived, and after that the next offer is due or the end of the tier, whichever comes first."""
    life = living(levels=levels).happen(order("1", "250"))
    assert bool(arrived(life.changes)) is brings
    if brings:
        bring_at_once(life.member, life.rules, life.changes)
    assert life.member.tier_due == due


def test_where_nobody_is_told_no_notice_is_due() -> None:
    """Given Gold of whose end word goes out ahead; when time passes in a simulation, which tells nobody; then its
    end is due next, and not the word of it."""
    member, changes = gold(), Silent(NEXT_MONTH, 1)
    pass_time(member, NOTICED, changes, same_program=True)
    assert member.tier_due == ENDS


def test_a_tier_that_is_over_when_it_is_told_of_brings_nothing_at_once() -> None:
    """Given Gold that brings an offer each month; when it was reached in a batch that is decided as it ends; then
    nobody has arrived: it is over, and that is for time to decide."""
    life = living(levels=MONTHLY)
    life.happen(order("1", "250", at=NOW - timedelta(days=364)))
    life.member.tier_until = NOW
    assert arrived(life.changes) == {}


def test_who_rises_in_imported_history_is_taken_to_have_had_what_comes_at_once() -> None:
    """Given Gold that brings an offer each month; when imported history reaches it; then nothing comes with it, nor
    when time looks at the tier within the month; the first comes a month on. An order that reaches it anew in the same
    batch brings what there is."""
    life = living(levels=MONTHLY)
    life.happen(order("1", "250", historical=True))
    assert arrived(life.changes) == {CUSTOMER: life.member}
    bring_at_once(life.member, life.rules, life.changes)
    assert life.member.tier_due == NEXT_MONTH
    life.member.tier_due = NOW + timedelta(days=7)
    until(life, NEXT_MONTH - timedelta(seconds=1))
    assert (life.member.tier, life.changes.offers) == ("gold", [])
    until(life, NEXT_MONTH)
    assert [issued.offer for issued in life.changes.offers] == ["fifth"]

    again = living(levels=MONTHLY)
    again.happen(order("1", "250", historical=True), refund("1", "r", "250"), order("2", "250"))
    bring_at_once(again.member, again.rules, again.changes)
    assert [issued.offer for issued in again.changes.offers] == ["fifth"]


def test_a_tier_of_history_whose_time_is_over_brings_nothing_before_its_next_period() -> None:
    """Given Gold for a month that brings an offer each month; when imported history reached it three months ago, and
    time, which has not looked since, keeps it; then nothing comes for what was, and the next offer with its period."""
    life = living(levels=MONTHLY.replace("at: 200.01, keep_for: P12M", "at: 200.01, keep_for: P1M"))
    reached = NOW - timedelta(days=90)
    life.happen(order("1", "250", at=reached, historical=True))
    life.member.tier_until = life.member.tier_due = NOW - timedelta(
        days=59
    )  # as who has only the sum at hand decides
    bring_at_once(life.member, life.rules, life.changes)
    life.wait(timedelta(0))
    assert (life.member.tier, life.changes.offers) == ("gold", [])
    assert life.member.tier_due == new_york(2026, 6, 3, 7)
