"""Reserve, confirm, release, adjust: what they move and what they refuse."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.accounts import Account, Entry, Kind
from services.rewards.domain.state.lots import Lot
from services.rewards.domain.state.redemptions import Redemption, Status, worth
from shared.contracts.outcomes import Outcome
from shared.program.model.program import Redeem
from shared.program.values.period import Period
from tests.unit.rewards.building import CUSTOMER, NOW, Life, order


def reserve(life: Life, points: int, id_: str = "red_1") -> Redemption:
    """Reserve points."""
    return checkout.reserve(
        life.member, life.rules.program, life.changes, id_=id_, points=points, order_id="77"
    )


def test_points_that_expire_first_are_spent_first() -> None:
    """Given a later order that arrived first; when points are spent; then those of the older order go."""
    life = Life().happen(order("new", "200", at=NOW), order("old", "200", at=NOW - timedelta(days=90)))

    redemption = reserve(life, 250)

    old, new = redemption.taken
    assert (old[1], new[1]) == (200, 50)
    assert life.member.lots[old[0]].expires_at < life.member.lots[new[0]].expires_at  # type: ignore[operator]
    assert redemption.value == Decimal("2.50")


def test_lots_past_their_last_day_cannot_be_spent_even_before_the_job_came_by() -> None:
    """Given points whose last day is over; when they are asked for; then they are not there."""
    life = Life().happen(order("1", "200"))
    life.now = life.changes.now = NOW + timedelta(days=366)

    with pytest.raises(RefusedError) as refused:
        reserve(life, 100)

    assert refused.value.code == "insufficient_points"
    assert refused.value.extra == {"available": 0}
    assert life.kinds() == [("earn", "purchase", 200)]


def test_what_is_past_its_last_day_expires_before_anything_is_taken() -> None:
    """Given points whose last day is over, of which nobody knows yet, and others; when some are reserved; then they are
    those that can still be spent, and the old ones have expired, first."""
    life = Life().happen(order("1", "200"), order("2", "200", at=NOW + timedelta(days=90)))
    old, new = life.member.lots
    life.now = life.changes.now = NOW + timedelta(days=366)

    redemption = reserve(life, 150)

    assert redemption.taken == [(new, 150)]
    assert [(entry.kind, entry.lot, entry.points) for entry in life.changes.entries[2:]] == [
        (Kind.EXPIRE, old, 200),
        (Kind.RESERVE, new, 150),
    ]
    assert (life.member.available, life.member.reserved) == (50, 150)


def test_points_live_through_their_last_day_in_the_programs_zone() -> None:
    """Given points of 1 June; when it is 23:59 in New York a year later; then they can still be spent."""
    life = Life().happen(order("1", "200"))
    life.now = life.changes.now = NOW.replace(year=2027, month=6, day=2, hour=3, minute=59)

    assert reserve(life, 100).status is Status.RESERVED


def test_release_gives_points_back_to_their_lots() -> None:
    """Given a reservation over two lots; when it is released; then both hold what they held."""
    life = Life().happen(order("1", "100"), order("2", "100"))
    before = {number: lot.remaining for number, lot in life.member.lots.items()}
    redemption = reserve(life, 150)

    checkout.release(life.member, redemption, life.changes)
    checkout.release(life.member, redemption, life.changes)

    assert {number: lot.remaining for number, lot in life.member.lots.items()} == before
    assert (life.member.available, life.member.reserved) == (200, 0)


def test_a_confirmed_redemption_cannot_be_released_nor_a_released_one_confirmed() -> None:
    """Given two reservations; when one is confirmed, one released; then neither can go the other way."""
    life = Life().happen(order("1", "300"))
    spent, given_back = reserve(life, 100), reserve(life, 100, "red_2")
    checkout.confirm(life.member, spent, life.changes)
    checkout.confirm(life.member, spent, life.changes)
    checkout.release(life.member, given_back, life.changes)

    with pytest.raises(RefusedError, match="redemption_confirmed"):
        checkout.release(life.member, spent, life.changes)
    with pytest.raises(RefusedError, match="redemption_released"):
        checkout.confirm(life.member, given_back, life.changes)
    assert (life.member.available, life.member.reserved) == (200, 0)


def test_a_reservation_cannot_be_confirmed_at_the_moment_it_ends() -> None:
    """Given a reservation; when its time is over to the microsecond; then confirm is refused, and not before."""
    life = Life().happen(order("1", "300"))
    first, second = reserve(life, 100), reserve(life, 100, "red_2")

    life.changes.now = first.expires_at - timedelta(microseconds=1)
    checkout.confirm(life.member, first, life.changes)
    life.changes.now = second.expires_at
    with pytest.raises(RefusedError, match="redemption_expired"):
        checkout.confirm(life.member, second, life.changes)


@pytest.mark.parametrize(("points", "code"), [(99, "below_minimum"), (301, "insufficient_points")])
def test_refusals_change_nothing(points: int, code: str) -> None:
    """Given 300 points; when too few or too many are asked for; then nothing is posted."""
    life = Life().happen(order("1", "300"))

    with pytest.raises(RefusedError, match=code):
        reserve(life, points)

    assert life.kinds() == [("earn", "purchase", 300)]
    assert life.member.available == 300


def test_an_adjustment_never_goes_below_zero() -> None:
    """Given 30 points; when 31 are taken by hand, then 30; then the first is refused, the second leaves none."""
    life = Life().happen(order("1", "30"))

    with pytest.raises(RefusedError, match="insufficient_points"):
        adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_1", points=-31, reason="x")
    adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_2", points=-30, reason="x")

    assert life.member.available == 0


def test_points_given_by_hand_pay_a_debt_first() -> None:
    """Given 100 points owed; when 130 are given; then 30 can be spent."""
    life = Life()
    life.member.debt = 100

    adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_1", points=130, reason="x")

    assert (life.member.available, life.member.debt) == (30, 0)


@pytest.mark.parametrize(
    ("points", "value", "per", "currency", "money"),
    [
        (250, "1.00", 100, "USD", "2.50"),
        (199, "5.00", 300, "USD", "3.31"),
        (299, "499", 300, "JPY", "497"),
        (299, "5.000", 301, "KWD", "4.966"),
        (1, "0.01", 2, "USD", "0.00"),
        (100, "1", 100, "XXX", "1.00"),
    ],
)
def test_points_are_worth_whole_units_of_the_currency_rounded_down(
    points: int, value: str, per: int, currency: str, money: str
) -> None:
    """Given what points are worth; then so many stand for this money, never for more than their share."""
    redeem = Redeem(points=per, value=Decimal(value), minimum=1, reserve_for=Period.parse("PT30M"))
    assert str(worth(points, redeem, currency)) == money


def test_a_reservation_is_written_to_the_last_field() -> None:
    """Given 300 points; when 250 of them are reserved; then the redemption, its entry and its outcome say all there is
    to say."""
    life, lot = one_lot(300)

    redemption = reserve(life, 250)

    assert redemption == Redemption(
        id="red_1",
        customer_id=CUSTOMER,
        order_id="77",
        points=250,
        value=Decimal("2.50"),
        currency="USD",
        status=Status.RESERVED,
        reserved_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
        taken=[(lot.number, 250)],
        program_version=1,
    )
    assert life.changes.redemptions == [redemption]
    reserved = (Account.AVAILABLE, Account.RESERVED)
    assert_moved(life, Kind.RESERVE, reserved, lot.number, f"reserve/red_1/{lot.number}")
    assert_told(life, "points.reserved", "reserved", 50)


def test_a_confirmation_is_written_to_the_last_field() -> None:
    """Given a reservation; when it is confirmed later; then its entry, its outcome and its end say so."""
    life, _ = one_lot(300)
    redemption = reserve(life, 250)
    life.changes.now = NOW + timedelta(minutes=1)

    checkout.confirm(life.member, redemption, life.changes)

    assert (redemption.status, redemption.ended_at) == (Status.CONFIRMED, life.changes.now)
    assert life.changes.redemptions == [redemption, redemption]
    assert_moved(life, Kind.CONFIRM, (Account.RESERVED, Account.REDEEMED), None, "confirm/red_1")
    assert_told(life, "points.spent", "confirmed", 50)


@pytest.mark.parametrize("status", [Status.RELEASED, Status.EXPIRED])
def test_a_release_is_written_to_the_last_field(status: Status) -> None:
    """Given a reservation; when it is given back, by the checkout or by time; then its entry, its outcome and its end
    say so, and the lot is written."""
    life, lot = one_lot(300)
    redemption = reserve(life, 250)
    life.changes.now = NOW + timedelta(hours=1)
    lot.changed = False

    checkout.release(life.member, redemption, life.changes, status=status)

    assert (redemption.status, redemption.ended_at) == (status, life.changes.now)
    assert life.changes.redemptions == [redemption, redemption]
    assert (lot.remaining, lot.changed) == (300, True)
    released = (Account.RESERVED, Account.AVAILABLE)
    assert_moved(life, Kind.RELEASE, released, lot.number, f"release/red_1/{lot.number}")
    assert_told(life, "points.released", status, 300)


def test_what_comes_back_pays_a_debt_in_the_name_of_the_redemption() -> None:
    """Given a reservation, and points owed since; when it is given back; then these are paid from it at once."""
    life, _ = one_lot(300)
    redemption = reserve(life, 250)
    life.member.debt = 60

    checkout.release(life.member, redemption, life.changes)

    assert (life.member.available, life.member.debt) == (240, 0)
    paid = life.changes.entries[-1]
    assert (paid.kind, paid.points, paid.cause, paid.at) == (Kind.SETTLE, 60, "red_1", NOW)


@pytest.mark.parametrize(("status", "left"), [(Status.EXPIRED, 50), (Status.RELEASED, 0)])
def test_points_that_came_due_while_others_were_reserved_follow_in_order(status: Status, left: int) -> None:
    """Given a reservation of a part of a lot whose last day passes; when it is given back after that; then the rest of
    the lot has expired before it, unless the reservation had ended of itself earlier: then both are still there, and
    expire together."""
    life, lot = one_lot(300)
    redemption = reserve(life, 250)
    assert lot.expires_at is not None
    redemption.expires_at = lot.expires_at - timedelta(minutes=1)
    life.changes.now = lot.expires_at + timedelta(minutes=1)

    checkout.release(life.member, redemption, life.changes, status=status)

    assert life.member.available == 250 + left
    assert (Kind.EXPIRE in {entry.kind for entry in life.changes.entries}) is (left == 0)


def one_lot(points: int) -> tuple[Life, Lot]:
    """A member with the points of one order, and their lot."""
    life = Life().happen(order("1", str(points)))
    return life, *life.member.lots.values()


def assert_moved(
    life: Life, kind: Kind, accounts: tuple[Account, Account], lot: int | None, key: str
) -> None:
    """The last entry is of this kind, between these accounts, for the test's redemption."""
    number, now = life.member.entries, life.changes.now
    assert life.changes.entries[-1] == Entry(
        CUSTOMER, number, now, now, kind, *accounts, 250, lot, None, "red_1", 1, key
    )


def assert_told(life: Life, type_: str, status: str, available: int) -> None:
    """The last outcome tells of the test's redemption."""
    assert life.changes.outcomes[-1] == Outcome(
        id=f"red_1/{status}",
        customer_id=CUSTOMER,
        type=type_,
        time=life.changes.now,
        cause="red_1",
        program_version=1,
        data={
            "redemption": "red_1",
            "order_id": "77",
            "reward": None,
            "points": 250,
            "value": Decimal("2.50"),
            "status": status,
            "available": available,
        },
    )
