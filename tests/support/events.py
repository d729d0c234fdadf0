"""Events for tests."""

from typing import Any


def order(number: int = 1, *, customer: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An order that is right; `changes` replace fields of its data."""
    return event(
        "order.completed",
        id=f"order-{number}",
        customer=customer,
        **{
            "order_id": str(number),
            "currency": "USD",
            "total": "49.20",
            "channel": "web",
            "lines": [
                {"sku": "A-1", "name": "Mug", "category": "Kitchen", "quantity": 4, "unit_price": "12.30"}
            ],
            **changes,
        },
    )


def event(
    type_: str,
    *,
    id: str = "event-1",  # noqa: A002  # CloudEvents names it so
    customer: dict[str, Any] | None = None,
    time: str = "2026-06-01T10:00:00Z",
    **data: Any,
) -> dict[str, Any]:
    """An event of any type, by customer `c-42` unless told otherwise."""
    who = {"id": "c-42", "email": "ana@example.com"} if customer is None else customer
    return {"id": id, "source": "shop", "type": type_, "time": time, "data": {"customer": who, **data}}
