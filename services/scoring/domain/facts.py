"""Facts beside orders, money and score: what the parts of the state mean at a moment.

Only what is not empty is answered, and a part that nothing has touched costs one comparison: most customers only order.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from services.scoring.domain.state import State
from services.scoring.domain.state.business import NO_BUSINESS
from services.scoring.domain.state.deliveries import NO_DELIVERIES
from services.scoring.domain.state.distinct import count
from services.scoring.domain.state.engagement import NO_EMAILS, NO_ENGAGEMENT
from services.scoring.domain.state.feedback import NO_FEEDBACK
from services.scoring.domain.state.goods import NO_GOODS, unprompted_reorders
from services.scoring.domain.state.subscriptions import ACTIVE, NO_SUBSCRIPTIONS, PAUSED
from services.scoring.domain.state.tally import Tally
from services.scoring.domain.state.tickets import NO_TICKETS
from services.scoring.domain.state.voice import NO_VOICE, sentiment_at, tags_at

MONTH_DAYS, QUARTER_DAYS = 30, 90
HOUR_S = 3600

Found = dict[str, Any]
"""Facts by their names."""


def further_facts(state: State, moment: datetime, today: int) -> Found:
    """The facts that the parts of the state amount to at `moment`, on the day `today`."""
    found: Found = {}
    _person(state, found)
    if state.orders > 1 and (reorders := unprompted_reorders(state.goods, state.orders)):
        found["unprompted_reorders"] = reorders
    for name, nothing, tell in _PARTS:
        if getattr(state, name) is not nothing:
            tell(state, moment, today, found)
    if state.labels:
        found["tags"] = sorted({*found.get("tags", ()), *state.labels})
    return found


def _person(state: State, found: Found) -> None:
    profile = state.profile
    for name, field in _KNOWN.items():
        if field in profile:
            found[name] = True
    if state.consent:
        found["consents"] = sorted(purpose for purpose, given in state.consent.items() if given)
        found["consents_withdrawn"] = sorted(purpose for purpose, given in state.consent.items() if not given)
    if state.attributes:
        found["attributes"] = state.attributes
    if state.custom:
        found["custom"] = {type_: tally.total for type_, tally in state.custom.items()}


_KNOWN = {
    "email_known": "customer.email",
    "phone_known": "customer.phone",
    "birthday_known": "customer.birthday",
    "preferences_known": "customer.preferences",
}


def _goods(state: State, moment: datetime, today: int, found: Found) -> None:
    goods = state.goods
    found["skus"] = count(goods.skus)
    found["categories"] = count(goods.categories)
    if goods.channels:
        found["channels"] = sorted(goods.channels)
    if goods.prompted:
        found["coupon_orders"] = goods.coupons
        found["campaign_orders"] = goods.campaigns


def _deliveries(state: State, moment: datetime, today: int, found: Found) -> None:
    deliveries = state.deliveries
    found["deliveries"] = deliveries.count
    found["deliveries_late"] = deliveries.late
    found["deliveries_forgiven"] = deliveries.forgiven_by(state.last_order_at)
    found["last_late_delivery_at"] = deliveries.last_late_at


def _emails(state: State, moment: datetime, today: int, found: Found) -> None:
    emails = state.emails
    found["emails_sent"] = emails.sent.total
    found["emails_opened"] = emails.opened.total
    found["emails_clicked"] = emails.clicked.total
    found["emails_unopened"] = emails.unopened
    found["email_unsubscribed_at"] = emails.unsubscribed_at
    for days, window in ((MONTH_DAYS, "30d"), (QUARTER_DAYS, "90d")):
        sent = emails.sent.within(days, today)
        found[f"emails_sent_{window}"] = sent
        found[f"email_open_rate_{window}"] = _rate(emails.opened.within(days, today), sent)
        found[f"email_click_rate_{window}"] = _rate(emails.clicked.within(days, today), sent)


def _engagement(state: State, moment: datetime, today: int, found: Found) -> None:
    done = state.engagement
    for name, tally in (("visits", done.visits), ("logins", done.logins), ("product_uses", done.used)):
        found[name] = tally.total
        found[f"{name}_30d"] = tally.within(MONTH_DAYS, today)
        found[f"{name}_90d"] = tally.within(QUARTER_DAYS, today)
    found["page_views"] = done.views.total
    found["last_visit_at"] = done.views.last_at
    found["last_login_at"] = done.logins.last_at
    found["last_used_at"] = done.used.last_at
    found["features_used"] = count(done.features)
    found["follows"] = done.follows.total
    found["likes"] = done.likes.total
    found["mentions"] = done.mentions.total
    found["last_social_at"] = _latest(done.follows, done.likes, done.mentions)
    found["sms_sent"] = done.texts.total
    found["sms_sent_30d"] = done.texts.within(MONTH_DAYS, today)
    found["pushes_sent"] = done.pushes.total
    found["pushes_sent_30d"] = done.pushes.within(MONTH_DAYS, today)
    found["pushes_opened"] = done.pushes_opened.total
    found["referrals"] = done.referrals.total
    found["referrals_converted"] = done.referrals_converted.total
    found["last_referral_at"] = _latest(done.referrals, done.referrals_converted)


def _tickets(state: State, moment: datetime, today: int, found: Found) -> None:
    tickets = state.tickets
    found["tickets"] = tickets.opened.total
    found["tickets_90d"] = tickets.opened.within(QUARTER_DAYS, today)
    found["tickets_open"] = tickets.open
    found["tickets_urgent"] = tickets.urgent
    found["tickets_reopened"] = tickets.reopened
    found["tickets_resolved"] = tickets.resolved
    found["first_response_hours"] = _hours(tickets.response_s, tickets.answered)
    found["resolution_hours"] = _hours(tickets.resolution_s, tickets.timed)
    found["last_ticket_at"] = tickets.opened.last_at
    found["last_resolved_at"] = tickets.last_resolved_at
    found["waiting_since"] = tickets.waiting_since


def _feedback(state: State, moment: datetime, today: int, found: Found) -> None:
    said = state.feedback
    nps, csat, reviews = said.nps, said.csat, said.reviews
    found["nps"] = nps.newest
    found["nps_before"] = nps.previous
    found["nps_mean"] = nps.mean
    found["nps_answers"] = nps.count
    found["nps_promoter"] = nps.high
    found["nps_detractor"] = nps.low
    found["csat"] = csat.newest
    found["csat_mean"] = csat.mean
    found["csat_answers"] = csat.count
    found["surveys"] = said.surveys
    found["comments"] = said.comments
    found["reviews"] = reviews.count
    found["stars"] = reviews.newest
    found["stars_mean"] = reviews.mean
    found["five_star_reviews"] = said.perfect
    found["recoveries"] = said.recoveries
    found["last_feedback_at"] = said.last_at


def _subscriptions(state: State, moment: datetime, today: int, found: Found) -> None:
    all_ = state.subscriptions
    active = all_.having(ACTIVE)
    found["subscription"] = all_.state
    found["subscriptions_active"] = len(active)
    found["subscriptions_paused"] = len(all_.having(PAUSED))
    found["subscription_plans"] = sorted({one.plan for one in active if one.plan})
    found["subscribed_since"] = min((one.started_at for one in active if one.started_at), default=None)
    found["subscription_pauses"] = all_.pauses
    found["subscription_cancellations"] = all_.cancelled
    found["renewals_automatic"] = all_.automatic
    found["renewals_manual"] = all_.manual
    found["last_renewed_at"] = all_.last_renewed_at


def _business(state: State, moment: datetime, today: int, found: Found) -> None:
    business = state.business
    found["account_id"] = business.account_id
    found["account_role"] = business.role
    if business.renews_on is not None:
        found["contract_renews_on"] = date.fromordinal(business.renews_on).isoformat()
    found["business_reviews_held"] = business.reviews_held
    found["business_reviews_missed"] = business.missed_in_row


def _voice(state: State, moment: datetime, today: int, found: Found) -> None:
    voice = state.voice
    found["texts"] = voice.texts
    found["sentiment"] = sentiment_at(voice, moment)
    found["tags"] = tags_at(voice, moment)


_PARTS: tuple[tuple[str, object, Callable[[State, datetime, int, Found], None]], ...] = (
    ("goods", NO_GOODS, _goods),
    ("deliveries", NO_DELIVERIES, _deliveries),
    ("emails", NO_EMAILS, _emails),
    ("engagement", NO_ENGAGEMENT, _engagement),
    ("tickets", NO_TICKETS, _tickets),
    ("feedback", NO_FEEDBACK, _feedback),
    ("subscriptions", NO_SUBSCRIPTIONS, _subscriptions),
    ("business", NO_BUSINESS, _business),
    ("voice", NO_VOICE, _voice),
)


def _rate(part: int, whole: int) -> float | None:
    """A share, to four decimals. More openings than e-mails (some sent before the window) are still all of them."""
    return min(1.0, round(part / whole, 4)) if whole else None


def _hours(seconds: int, times: int) -> float | None:
    return round(seconds / times / HOUR_S, 2) if times else None


def _latest(*tallies: Tally) -> datetime | None:
    times: Iterable[datetime] = (tally.last_at for tally in tallies if tally.last_at)
    return max(times, default=None)
