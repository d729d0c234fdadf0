"""Which arm of a campaign a customer is in: by a stable hash, and for good once there was a run."""

from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from math import log
from typing import Final

from shared.program.model.campaigns import HOLDOUT, TREATED

__all__ = ["HOLDOUT", "TREATED", "arm_of"]

_STEPS: Final = 2**52  # and a half of each is still exact in a float


def arm_of(
    customer: str,
    campaign: str,
    salt: bytes,
    *,
    holdout: Decimal | None = None,
    variants: Mapping[str, Decimal] | None = None,
    before: str | None = None,
) -> str:
    """The arm of a customer in a campaign: `HOLDOUT`, the id of a variant, or `TREATED` where there are no variants.

    `holdout` is the share that is left alone, in percent. `variants` says how much each weighs beside the others; all
    are above zero. `before` is the arm of the customer's first run of this campaign: it stays as long as the campaign
    has it, whatever shares are now, so that nobody is ever moved from one treatment to another. An arm that is no more
    leaves its customers to those that are: who was not held out is not held out then, either.

    For customers without a run, arms move as little as shares do: a larger hold-out only takes in, a smaller one only
    lets go, a new variant only takes from the others, and their order in the file does not matter. Campaigns are
    independent of each other, and so are the hold-out and the variants. `salt` makes installations differ.
    """
    weights = variants or {TREATED: Decimal(1)}
    assert all(weight > 0 for weight in weights.values())
    if before is not None and (before in weights or (before == HOLDOUT and holdout)):
        return before
    if before is None and holdout and _point(customer, campaign, salt, HOLDOUT) * 100 < holdout:
        return HOLDOUT
    if len(weights) == 1:
        return next(iter(weights))  # as mostly: no experiment
    claims = {arm: _claim(_point(customer, campaign, salt, arm), weight) for arm, weight in weights.items()}
    return max(claims, key=claims.__getitem__)


def _claim(point: float, weight: Decimal) -> float:
    """How strongly an arm claims a customer: the strongest claim is each arm's with a chance of its weight (weighted
    rendezvous hashing; the logarithm makes the points exponential variables, of which the least is a race that the
    rates win in proportion)."""
    return float(weight) / -log(point)


def _point(*parts: str | bytes) -> float:
    """Even between 0 and 1, neither included, and the same for the same parts for ever."""
    digest = blake2b(digest_size=8)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return (int.from_bytes(digest.digest(), "big") % _STEPS + 0.5) / _STEPS
