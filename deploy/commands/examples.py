"""For every event type the data of one event, `customer` apart: what `regulars trigger` sends when nothing is set."""

from typing import Any

_TICKET = {"ticket_id": "ticket-1"}
_SUBSCRIPTION = {"subscription_id": "subscription-1", "plan": "monthly"}
_ACCOUNT = {"account_id": "account-1"}
_MESSAGE = {"message_id": "message-1", "campaign": "spring"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "customer.registered": {},
    "customer.identified": {},
    "customer.updated": {},
    "customer.tagged": {"tag": "beta-tester", "by": "the shop"},
    "customer.untagged": {"tag": "beta-tester", "by": "the shop"},
    "consent.changed": {},
    "order.completed": {
        "order_id": "order-1",
        "currency": "USD",
        "total": "49.20",
        "channel": "web",
        "lines": [{"sku": "A-1", "name": "Mug", "category": "Kitchen", "quantity": 4, "unit_price": "12.30"}],
    },
    "order.refunded": {"order_id": "order-1", "refund_id": "refund-1", "total": "12.30", "currency": "USD"},
    "order.cancelled": {"order_id": "order-1"},
    "order.delivered": {"order_id": "order-1", "days_late": 0},
    "email.sent": _MESSAGE,
    "email.opened": _MESSAGE,
    "email.clicked": _MESSAGE,
    "email.unsubscribed": _MESSAGE,
    "sms.sent": _MESSAGE,
    "push.sent": _MESSAGE,
    "push.opened": _MESSAGE,
    "page.viewed": {"url": "https://shop.example/mugs", "title": "Mugs", "sku": "A-1"},
    "login.recorded": {"channel": "app"},
    "product.used": {"product": "product-1", "feature": "export"},
    "social.followed": {"network": "instagram"},
    "social.liked": {"network": "instagram"},
    "social.mentioned": {"network": "instagram", "text": "Love these mugs"},
    "review.posted": {"rating": 5, "text": "Always fixes issues fast", "sku": "A-1", "order_id": "order-1"},
    "referral.made": {"referral_id": "referral-1", "friend": "test-friend"},
    "referral.converted": {"referral_id": "referral-1", "friend": "test-friend"},
    "ticket.opened": {
        **_TICKET,
        "subject": "Where is my order?",
        "text": "It is late",
        "priority": "high",
        "order_id": "order-1",
    },
    "ticket.replied": {**_TICKET, "text": "On its way", "by": "agent"},
    "ticket.resolved": _TICKET,
    "ticket.reopened": _TICKET,
    "survey.answered": {"kind": "nps", "score": 9, "comment": "Quick and friendly"},
    "feedback.given": {"text": "Wish delivery was quicker"},
    "subscription.started": _SUBSCRIPTION,
    "subscription.renewed": {**_SUBSCRIPTION, "automatic": True},
    "subscription.paused": _SUBSCRIPTION,
    "subscription.resumed": _SUBSCRIPTION,
    "subscription.cancelled": _SUBSCRIPTION,
    "account.updated": {**_ACCOUNT, "name": "Acme", "industry": "Tools", "size": 12},
    "stakeholder.added": {**_ACCOUNT, "role": "buyer"},
    "contract.signed": {**_ACCOUNT, "contract_id": "contract-1", "renews_on": "2027-01-31"},
    "review.held": {**_ACCOUNT, "quarter": "2026Q2"},
    "review.missed": {**_ACCOUNT, "quarter": "2026Q2"},
}

CUSTOMER: dict[str, Any] = {"id": "test-customer"}

CUSTOMER_OF: dict[str, dict[str, Any]] = {
    "customer.registered": {"email": "test-customer@example.com", "first_name": "Ana", "locale": "en-GB"},
    "customer.identified": {"email": "test-customer@example.com"},
    "customer.updated": {"time_zone": "Europe/London"},
    "consent.changed": {"consent": {"email_marketing": True}},
}
"""What is told of the customer besides, where the event is about that and nothing else of them is set."""

OWN_ID_OF: dict[str, str] = {"order.completed": "order_id", "order.refunded": "refund_id"}
"""What is another one each time, unless it is set: else the second order would be the first one again."""
