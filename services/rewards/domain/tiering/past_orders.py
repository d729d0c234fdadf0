"""What counted towards tiers at a moment that is past: orders as they are, less what was told of them since."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import structs

from services.rewards.domain.state.baskets import Refund, refund_told
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.purchases import Purchase
from shared.contracts.activity import Activity


class NotToldError(Exception):
    """The records do not tell how the order was then."""


def before(purchase: Purchase, told: Sequence[Activity], later: Sequence[Activity]) -> Purchase:
    """The order before `later`, which is all that was told of it since then; `told` is what is known of before, in the
    order in which it was taken.

    What counts of it is as it was, when money or orders count; the points that it gave are not. Raises `NotToldError`.
    """
    then = structs.replace(purchase, refunds=dict(purchase.refunds))
    known: dict[str, Refund] = {}
    for refund_id, refund in _refunds(told):
        if refund_id not in known or refund.comes_before(known[refund_id]):
            known[refund_id] = refund
    for refund_id, refund in _refunds(later):
        if refund_id not in known:
            then.refunds.pop(refund_id, None)
        elif then.refunds.get(refund_id) == refund:
            then.refunds[refund_id] = known[refund_id]
    if any(each.type == "order.cancelled" for each in later):
        then.cancelled = any(each.type == "order.cancelled" for each in told)
    _tell_as_then(then, [each for each in told if _tells(each)], [each for each in later if _tells(each)])
    return then


def _refunds(told: Sequence[Activity]) -> Iterator[tuple[str, Refund]]:
    """The refunds that are told, each by its id."""
    for each in told:
        if each.type == "order.refunded":
            yield str(each.data["refund_id"]), refund_told(each)


def _tell_as_then(then: Purchase, told: Sequence[Activity], later: Sequence[Activity]) -> None:
    """The telling with the earliest time counts: put back the one of then, if another came later."""
    if then.placed_at is None:
        return
    if any(lot_number(each.id) == then.lot for each in later):
        then.placed_at = None  # the first of all came since
        return
    if not any(lot_number(each.id) == then.lot for each in told):
        raise NotToldError  # nor is it known what else was told of it by then
    if not any(_is_what_counts(each, then) for each in later):
        return
    first = min(told, key=lambda each: (each.time, lot_number(each.id)))  # as `orders` decides
    if str(first.data["currency"]) != then.currency or len({each.customer_id for each in told}) > 1:
        raise NotToldError  # whether it counted went by the program of then; whose telling, by a merge
    then.placed_at, then.total = first.time, Decimal(first.data["total"])


def _is_what_counts(told: Activity, purchase: Purchase) -> bool:
    return told.time == purchase.placed_at and Decimal(told.data["total"]) == purchase.total


def _tells(activity: Activity) -> bool:
    return activity.type == "order.completed"
