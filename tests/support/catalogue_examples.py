"""For every event type of the catalogue the data of one event that uses all of its fields, `customer` apart.

Every personal text contains `PRIVATE`, so that a test can look for it where it must not be.
"""

from typing import Any

PRIVATE = "Zaphod"

CUSTOMER: dict[str, Any] = {
    "id": f"{PRIVATE}-42",
    "email": f"{PRIVATE}.beeblebrox@example.com",
    "phone": "+1 212 555 0100",
    "anonymous_id": f"cookie-{PRIVATE}",
    "first_name": PRIVATE,
    "last_name": f"{PRIVATE} Beeblebrox",
    "name": f"{PRIVATE} B.",
    "birthday": "1979-10-12",
    "address": {"street": f"1 {PRIVATE} Road", "lines": [{"city": PRIVATE}]},
    "locale": "en-GB",
    "time_zone": "Europe/London",
    "preferences": {"colour": PRIVATE, "sizes": [1, 2]},
    "consent": {"email_marketing": True, "sms": False},
    "attributes": {"plan": "pro", "height": 1.8, "children": 2, "member": True, "old": None},
}

PRIVATE_VALUES = (PRIVATE, "555 0100", "5550100", "1979-10-12")
"""What must not be found in the bytes of a record."""

_TICKET = {"ticket_id": "t-1", "text": f"{PRIVATE} is angry", "by": "customer"}
_SUBSCRIPTION = {"subscription_id": "s-1", "plan": "monthly", "reason": f"{PRIVATE} moves"}
_EMAIL = {"message_id": "m-1", "campaign": "spring", "url": f"https://shop.example/?who={PRIVATE}"}
_SOCIAL = {"network": "instagram", "text": f"{PRIVATE} likes it"}
_REFERRAL = {"referral_id": "r-1", "friend": f"{PRIVATE}-43"}

DATA: dict[str, dict[str, Any]] = {
    "customer.registered": {"referral_id": "r-1"},
    "customer.identified": {},
    "customer.updated": {},
    "customer.tagged": {"tag": "winback", "by": "we-miss-you"},
    "customer.untagged": {"tag": "winback", "by": "Kim"},
    "consent.changed": {},
    "order.completed": {
        "order_id": "1001",
        "currency": "USD",
        "total": "49.20",
        "channel": "web",
        "store": "Oslo",
        "coupon": None,
        "campaign": "spring",
        "shipping": "0",
        "tax": "8.20",
        "discount": "5",
        "referral_id": "r-1",
        "lines": [
            {"sku": "A-1", "name": "Mug", "category": "Kitchen", "quantity": 4, "unit_price": "12.30"},
            {"sku": "A-2", "quantity": 1, "unit_price": "0"},
        ],
    },
    "order.refunded": {
        "order_id": "1001",
        "refund_id": "r-1",
        "total": "12.30",
        "currency": "USD",
        "lines": [{"sku": "A-1", "quantity": 1, "amount": "12.30"}],
        "reason": f"{PRIVATE} did not like it",
    },
    "order.cancelled": {"order_id": "1001", "reason": f"{PRIVATE} again"},
    "order.delivered": {"order_id": "1001", "days_late": -2},
    "email.sent": _EMAIL,
    "email.opened": _EMAIL,
    "email.clicked": _EMAIL,
    "email.unsubscribed": _EMAIL,
    "sms.sent": {"message_id": "m-2", "campaign": "spring"},
    "push.sent": {**_EMAIL, "message_id": "m-3"},
    "push.opened": {**_EMAIL, "message_id": "m-3"},
    "page.viewed": {"url": f"https://shop.example/{PRIVATE}", "title": f"Orders of {PRIVATE}", "sku": "A-1"},
    "login.recorded": {"channel": "app"},
    "product.used": {"product": "p-1", "feature": "export"},
    "social.followed": _SOCIAL,
    "social.liked": _SOCIAL,
    "social.mentioned": _SOCIAL,
    "review.posted": {"rating": 5, "text": f"{PRIVATE} loves it", "sku": "A-1", "order_id": "1001"},
    "referral.made": _REFERRAL,
    "referral.converted": _REFERRAL,
    "ticket.opened": {
        "ticket_id": "t-1",
        "subject": f"Where is {PRIVATE}?",
        "text": f"{PRIVATE} waits",
        "priority": "urgent",
        "order_id": "1001",
    },
    "ticket.replied": _TICKET,
    "ticket.resolved": _TICKET,
    "ticket.reopened": _TICKET,
    "survey.answered": {"kind": "nps", "score": 9, "comment": f"{PRIVATE} says so"},
    "feedback.given": {"text": f"{PRIVATE} was here"},
    "subscription.started": {**_SUBSCRIPTION, "renews_on": "2027-01-31"},
    "subscription.renewed": {**_SUBSCRIPTION, "renews_on": "2027-01-31", "automatic": True},
    "subscription.paused": _SUBSCRIPTION,
    "subscription.resumed": {**_SUBSCRIPTION, "renews_on": "2027-01-31"},
    "subscription.cancelled": _SUBSCRIPTION,
    "account.updated": {"account_id": "a-1", "name": "Acme", "industry": "Tools", "size": 12},
    "stakeholder.added": {"account_id": "a-1", "role": "buyer"},
    "contract.signed": {"account_id": "a-1", "renews_on": "2027-01-31", "contract_id": "k-1"},
    "review.held": {"account_id": "a-1", "quarter": "2026Q2"},
    "review.missed": {"account_id": "a-1", "quarter": "2026Q2"},
}
