"""Refusals: what a caller asks for and may not have. A refusal changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class RefusedError(Exception):
    """A refusal with its stable `code` and the HTTP status that it is answered with; `extra` holds figures that help
    the caller, such as the points that are available."""

    status: int
    code: str
    title: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)

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
    """The redemption went another way: code `redemption_confirmed`, `redemption_released` or `redemption_expired`."""
    return RefusedError(
        409,
        f"redemption_{status}",
        f"Redemption {status}",
        f"The redemption is {status} already.",
        {"redemption_status": status},
    )


def key_reused() -> RefusedError:
    """The Idempotency-Key came before with another body."""
    return RefusedError(
        422,
        "idempotency_key_reused",
        "Idempotency key reused",
        "This Idempotency-Key came before with another body. Use a new key for a new intent.",
    )
