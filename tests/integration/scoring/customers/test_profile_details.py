"""A profile tells what all kinds of events made of the customer, now and as it stood."""

from tests.integration.scoring.api import Api
from tests.support.life import moment, record


async def test_a_profile_shows_tickets_subscriptions_consent_and_channels(api: Api):
    """Given a customer of many channels; when the profile is asked for, now and for an earlier moment; then facts and
    details are those of that moment."""
    await api.order(0, "1", id="c-42")
    (identifiers,) = await api.world.rows(
        "SELECT pseudonym FROM scoring.identities WHERE kind = 'id' ORDER BY pseudonym LIMIT 1"
    )
    names = {"id": identifiers[0]}
    customer = {"consent": {"email": True}, "attributes": {"plan": "pro", "children": 2}}
    await api.world.feed(
        record("ticket.opened", moment(1), {"ticket_id": "t-1", "priority": "urgent"}, identifiers=names),
        record("customer.updated", moment(1), {"customer": customer}, identifiers=names),
        record(
            "subscription.started", moment(2), {"subscription_id": "s-1", "plan": "tea"}, identifiers=names
        ),
        record("ticket.resolved", moment(3), {"ticket_id": "t-1"}, identifiers=names),
        record("login.recorded", moment(4), {}, identifiers=names),
        record("email.unsubscribed", moment(5), {}, identifiers=names),
        record("x.workout.finished", moment(6), {}, identifiers=names),
    )

    now = (await api.get("/v1/customers/c-42")).json()
    then = (await api.get("/v1/customers/c-42", at=moment(2.5).isoformat())).json()

    facts, details = now["facts"], now["details"]
    assert (facts["tickets"], facts["tickets_open"], facts["resolution_hours"]) == (1, 0, 48.0)
    assert (facts["attributes"], facts["custom"]) == (
        {"plan": "pro", "children": 2},
        {"x.workout.finished": 1},
    )
    assert (facts["logins"], facts["last_login_at"]) == (1, moment(4).isoformat().replace("+00:00", "Z"))
    assert (facts["email_open_rate_90d"], facts["subscription"]) == (None, "active")
    assert [(one["id"], one["status"], one["priority"]) for one in details["tickets"]] == [
        ("t-1", "resolved", "urgent")
    ]
    assert [(one["id"], one["state"], one["plan"]) for one in details["subscriptions"]] == [
        ("s-1", "active", "tea")
    ]
    assert [(one["purpose"], one["given"]) for one in details["consent"]] == [
        ("email", True),
        ("email_marketing", False),
    ]
    assert (then["facts"]["tickets_open"], then["facts"]["logins"]) == (1, 0)
    assert [(one["purpose"], one["given"]) for one in then["details"]["consent"]] == [("email", True)]


async def test_a_stored_customer_forgets_a_cancelled_order_whole(api: Api):
    """Given two orders with lines and coupons, taken in at different times; when the first is cancelled later; then the
    facts are as if it had never been placed."""
    lines = [{"sku": "A", "category": "Tea", "quantity": 1, "unit_price": "5"}]
    order = {"currency": "USD", "total": "5", "channel": "web"}
    names = {"id": "p-cancel"}
    await api.world.feed(
        record(
            "order.completed",
            moment(1),
            {**order, "order_id": "1", "lines": lines, "coupon": "HI"},
            identifiers=names,
        )
    )
    await api.world.feed(
        record("order.completed", moment(2), {**order, "order_id": "2", "channel": "app"}, identifiers=names)
    )
    await api.world.feed(record("order.cancelled", moment(3), {"order_id": "1"}, identifiers=names))

    *_, last = await api.world.activity()

    assert (last.type, last.facts.orders, last.facts.skus, last.facts.coupon_orders) == (
        "order.cancelled",
        1,
        0,
        0,
    )
    assert last.facts.channels == ["app"]
    rows = await api.world.rows("SELECT order_id, cancelled FROM scoring.orders ORDER BY order_id")
    assert rows == [("1", True), ("2", False)]
