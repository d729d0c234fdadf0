"""A refusal as it is remembered for a while: what was asked for, why it was refused, and what the customer had then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Asked(StrEnum):
    """What a checkout asked for."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    RELEASE = "release"
    CODE = "code"


UNREMEMBERED = frozenset(
    {
        "unknown_customer",
        "unknown_redemption",
        "idempotency_key_reused",
        "too_many_attempts",
        "offer_unknown",
    }
)
"""Codes of refusals that concern no customer, or the caller alone; and of guesses, of which nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One refusal. `request_id` is that of the answer (`X-Request-Id`); `asked` holds what the request named (points,
    reward, code, order), `figures` what the answer told beside its words; the balances and the tier are those of the
    customer right after it."""

    request_id: str
    at: datetime
    what: Asked
    code: str
    detail: str
    asked: Mapping[str, Any]
    figures: Mapping[str, Any]
    program_version: int
    available: int
    pending: int
    reserved: int
    tier: str | None


def refusal_sentence(refused: Refused) -> str:
    """One sentence about a refusal."""
    held = f"{refused.available} points were available then, {refused.pending} pending and {refused.reserved} put aside"
    return (
        f"{_wish(refused)} was refused on {refused.at:%d %B %Y at %H:%M} UTC ({refused.code}):"
        f" {refused.detail.rstrip('.')}; {held}."
    )


def _wish(refused: Refused) -> str:
    asked = refused.asked
    order = f" for order {asked['order_id']}" if asked.get("order_id") else ""
    match refused.what:
        case Asked.RESERVE if asked.get("reward"):
            return f"Reward {asked['reward']}{order}"
        case Asked.RESERVE:
            return f"Putting {asked.get('points')} points aside{order}"
        case Asked.CODE:
            return f"Code {asked.get('code')}{order}"
    done = "Confirming" if refused.what is Asked.CONFIRM else "Releasing"
    return f"{done} redemption {asked.get('redemption')}"
