"""Refusals: what a caller asks for and may not have. A refusal changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class RefusedError(Exception):
    """A refusal with its stable `code` and the HTTP status that it is answered with; `extra` holds figures that help
    the caller, such as the points that are available; `pointer` names the part of the body that it is about."""

    status: int
    code: str
    title: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    pointer: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def unknown_customer() -> RefusedError:
    """Nobody goes by that id."""
    return RefusedError(404, "unknown_customer", "Unknown customer", "No customer goes by this id.")


def insufficient_points(asked: int, available: int) -> RefusedError:
    """There are fewer points than asked for."""
    return RefusedError(
        409,
        "insufficient_points",
        "Not enough points",
        f"{asked} points were asked for; {available} are available.",
        {"available": available},
    )


def below_minimum(minimum: int) -> RefusedError:
    """The program redeems more at once, or nothing."""
    return RefusedError(
        422,
        "below_minimum",
        "Below the minimum",
        f"At least {minimum} points are redeemed at once.",
        {"minimum": minimum},
    )


def not_redeemable() -> RefusedError:
    """The program says nothing of what points are worth."""
    return RefusedError(
        422, "points_not_redeemable", "Points not redeemable", "The program does not let points be redeemed."
    )


def unknown_redemption() -> RefusedError:
    """There is no such redemption."""
    return RefusedError(
        404, "unknown_redemption", "Unknown redemption", "There is no redemption with this id."
    )


def redemption_ended(status: str) -> RefusedError:
    """The redemption went another way: code `redemption_confirmed`, `_released`, `_expired` or `_returned`."""
    return RefusedError(
        409,
        f"redemption_{status}",
        f"Redemption {status}",
        f"The redemption is {status} already.",
        {"redemption_status": status},
    )


def unknown_reward(name: str) -> RefusedError:
    """The catalogue has no such reward."""
    detail = f"The program has no reward {name!r}. GET /v1/rewards lists those there are."
    return RefusedError(404, "reward_unknown", "Unknown reward", detail, pointer="/reward")


def code_not_used(order_id: str) -> RefusedError:
    """There is no use of the code that could be given back."""
    detail = f"The customer has not used this code for order {order_id}."
    return RefusedError(404, "offer_not_used", "Code not used", detail)


def order_cancelled(order_id: str) -> RefusedError:
    """Nothing can be used for an order that is undone."""
    return RefusedError(
        409,
        "order_cancelled",
        "Order cancelled",
        f"Order {order_id} was cancelled, or refunded in full. Use another order id for a new order.",
        {"order_id": order_id},
    )


def too_many_attempts(retry_after_s: int) -> RefusedError:
    """The customer has tried so many unknown codes that no code is looked at for a while."""
    return RefusedError(
        429,
        "too_many_attempts",
        "Too many unknown codes",
        f"This customer has tried too many unknown codes. Try again in {retry_after_s} seconds.",
        {"retry_after": retry_after_s},
    )


def key_reused() -> RefusedError:
    """The Idempotency-Key came before with another body."""
    return RefusedError(
        422,
        "idempotency_key_reused",
        "Idempotency key reused",
        "This Idempotency-Key came before with another body. Use a new key for a new intent.",
    )
