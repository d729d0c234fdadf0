"""Plain words for why a customer got what they got."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.accounts import Account, Kind
from shared.program.model import EarnRule, Milestone, Program, TierLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a sentence about a ledger entry may speak of; what is not known is None."""

    kind: str
    debit: str
    points: int
    rule: str | None
    version: int
    event: str | None = None
    event_at: datetime | None = None
    order_id: str | None = None
    order_total: Decimal | None = None
    currency: str | None = None
    reason: str | None = None
    redemption: str | None = None


def find_rule(program: Program, id_: str) -> EarnRule | Milestone | TierLevel | None:
    """The rule, milestone or tier of that id in a program version."""
    levels = program.tiers.levels if program.tiers is not None else ()
    rules: list[EarnRule | Milestone | TierLevel] = [*program.points.earn, *program.milestones, *levels]
    return next((rule for rule in rules if rule.id == id_), None)


def entry_sentence(story: Story) -> str:
    """One sentence about a ledger entry."""
    points = f"{story.points} point{'s' if story.points != 1 else ''}"
    because = _because(story)
    given = "taken" if story.debit == Account.AVAILABLE else "given"
    rule = f"rule {story.rule} of program version {story.version}"
    sentences = {
        Kind.EARN: f"{points} earned by {rule}{because}.",
        Kind.REVERSE: _reversal(story, points, rule, because),
        Kind.RELEASE_PENDING: f"{points} became available: their waiting time was over.",
        Kind.RESERVE: f"{points} put aside for redemption {story.redemption}{_for_order(story)}.",
        Kind.CONFIRM: f"{points} spent by redemption {story.redemption}{_for_order(story)}.",
        Kind.RELEASE: f"{points} given back: redemption {story.redemption} was not completed.",
        Kind.EXPIRE: f"{points} expired unspent: their last day was over.",
        Kind.SETTLE: f"{points} paid back what was owed since points of a refunded order had been spent already.",
        Kind.ADJUST: f"{points} {given} by hand: {story.reason}.",
        Kind.MERGE: f"{points} moved because two customers proved to be one.",
    }
    return sentences[Kind(story.kind)]


def _reversal(story: Story, points: str, rule: str, because: str) -> str:
    text = f"{points} taken back that {rule} had given{because}"
    if story.debit == Account.DEBT:
        return f"{text}; they had been spent already, so the next points earned pay for them."
    if story.debit == Account.EXPIRED:
        return f"{text}; they had expired unspent, so the balance stays as it is."
    return f"{text}."


def _because(story: Story) -> str:
    if story.event is None:
        return ""
    order = ""
    if story.order_id is not None and story.order_total is not None:
        order = f" (order {story.order_id}, {story.order_total} {story.currency})"
    day = f" of {story.event_at:%d %B %Y}" if story.event_at is not None else ""
    return f", because of {story.event}{day}{order}"


def _for_order(story: Story) -> str:
    return f" on order {story.order_id}" if story.order_id is not None else ""


def tier_sentence(new: str, reason: str, spend: Decimal, currency: str, at: Decimal | None) -> str:
    """One sentence about a change of tier."""
    needed = f"; {new} is reached at {at} {currency}" if at else ""
    sentences = {
        "spend": f"Tier {new}, because spend in the window came to {spend} {currency}{needed}.",
        "review": f"Tier {new} after review: spend in the window was {spend} {currency}{needed}.",
        "refund": f"Tier {new}, because orders that had reached a higher one were refunded; {spend} {currency} remain.",
        "merge": f"Tier {new}, taken over from the customer that was merged into this one.",
    }
    return sentences[reason]
