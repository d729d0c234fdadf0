"""Plain words for why a customer has a tier, or not."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.program.describing.describe import describe_reached
from shared.program.model.tiers import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStory:
    """What a sentence about a change of tier may speak of. `amount` is what counted then, `at` from how much on the
    tier is reached (0 for the first), both in units of `basis`; `given` says who gave it by hand and why."""

    new: str
    old: str | None
    reason: str
    amount: Decimal
    at: Decimal
    basis: Basis
    currency: str
    until: datetime | None = None
    event: str | None = None
    given: str | None = None


def tier_sentence(story: TierStory) -> str:
    """One sentence about a change of tier."""
    counted = describe_reached(story.amount, story.basis, story.currency)
    begins = f"; it begins at {describe_reached(story.at, story.basis, story.currency)}" if story.at else ""
    because = f", because of {story.event}" if story.event else ""
    until = f" until {story.until:%d %B %Y}" if story.until is not None else ""
    by_hand = f" ({story.given})" if story.given else ""
    new, old = f"Tier {story.new}", story.old or "the first one"
    sentences = {
        "spend": f"{new} was reached with {counted}{because}{begins}.",
        "review": f"{new} after review, as its time was over: {counted} counted then{begins}.",
        "grace": f"{new} is no longer reached with {counted}, and kept{until}{begins}.",
        "refund": f"{new}, because orders that had reached {old} were undone{because}: {counted} remain.",
        "grant": f"{new} was granted by hand{by_hand}{until}.",
        "grant_ended": f"{new}, as the tier granted by hand ended{by_hand}: {counted} counted then.",
        "merge": f"{new}, decided for two customers who proved to be one: {counted} count{begins}.",
        "unmerge": f"{new}, decided anew as a merge was undone: {counted} remain{begins}.",
    }
    return sentences.get(story.reason, f"{new}, by {story.reason}: {counted} counted then{begins}.")


def missing_sentence(tier: str, amount: Decimal, at: Decimal, basis: Basis, currency: str) -> str:
    """One sentence about a tier that the customer does not have."""
    if amount >= at:
        begins = describe_reached(at, basis, currency)
        return f"Tier {tier} begins at {begins}; so much counts now, and with the next order it is reached."
    return (
        f"Tier {tier} begins at {describe_reached(at, basis, currency)}:"
        f" {describe_reached(amount, basis, currency)} count now;"
        f" missing: {describe_reached(at - amount, basis, currency).split(' within ', 1)[0]}."
    )
