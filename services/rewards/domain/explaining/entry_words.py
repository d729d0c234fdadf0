"""Plain words for why a customer got what they got."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.state.accounts import Account, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the points of a lot came from: the rule that gave them, when, and for which order."""

    rule: str | None
    at: datetime
    order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a sentence about a ledger entry may speak of; what is not known is None."""

    kind: str
    debit: str
    points: int
    rule: str | None
    version: int
    event: str | None = None
    event_type: str | None = None
    event_at: datetime | None = None
    order_id: str | None = None
    order_total: Decimal | None = None
    currency: str | None = None
    reason: str | None = None
    actor: str | None = None
    redemption: str | None = None
    origin: Origin | None = None


def entry_sentence(story: Story) -> str:
    """One sentence about a ledger entry."""
    points = f"{story.points} point{'s' if story.points != 1 else ''}"
    because, origin = _because(story), _origin(story)
    given = "taken" if story.debit == Account.AVAILABLE else "given"
    by = f" by {story.actor}" if story.actor else ""
    rule = f"rule {story.rule} of program version {story.version}"
    sentences = {
        Kind.EARN: f"{points} earned by {rule}{because}.",
        Kind.REVERSE: _reversal(story, points, rule, because),
        Kind.RELEASE_PENDING: f"{points}{origin} became available: their waiting time was over.",
        Kind.RESERVE: f"{points}{origin} put aside for redemption {story.redemption}{_for_order(story)}.",
        Kind.CONFIRM: f"{points} spent by redemption {story.redemption}{_for_order(story)}.",
        Kind.RELEASE: f"{points}{origin} given back: redemption {story.redemption} was not completed.",
        Kind.RETURN: f"{points}{origin} returned: the purchase{_for_order(story)} was cancelled, or refunded.",
        Kind.EXPIRE: f"{points}{origin} expired unspent: their last day was over.",
        Kind.RENEW: f"{points}{origin} came back that had expired: an event of before came late and lets them last.",
        Kind.SETTLE: f"{points}{origin} paid back what was owed: points of a refunded order had been spent already.",
        Kind.ADJUST: f"{points} {given} by hand{by}: {story.reason}.",
        Kind.MERGE: f"{points}{origin} moved {_why_moved(story)}.",
        Kind.RESTORE: f"{points} of {rule} given again that a merge had taken back, as it was undone{because}.",
    }
    return sentences[Kind(story.kind)]


def _reversal(story: Story, points: str, rule: str, because: str) -> str:
    text = f"{points} taken back that {rule} had given{because}"
    if story.debit == Account.DEBT:
        return f"{text}; they had been spent already, so the next points earned pay for them."
    if story.debit == Account.EXPIRED:
        return f"{text}; they had expired unspent, so the balance stays as it is."
    return f"{text}."


def _why_moved(story: Story) -> str:
    if story.event_type == "customer.unmerged":
        return "because a merge was undone"
    if story.event_type == "facts.corrected":
        return "because what they were given for proved to be another customer's"
    return "because two customers proved to be one"


def _because(story: Story) -> str:
    if story.event is None:
        return ""
    order = ""
    if story.order_id is not None and story.order_total is not None:
        order = f" (order {story.order_id}, {story.order_total} {story.currency})"
    day = f" of {_day(story.event_at)}" if story.event_at is not None else ""
    return f", because of {story.event}{day}{order}"


def _origin(story: Story) -> str:
    """Such as `, earned by rule purchase on 01 June 2026 (order 1001),`."""
    origin = story.origin
    if origin is None:
        return ""
    by = f"earned by rule {origin.rule}" if origin.rule is not None else "given by hand"
    order = f" (order {origin.order_id})" if origin.order_id is not None else ""
    return f", {by} on {_day(origin.at)}{order},"


def _for_order(story: Story) -> str:
    return f" on order {story.order_id}" if story.order_id is not None else ""


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}"
