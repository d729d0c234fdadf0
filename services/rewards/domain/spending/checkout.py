"""Spending at the checkout: reserve points, then confirm or release them. Each function refuses before it changes."""

from decimal import Decimal

from services.rewards.domain import refusals
from services.rewards.domain.changes import Changes
from services.rewards.domain.points import ledger
from services.rewards.domain.spending import terms
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.terms import Claimant
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot, lot_number
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Redemption, Status, stock_of, worth
from services.rewards.domain.tiering.tiers import current_level
from shared.program.model.offers import Gift, Reward
from shared.program.model.program import Program
from shared.program.sections.points.points import RESERVE_FOR


def reserve(
    member: Member, program: Program, changes: Changes, *, id_: str, points: int, order_id: str | None
) -> Redemption:
    """Put points aside for a checkout, oldest first. Needs the lots that are due, and the
    oldest ones that have so many points.

    Raises `RefusedError` when the program redeems nothing, or not so little, or the member has fewer points.
    """
    redeem = program.points.redeem
    if redeem is None:
        raise refusals.not_redeemable()
    if points < redeem.minimum:
        raise refusals.below_minimum(redeem.minimum)
    value = worth(points, redeem, program.currency)
    return _put_aside(member, program, changes, id_=id_, points=points, order_id=order_id, value=value)


def reserve_reward(  # noqa: PLR0917
    member: Member,
    program: Program,
    changes: Changes,
    reward: Reward,
    cart: Cart,
    claimant: Claimant,
    *,
    id_: str,
) -> Redemption:
    """Put the points aside that a reward costs, and the reward itself. Needs the same lots as `reserve`.

    Raises `RefusedError` when one of its terms is not met, or the member has fewer points.
    """
    missing = terms.unmet(reward, cart, claimant, program, changes.now)
    if missing is not None:
        raise missing.refusal("reward")
    value = None
    if reward.percent is not None or reward.amount is not None:
        value = terms.discount(reward, cart, program)
        value = reward.amount if value is None else value
    redemption = _put_aside(
        member,
        program,
        changes,
        id_=id_,
        points=reward.points,
        order_id=cart.order_id,
        value=value,
        reward=reward,
    )
    _count(redemption, changes, 1)
    return redemption


def _put_aside(
    member: Member,
    program: Program,
    changes: Changes,
    *,
    id_: str,
    points: int,
    order_id: str | None,
    value: Decimal | None,
    reward: Reward | None = None,
) -> Redemption:
    now = changes.now
    available = ledger.spendable_at(member, now)
    if points > available:
        raise refusals.insufficient_points(points, available)
    ledger.bring_up_to_date(member, changes, now)
    taken = ledger.draw(member, points)
    for lot, part in taken:
        _post(
            member,
            changes,
            Kind.RESERVE,
            (Account.AVAILABLE, Account.RESERVED),
            part,
            lot=lot.number,
            redemption=id_,
        )
    lasts = program.points.redeem.reserve_for if program.points.redeem is not None else RESERVE_FOR
    redemption = Redemption(
        id=id_,
        customer_id=member.customer_id,
        order_id=order_id,
        points=points,
        value=value,
        currency=program.currency,
        status=Status.RESERVED,
        reserved_at=now,
        expires_at=lasts.after(now, program.time_zone),
        taken=[(lot.number, part) for lot, part in taken],
        program_version=program.version,
        reward=reward.id if reward is not None else None,
        gives=gift_of(reward) if reward is not None else None,
    )
    changes.redemptions.append(redemption)
    _tell(member, changes, "points.reserved", redemption)
    return redemption


def tier_of(member: Member, program: Program) -> str | None:
    """The tier that the member is in, by its id."""
    if program.tiers is None:
        return None
    return program.tiers.levels[current_level(program.tiers, member)].id


def gift_of(given: Gift) -> Gift:
    """What is given, without its terms and its price."""
    return Gift(**{name: getattr(given, name) for name in Gift.__dataclass_fields__})


def confirm(member: Member, redemption: Redemption, changes: Changes) -> None:
    """Spend reserved points for good. Confirming again changes nothing.

    Raises `RefusedError` for a redemption that was released, or whose time is over, to the moment.
    """
    if redemption.status is Status.CONFIRMED:
        return
    if redemption.status is not Status.RESERVED:
        raise refusals.redemption_ended(redemption.status)
    if redemption.expires_at <= changes.now:
        raise refusals.redemption_ended(Status.EXPIRED)
    _post(
        member,
        changes,
        Kind.CONFIRM,
        (Account.RESERVED, Account.REDEEMED),
        redemption.points,
        lot=None,
        redemption=redemption.id,
    )
    _end(redemption, Status.CONFIRMED, changes)
    _tell(member, changes, "points.spent", redemption)


def release(
    member: Member, redemption: Redemption, changes: Changes, *, status: Status = Status.RELEASED
) -> None:
    """Give reserved points back to the lots they came from; a debt is paid from them first. Releasing again changes
    nothing. Needs those lots, and those that are due. Raises `RefusedError` for a redemption that was confirmed."""
    if redemption.status in {Status.RELEASED, Status.EXPIRED, Status.RETURNED}:
        return
    if redemption.status is Status.CONFIRMED:
        raise refusals.redemption_ended(redemption.status)
    over = redemption.expires_at if status is Status.EXPIRED else changes.now
    ledger.bring_up_to_date(member, changes, min(over, changes.now))  # in the order in which it became due
    for number, part in redemption.taken:
        lot = member.lots[number]
        lot.remaining += part
        lot.changed = True
        _post(
            member,
            changes,
            Kind.RELEASE,
            (Account.RESERVED, Account.AVAILABLE),
            part,
            lot=number,
            redemption=redemption.id,
        )
    _end(redemption, status, changes)
    ledger.settle(member, changes, cause=redemption.id, at=changes.now)
    _tell(member, changes, "points.released", redemption)


def give_back(member: Member, redemption: Redemption, program: Program, changes: Changes) -> None:
    """The order is undone: what it had put aside is released, what was spent on it returns to the lots it came from,
    with the time those have left; a debt is paid from it first. Doing it again changes nothing. Needs those lots; for
    one that went to another customer since, the points get a lot of their own."""
    if redemption.status is not Status.CONFIRMED:
        release(member, redemption, changes)
        return
    ledger.bring_up_to_date(member, changes, changes.now)
    for number, part in redemption.taken:
        lot = member.lots.get(number) or _new_lot(member, redemption, number, program, changes)
        lot.remaining += part
        lot.points = max(lot.points, lot.remaining + lot.expired)
        lot.changed = True
        _post(
            member,
            changes,
            Kind.RETURN,
            (Account.REDEEMED, Account.AVAILABLE),
            part,
            lot=lot.number,
            redemption=redemption.id,
        )
    _end(redemption, Status.RETURNED, changes)
    ledger.settle(member, changes, cause=redemption.id, at=changes.now)
    _tell(member, changes, "points.returned", redemption)


def _new_lot(member: Member, redemption: Redemption, number: int, program: Program, changes: Changes) -> Lot:
    own = lot_number(redemption.id, str(number))
    return ledger.open_lot(member, own, changes.now, program, now=changes.now, at_once=True)


def _post(
    member: Member,
    changes: Changes,
    kind: Kind,
    accounts: tuple[Account, Account],
    points: int,
    *,
    lot: int | None,
    redemption: str,
) -> None:
    key = f"{kind}/{redemption}" if lot is None else f"{kind}/{redemption}/{lot}"
    changes.post(
        member, kind, *accounts, points, lot=lot, rule=None, cause=redemption, at=changes.now, key=key
    )


def _end(redemption: Redemption, status: Status, changes: Changes) -> None:
    redemption.status = status
    redemption.ended_at = changes.now
    changes.redemptions.append(redemption)
    if status is not Status.CONFIRMED:
        _count(redemption, changes, -1)


def _count(redemption: Redemption, changes: Changes, many: int) -> None:
    """What is put aside is out of the stock until it comes back."""
    if redemption.reward is not None:
        item = stock_of("reward", redemption.reward)
        changes.stock[item] = changes.stock.get(item, 0) + many


def _tell(member: Member, changes: Changes, type_: str, redemption: Redemption) -> None:
    changes.tell(
        member,
        type_,
        id_=f"{redemption.id}/{redemption.status}",
        cause=redemption.id,
        data={
            "redemption": redemption.id,
            "order_id": redemption.order_id,
            "reward": redemption.reward,
            "points": redemption.points,
            "value": redemption.value,
            "status": redemption.status,
            "available": member.spendable(),
        },
    )
