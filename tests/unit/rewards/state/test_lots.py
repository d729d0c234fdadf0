"""Lots: how they are numbered, how long they wait and last, in which order they are spent."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import pytest

from services.rewards.domain.points import ledger
from services.rewards.domain.state.lots import (
    FOR_EVER,
    Lot,
    end_of_points,
    keep_in_step,
    lot_number,
    oldest_first,
)
from services.rewards.domain.state.member import Member
from tests.unit.rewards.building import CUSTOMER, NOW
from tests.unit.rewards.points.posting import EARLIER, FOR_GOOD, PLAIN, RENEWED, WAITING, holding, start
from tests.unit.rewards.tiering.test_tier_policies import new_york


@pytest.mark.parametrize("cause", ["0123456789abcdef" * 2, "adj_1", ""])
def test_lot_numbers_are_stable_and_fit_a_bigint(cause: str) -> None:
    """Given a cause; when its lot is numbered; then always alike, and other parts of the cause get other numbers."""
    assert lot_number(cause) == lot_number(cause)
    assert 0 <= lot_number(cause) < 2**63
    assert lot_number(cause) != lot_number(cause, "milestone")


@pytest.mark.parametrize("waits", [True, False])
def test_a_lot_that_was_empty_when_its_waiting_was_over_waits_no_more(waits: bool):
    """Given a lot that a refund had emptied before its waiting was over; when the order is told anew and gives points
    after that; then these can be spent (they were pending once more, until time was looked at); before, they wait."""
    ready = NOW + timedelta(microseconds=1) if waits else NOW
    lot = holding(1, 0, pending=True, available_at=ready)
    member, changes = start(lot)
    ledger.earn(member, changes, lot, 5, rule="r", cause="c", at=EARLIER, key="k")
    assert (member.pending, member.available) == ((5, 0) if waits else (0, 5))


def test_points_given_at_once_end_as_if_nothing_waited():
    """Given a program whose points wait 14 days; when points are given that can be spent at once; then they last from
    then on, not from when others could be spent."""
    lot = ledger.open_lot(Member(CUSTOMER), 1, NOW, WAITING, now=NOW, at_once=True)
    assert lot == Lot(number=1, expires_at=datetime(2026, 9, 2, 4, tzinfo=UTC))


def test_a_lot_brought_in_step_is_written_although_nothing_moves():
    """Given a lot that another event has let last longer; when the member is brought up to date; then they are written;
    who has no such lot is not."""
    member, changes = start(holding(1, 5, changed=True))
    ledger.bring_up_to_date(member, changes, NOW)
    assert changes.members == {CUSTOMER: member}
    member, changes = start(holding(1, 5), holding(2, 0, changed=True))
    ledger.bring_up_to_date(member, changes, NOW)
    assert (changes.members, changes.entries) == ({}, [])


def test_a_new_lot_waits_and_ends_as_the_program_says():
    """Given programs with and without a waiting time, and with renewal; when a lot is opened; then it can be spent and
    ends when they say, and is the member's."""
    member = Member(CUSTOMER, part="part", renewed_since=EARLIER, renewed_until=FOR_EVER)
    plain = ledger.open_lot(member, 1, NOW, PLAIN, now=NOW)
    assert plain == Lot(number=1, expires_at=datetime(2027, 6, 2, 4, tzinfo=UTC), part="part")
    assert member.lots == {1: plain}

    over = NOW + timedelta(days=14)
    waiting = ledger.open_lot(member, 2, NOW, WAITING, now=NOW)
    end = datetime(2026, 9, 16, 4, tzinfo=UTC)
    assert waiting == Lot(number=2, expires_at=end, available_at=over, pending=True, part="part")
    assert ledger.open_lot(member, 3, NOW, WAITING, now=over - timedelta(microseconds=1)).pending
    assert not ledger.open_lot(member, 4, NOW, WAITING, now=over).pending

    renewed = ledger.open_lot(member, 5, NOW, RENEWED, now=NOW)
    assert (renewed.renewable, renewed.expires_at) == (True, FOR_EVER)


def test_points_wait_whole_local_days_though_the_clocks_change():
    """Given points that wait 14 days; when clocks go forward in that time; then they can be spent at the same local
    hour."""
    lot = ledger.open_lot(Member(CUSTOMER), 1, new_york(2026, 3, 1, 12), WAITING, now=NOW)
    assert lot.available_at == new_york(2026, 3, 15, 12)


def test_lots_are_numbered_by_what_they_are_for():
    """Given causes that are hashes, or not, and parts; when lots are numbered; then the same cause has the same number,
    of 63 bits, and others have others."""
    hash_ = "ffffffffffffffff" + "1" * 16
    assert lot_number(hash_) == 0xFFFFFFFFFFFFFFFF >> 1
    assert lot_number(hash_) == lot_number(hash_[:16] + "2" * 16)
    numbers = [lot_number("red_x"), lot_number("red_y"), lot_number(hash_, "a"), lot_number(hash_, "b")]
    assert numbers == [
        lot_number("red_x"),
        lot_number("red_y"),
        lot_number(hash_, "a"),
        lot_number(hash_, "b"),
    ]
    assert len({*numbers, lot_number(hash_)}) == 5
    assert all(0 <= number < 1 << 63 for number in numbers)
    assert numbers[0] == int.from_bytes(_digest("red_x/"), "big") >> 1


def _digest(words: str) -> bytes:
    return blake2b(words.encode(), digest_size=8, person=b"regulars.lot").digest()


@pytest.mark.parametrize(
    ("lot", "end", "changed"),
    [
        ({"expires_at": NOW}, NOW + timedelta(days=9), True),
        ({"expires_at": NOW, "renewable": False}, NOW, False),
        ({"expires_at": None}, None, False),
        ({"expires_at": EARLIER}, EARLIER, False),
        ({"expires_at": NOW + timedelta(days=9)}, NOW + timedelta(days=9), False),
        ({"expires_at": NOW, "remaining": 0, "expired": 3}, NOW, False),
        ({"expires_at": NOW, "remaining": 0, "expired": 0}, NOW + timedelta(days=9), False),
        ({"expires_at": NOW, "remaining": 0, "changed": True}, NOW + timedelta(days=9), True),
        ({"expires_at": NOW, "remaining": 1}, NOW + timedelta(days=9), True),
        ({"expires_at": NOW, "expired": 3}, NOW + timedelta(days=9), True),
    ],
    ids=[
        "lasts",
        "not renewable",
        "for ever",
        "ended by then",
        "lasts longer anyhow",
        "expired",
        "empty",
        "written anyhow",
        "one point",
        "some expired",
    ],
)
def test_a_lot_lasts_on_if_it_lasted_when_it_was_renewed(
    lot: dict[str, object], end: datetime | None, changed: bool
):
    """Given a lot, and a renewal since `EARLIER` for nine days from now; when it is brought in step; then it lasts on
    if it is renewable and had not ended, and the customer is to be told anew."""
    one = holding(1, 5)
    for name, value in {"renewable": True, "noticed": True, **lot}.items():
        setattr(one, name, value)
    keep_in_step(one, EARLIER, NOW + timedelta(days=9))
    assert (one.expires_at, one.changed) == (end, changed)
    assert one.noticed is (end == lot["expires_at"])
    before = one.expires_at
    keep_in_step(one, None, FOR_EVER)
    keep_in_step(one, EARLIER, None)
    assert one.expires_at == before


def test_what_expires_first_is_spent_first_and_what_never_does_last():
    """Given lots; when they are put in order; then by end, then by number, without empty and pending ones."""
    lots = [holding(1, 1), holding(4, 1, ends=NOW), holding(3, 1, ends=NOW), holding(2, 1, ends=EARLIER)]
    lots += [holding(5, 0, ends=EARLIER), holding(6, 1, ends=EARLIER, pending=True)]
    assert [lot.number for lot in oldest_first(lots)] == [2, 3, 4, 1]
    assert end_of_points(NOW, FOR_GOOD) is None
