"""The event catalogue: every event type that Regulars understands, and the shape of its data.

To add an event type: write its data as a `Data` class here (of an order: in `order_data`), name it in `CATALOGUE`,
say in `services/scoring/domain` what it changes, and go on as `CONTRIBUTING.md` says.

Fields marked `PERSONAL` (in `values`) are sealed before the event leaves ingest. Keys that a class does not
name are kept, counted, and sealed as well, because nobody vouches that they are not personal.
"""

from typing import Annotated, Literal

from msgspec import Meta

from shared.contracts.customer import IDENTIFIERS, Customer
from shared.contracts.event_data import Data
from shared.contracts.order_data import OrderCancelled, OrderCompleted, OrderDelivered, OrderRefunded
from shared.contracts.values import (
    Day,
    Identifier,
    Label,
    PersonalId,
    PersonalText,
    PersonalUrl,
    TagName,
)

__all__ = ["CATALOGUE", "CUSTOM_PREFIX", "IDENTIFIERS", "Customer", "Data"]


class CustomerRegistered(Data, frozen=True, kw_only=True):
    """A registration. `referral_id` names the referral that brought the customer, as `referral.made` does."""

    referral_id: Identifier | None = None


class Email(Data, frozen=True, kw_only=True):
    """An e-mail sent, opened, clicked, or unsubscribed from."""

    message_id: Identifier | None = None
    campaign: Label | None = None
    url: PersonalUrl | None = None


class TextSent(Data, frozen=True, kw_only=True):
    """A message sent to the customer's telephone as SMS."""

    message_id: Identifier | None = None
    campaign: Label | None = None


class Push(Data, frozen=True, kw_only=True):
    """A push message sent to the customer's devices, or opened there."""

    message_id: Identifier | None = None
    campaign: Label | None = None
    url: PersonalUrl | None = None


class Tagged(Data, frozen=True, kw_only=True):
    """A tag given to the customer, or taken away; `by` says who did: a campaign, a person of the shop."""

    tag: TagName
    by: Label | None = None


class PageViewed(Data, frozen=True, kw_only=True):
    """A page seen on the shop's site."""

    url: PersonalUrl | None = None
    title: PersonalText | None = None
    sku: Identifier | None = None


class LoginRecorded(Data, frozen=True, kw_only=True):
    """A sign-in to the shop or its app."""

    channel: Label | None = None


class ProductUsed(Data, frozen=True, kw_only=True):
    """The product itself was used: a feature, a lesson, a workout."""

    product: Identifier | None = None
    feature: Label | None = None


class Social(Data, frozen=True, kw_only=True):
    """A follow, a like, a mention on a social network."""

    network: Label
    text: PersonalText | None = None


class ReviewPosted(Data, frozen=True, kw_only=True):
    """A review in stars and words."""

    rating: Annotated[int, Meta(ge=1, le=5)]
    text: PersonalText | None = None
    sku: Identifier | None = None
    order_id: Identifier | None = None


class Referral(Data, frozen=True, kw_only=True):
    """A friend referred, or a referral that became a customer. `friend` is the friend's shop id."""

    referral_id: Identifier | None = None
    friend: PersonalId | None = None


class TicketOpened(Data, frozen=True, kw_only=True):
    """A support ticket. Higher priorities are answered first."""

    ticket_id: Identifier
    subject: PersonalText | None = None
    text: PersonalText | None = None
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    order_id: Identifier | None = None


class TicketChanged(Data, frozen=True, kw_only=True):
    """A ticket replied to, resolved, reopened. `by` says who spoke."""

    ticket_id: Identifier
    text: PersonalText | None = None
    by: Literal["agent", "customer"] = "agent"


class SurveyAnswered(Data, frozen=True, kw_only=True):
    """An answer to a survey: `kind` is `nps` (0-10), `csat` (1-5), or a name of the shop's own."""

    kind: Label
    score: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    comment: PersonalText | None = None


class FeedbackGiven(Data, frozen=True, kw_only=True):
    """A free comment."""

    text: PersonalText


class Subscription(Data, frozen=True, kw_only=True):
    """A subscription started, paused, resumed, cancelled."""

    subscription_id: Identifier | None = None
    plan: Label | None = None
    reason: PersonalText | None = None


class SubscriptionRunning(Subscription, frozen=True, kw_only=True):
    """A subscription started or resumed, and the day on which it renews next."""

    renews_on: Day | None = None


class SubscriptionRenewed(SubscriptionRunning, frozen=True, kw_only=True):
    """A renewal; `automatic` when the customer did nothing for it."""

    automatic: bool = False


class AccountUpdated(Data, frozen=True, kw_only=True):
    """A business account, as it is known now."""

    account_id: Identifier
    name: Label | None = None
    industry: Label | None = None
    size: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None


class StakeholderAdded(Data, frozen=True, kw_only=True):
    """The customer is a person of that account, with a role."""

    account_id: Identifier
    role: Label


class ContractSigned(Data, frozen=True, kw_only=True):
    """A contract and the day on which it renews."""

    account_id: Identifier
    renews_on: Day
    contract_id: Identifier | None = None


class BusinessReview(Data, frozen=True, kw_only=True):
    """A quarterly review held or missed."""

    account_id: Identifier
    quarter: Label | None = None


CATALOGUE: dict[str, type[Data]] = {
    "customer.registered": CustomerRegistered,
    "customer.identified": Data,
    "customer.updated": Data,
    "customer.tagged": Tagged,
    "customer.untagged": Tagged,
    "consent.changed": Data,
    "order.completed": OrderCompleted,
    "order.refunded": OrderRefunded,
    "order.cancelled": OrderCancelled,
    "order.delivered": OrderDelivered,
    "email.sent": Email,
    "email.opened": Email,
    "email.clicked": Email,
    "email.unsubscribed": Email,
    "sms.sent": TextSent,
    "push.sent": Push,
    "push.opened": Push,
    "page.viewed": PageViewed,
    "login.recorded": LoginRecorded,
    "product.used": ProductUsed,
    "social.followed": Social,
    "social.liked": Social,
    "social.mentioned": Social,
    "review.posted": ReviewPosted,
    "referral.made": Referral,
    "referral.converted": Referral,
    "ticket.opened": TicketOpened,
    "ticket.replied": TicketChanged,
    "ticket.resolved": TicketChanged,
    "ticket.reopened": TicketChanged,
    "survey.answered": SurveyAnswered,
    "feedback.given": FeedbackGiven,
    "subscription.started": SubscriptionRunning,
    "subscription.renewed": SubscriptionRenewed,
    "subscription.paused": Subscription,
    "subscription.resumed": SubscriptionRunning,
    "subscription.cancelled": Subscription,
    "account.updated": AccountUpdated,
    "stakeholder.added": StakeholderAdded,
    "contract.signed": ContractSigned,
    "review.held": BusinessReview,
    "review.missed": BusinessReview,
}
"""Event type to the shape of its data."""

CUSTOM_PREFIX = "x."
"""Types that start so are the shop's own; their data may be anything beside `customer`, and travels as it is:
only `customer` is sealed, so nothing personal belongs elsewhere in it."""
