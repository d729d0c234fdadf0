"""What an event renews, to its edges: which points last longer, which come back, and what is written of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.rewards.domain.points.expiry import is_late_renewal, join_renewals, renew
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.member import Member
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.values.period import Period
from tests.unit.rewards.building import CUSTOMER, NOW, activity
from tests.unit.rewards.points.posting import FOR_GOOD, RENEWED, entry, holding, start
from tests.unit.rewards.points.test_expiry import local

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)
ORDER = activity("order.completed", "o", order_id="1", total="0")
UNTIL = local(2026, 9, 2)
"""Until when an order of the tests' now lets points last, in `RENEWED`."""


def lasting(period: str | None) -> Program:
    """A program whose points last so long from the last order on."""
    after = None if period is None else Period.parse(period)
    return replace(RENEWED, points=replace(RENEWED.points, expire_after=after))


@pytest.mark.parametrize(
    ("period", "event", "now", "late"),
    [
        ("P3M", ORDER, local(2026, 6, 2) - MOMENT, False),
        ("P3M", ORDER, local(2026, 6, 2), True),
        ("P1D", ORDER, local(2026, 6, 2) - MOMENT, False),
        ("PT20H", ORDER, NOW, True),
        (None, ORDER, NOW + 9 * DAY, False),
        ("P3M", activity("review.posted", "r"), NOW + 9 * DAY, False),
    ],
)
def test_points_can_have_expired_since_an_event_once_its_day_is_over(
    period: str | None, event: Activity, now: datetime, late: bool
) -> None:
    """Given an event that renews points; then some may have expired after it from the end of its day on, or at once
    where points last for hours; never after an event that renews nothing, or where points never expire."""
    assert is_late_renewal(event, lasting(period), now) is late


def test_a_late_event_brings_back_what_expired_after_it_and_pays_what_is_owed() -> None:
    """Given lots that expired at different moments and a debt; when an event arrives late; then those come back that it
    would have let last, with entries that say so to the last field, and pay the debt; the others stay as they are."""
    after, beside = holding(1, 3, ends=NOW + MOMENT), holding(2, 0, ends=UNTIL - MOMENT)
    then, longer, fixed = holding(3, 0, ends=NOW), holding(4, 0, ends=UNTIL), holding(5, 0, ends=NOW + DAY)
    for lot in (after, beside, then, longer, fixed):
        lot.expired, lot.noticed, lot.renewable = 10, True, lot is not fixed
    member, changes = start(after, beside, then, longer, fixed, debt=4)

    renew(member, ORDER, RENEWED, changes)

    at = {"cause": ORDER.id, "at": NOW}
    assert changes.entries == [
        entry(8, Kind.RENEW, Account.EXPIRED, Account.AVAILABLE, 10, 1, key="renew/1/8", **at),
        entry(9, Kind.RENEW, Account.EXPIRED, Account.AVAILABLE, 10, 2, key="renew/2/9", **at),
        entry(10, Kind.SETTLE, Account.AVAILABLE, Account.DEBT, 4, 1, key="settle/10", **at),
    ]
    assert (member.available, member.debt) == (19, 0)
    for lot, remaining in ((after, 9), (beside, 10)):
        assert (lot.remaining, lot.expired) == (remaining, 0)
        assert (lot.expires_at, lot.noticed, lot.changed) == (UNTIL, False, True)
    for lot, end in ((then, NOW), (longer, UNTIL), (fixed, NOW + DAY)):
        assert (lot.remaining, lot.expired) == (0, 10)
        assert (lot.expires_at, lot.noticed, lot.changed) == (end, True, False)


def test_what_an_event_renews_is_kept_of_the_member_even_without_points() -> None:
    """Given a member without lots; when an event renews points; then the member's row is written with the times."""
    member, changes = start()

    renew(member, ORDER, RENEWED, changes)

    assert (member.renewed_since, member.renewed_until) == (NOW, UNTIL)
    assert changes.members == {CUSTOMER: member}


@pytest.mark.parametrize(
    ("event", "program"),
    [(ORDER, lasting(None)), (ORDER, FOR_GOOD), (activity("review.posted", "r"), RENEWED)],
    ids=["never expire", "not renewed", "another event"],
)
def test_what_renews_nothing_changes_nothing(event: Activity, program: Program) -> None:
    """Given a lot; when an event comes that renews no points; then nothing is changed, or written."""
    lot = holding(1, 3, ends=NOW + DAY, renewable=True)
    member, changes = start(lot)

    renew(member, event, program, changes)

    assert (member.renewed_since, member.renewed_until, lot.expires_at) == (None, None, NOW + DAY)
    assert changes.members == {}


@pytest.mark.parametrize(
    ("kept", "other", "joined"),
    [
        (None, (1, 10), (1, 10)),
        ((1, 10), None, (1, 10)),
        ((1, 10), (5, 15), (1, 15)),
        ((5, 15), (1, 10), (1, 15)),
        ((1, 20), (5, 15), (1, 20)),
        # What expires at the moment of an event is gone: times that only touch do not meet.
        ((1, 10), (10, 20), (10, 20)),
        ((10, 20), (1, 10), (10, 20)),
        ((1, 10), (11, 20), (11, 20)),
        ((10, 20), (1, 9), (10, 20)),
    ],
)
def test_one_of_two_members_lasts_as_both_renewed(
    kept: tuple[int, int] | None, other: tuple[int, int] | None, joined: tuple[int, int]
) -> None:
    """Given two members whose points events renewed, from a day to a day; when they become one; then the times that
    meet are one, else the later one counts; and the renewable lots that lasted then last to its end."""

    def days(member: Member, times: tuple[int, int] | None) -> None:
        if times is not None:
            member.renewed_since, member.renewed_until = (NOW + day * DAY for day in times)

    inside, outside = NOW + joined[0] * DAY + MOMENT, NOW + joined[0] * DAY
    lots = [holding(1, 3, ends=inside), holding(2, 3, ends=outside), holding(3, 3, ends=inside)]
    for lot in lots:
        lot.renewable = lot.number < 3
    target, _ = start(*lots)
    source = Member("cus_source")
    days(target, kept)
    days(source, other)

    join_renewals(target, source)

    assert (target.renewed_since, target.renewed_until) == tuple(NOW + day * DAY for day in joined)
    assert [lot.expires_at for lot in lots] == [NOW + joined[1] * DAY, outside, inside]
