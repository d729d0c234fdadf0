"""Ana and Ben, whose orders earn; and what scoring tells when they become one member, or a part of one moves."""

from shared.contracts.activity import Activity
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity

ANA = "cus_aaaaaaaaaaaaaaaaaaaaaaaa"
BEN = "cus_bbbbbbbbbbbbbbbbbbbbbbbb"
MAIL = "cus_mmmmmmmmmmmmmmmmmmmmmmmm"


def order(name: str, customer: str, total: str = "50.00", part: str = "") -> Activity:
    """An order that earns a point per dollar."""
    made = activity("order.completed", name, customer=customer, order_id=name, currency="USD", total=total)
    return _with(made, part)


def _with(made: Activity, part: str) -> Activity:
    return Activity(**{field: getattr(made, field) for field in Activity.__struct_fields__} | {"part": part})


def went(type_: str, source: str, target: str, parts: list[str], epoch: int) -> Activity:
    """A record of scoring: these parts of `source` are `target`'s."""
    return activity(type_, f"{type_}-{epoch}", customer=target, **{"from": source}, parts=parts, epoch=epoch)


async def points(rewards: Rewards) -> dict[str, tuple[int, int]]:
    """By customer what can be spent, and what was earned."""
    rows = await rewards.rows("SELECT customer_id, available - debt, lifetime_earned FROM rewards.members")
    return {customer: (int(available), int(earned)) for customer, available, earned in rows}


async def both(rewards: Rewards) -> None:
    """Ana with 100 + 50 points, Ben with 100 + 70."""
    for customer, name, total in ((ANA, "a1", "50.00"), (BEN, "b1", "70.00")):
        await rewards.happen(
            activity("customer.registered", f"reg-{name}", customer=customer), order(name, customer, total)
        )
