"""An order that is undone (cancelled, or refunded in full) gives back what was used for it: points and codes."""

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.state.redemptions import CodeUse, Status, stock_of
from shared.contracts.activity import Activity

STANDING = frozenset({Status.RESERVED, Status.CONFIRMED})


def give_back(
    member: Member, purchase: Purchase, activity: Activity, rulebook: Rulebook, changes: Changes
) -> None:
    """Give back, unless the order stands. Once: what was given back stays so, whatever is told of the order later.

    Needs the redemptions and uses of codes for the order, and the lots that those redemptions took from.
    """
    if not purchase.undone():
        return
    for redemption in member.redemptions.get(purchase.order_id, ()):
        if redemption.status in STANDING:
            checkout.give_back(member, redemption, rulebook.program, changes)
    for use in member.code_uses.get(purchase.order_id, ()):
        if use.undone_at is None:
            undo_use(member, use, changes, cause=activity.id, historical=activity.historical)


def undo_use(member: Member, use: CodeUse, changes: Changes, *, cause: str, historical: bool = False) -> None:
    """The code may be used once more, as long as it is valid."""
    use.undone_at = changes.now
    changes.touch(member)
    changes.undone_uses.append(use)
    item = stock_of("offer", use.offer)
    changes.stock[item] = changes.stock.get(item, 0) - 1
    changes.tell(
        member,
        "offer.released",
        id_=f"{use.id}/released",
        cause=cause,
        data={"code": use.code, "offer": use.offer, "order_id": use.order_id},
        historical=historical,
    )
