"""Why a ledger entry: its rule and event, and the lots that were touched, with where their points came from."""

from typing import Any

from services.rewards.adapters import explaining
from services.rewards.adapters.history import activities
from services.rewards.domain.explaining.entry_words import Origin, Story, entry_sentence
from services.rewards.domain.state.accounts import Kind
from services.rewards.entrypoints.customers import entry_view
from services.rewards.entrypoints.explaining.base import Teller
from services.rewards.entrypoints.explaining.schemas import Explanation, LotView
from shared.contracts.activity import Activity
from shared.http.problems import not_found

CHECKOUT = frozenset({Kind.RESERVE, Kind.CONFIRM, Kind.RELEASE, Kind.RETURN})
NUMBER_DIGITS_MAX = 18
LOTS_SHOWN = 200


async def explain_entry(teller: Teller, id_: str) -> Explanation:
    """Why there is the ledger entry of this id. Raises the 404 problem."""
    owner, _, number = id_.rpartition("-")
    customers = await explaining.family(teller.connection, teller.customer)
    known = owner in customers and number.isascii() and number.isdigit() and len(number) <= NUMBER_DIGITS_MAX
    row = await explaining.entry(teller.connection, owner, int(number)) if known else None
    if row is None:
        raise not_found("This customer has no such ledger entry.")
    activity = await activities.find(teller.connection, row.cause)
    # What is confirmed was taken from lots when it was put aside.
    kinds = [Kind.RESERVE if row.kind == Kind.CONFIRM else Kind(row.kind)]
    lots = await explaining.lots(
        teller.connection, customers, [owner], row.cause, kinds, most=LOTS_SHOWN, besides=row.lot
    )
    answer = await teller.base(row.rule, row.program_version, row.cause, activity)
    story = await _story(teller, row, customers, activity, lots)
    shown = {"sentence": entry_sentence(story), "ledger_entry": entry_view(row)}
    return answer.model_copy(update={**shown, **lots_view(lots)})


async def _story(
    teller: Teller, row: Any, customers: list[str], activity: Activity | None, lots: list[Any]
) -> Story:
    facts: dict[str, Any] = {}
    if row.kind in CHECKOUT:
        redemption = await explaining.redemption(teller.connection, row.cause)
        facts = {"redemption": row.cause, "order_id": redemption.order_id if redemption else None}
    elif row.kind == Kind.ADJUST:
        adjustment = await explaining.adjustment(teller.connection, row.cause)
        facts = {"reason": "no reason is known"}
        if adjustment is not None:
            facts = {"reason": adjustment.reason, "actor": adjustment.actor}
    elif row.kind in {Kind.EARN, Kind.REVERSE} and activity is not None:
        order_id = activity.data.get("order_id")
        purchase = (
            await explaining.purchase(teller.connection, customers, str(order_id)) if order_id else None
        )
        if purchase is not None:
            facts = {
                "order_id": purchase.order_id,
                "order_total": purchase.total,
                "currency": purchase.currency,
            }
    named = activity is not None and activity.event_id
    return Story(
        kind=row.kind,
        debit=row.debit,
        points=row.points,
        rule=row.rule,
        version=row.program_version,
        event=f"{activity.type} {activity.event_id} from {activity.source}" if activity and named else None,
        event_type=activity.type if activity is not None else None,
        event_at=activity.time if activity is not None else None,
        origin=_origin(row, lots),
        **facts,
    )


def _origin(row: Any, lots: list[Any]) -> Origin | None:
    """Where the points of the entry's lot came from, if it did not fill it itself."""
    lot = next((lot for lot in lots if lot.lot == row.lot), None)
    if lot is None or lot.filled_at is None or row.kind in {Kind.EARN, Kind.ADJUST, Kind.REVERSE}:
        return None
    rule = lot.rules[0] if lot.rules else None
    return Origin(rule=rule, at=lot.filled_at, order_id=lot.order_id)


def lots_view(lots: list[Any]) -> dict[str, Any]:
    """The fields of an explanation that tell of lots: how many were touched, and those that expire first."""
    return {
        "lots": [_lot_view(lot) for lot in lots[:LOTS_SHOWN]],
        "lots_in_all": lots[0].in_all if lots else 0,
    }


def _lot_view(lot: Any) -> LotView:
    return LotView(
        lot=f"{lot.lot:016x}",
        points=lot.points,
        remaining=lot.remaining,
        expired=lot.expired,
        expires_at=lot.expires_at,
        moved=lot.moved,
        rules=lot.rules or [],
        order_id=lot.order_id,
    )
