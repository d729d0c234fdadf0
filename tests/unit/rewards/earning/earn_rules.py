"""Programs of a few earn rules, lines of orders, and what is left of what each rule gave."""

from typing import Any

from services.rewards.domain.rulebook import Rulebook
from tests.unit.rewards.building import Life, rulebook

HEAD = "name: T\ncurrency: USD\ntime_zone: America/New_York\n"
TIERS = """
tiers:
  basis: {spend_over: P12M}
  levels: [{id: member, name: M}, {id: gold, name: G, at: 200}, {id: top, name: T, at: 1000}]
"""
PURCHASE = "{id: purchase, on: order.completed, points_per_unit: 1}"


def rules(*earn: str, count: str = "{}") -> Rulebook:
    """A program of these earn rules."""
    listed = "".join(f"    - {rule}\n" for rule in earn)
    return rulebook(f"{HEAD}points:\n  count: {count}\n  earn:\n{listed}{TIERS}")


def line(sku: str, quantity: int, price: str, category: str | None = None, **more: Any) -> dict[str, Any]:
    """A line of an order."""
    return {"sku": sku, "quantity": quantity, "unit_price": price, "category": category, **more}


def back(sku: str, quantity: int, amount: str | None = None) -> dict[str, Any]:
    """A line of a refund."""
    return {"sku": sku, "quantity": quantity, "amount": amount}


LINES = [line("mug", 4, "10", "Kitchen"), line("gift", 1, "50", "Gift cards"), line("hat", 1, "10")]


def earned(life: Life) -> dict[str | None, int]:
    """Points that are left of what each rule gave."""
    left: dict[str | None, int] = {}
    for kind, rule, points in life.kinds():
        left[rule] = left.get(rule, 0) + (points if kind == "earn" else -points)
    return left
