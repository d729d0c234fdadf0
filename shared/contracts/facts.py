"""The facts: what is known of a customer, in one flat list.

Conditions ask for them, the API shows them, rewards decides by them: a fact added here is in all three.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

Rate = Annotated[float, Meta(ge=0, le=1)]


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a customer at one moment, ready for rules; each fact says in its description what it means.

    Money is in `currency`, the shop's own; orders in another one count in `orders`, but not in any spend. Windows
    (`_30d`, `_90d`, `_12m`: 30, 90 and 365 days) are whole days in the program's time zone that end with today.
    `_percentile` of somebody with an order is the largest whole p such that at least p % of all customers with an order
    had less when all were last compared; None before that. Empty facts, as most are of most customers, do not travel.
    `docs/facts.md` says which event changes which.
    """

    currency: Annotated[str, Meta(description="the shop's currency")]
    events: Annotated[int, Meta(ge=0, description="events of any type")] = 0
    orders: Annotated[int, Meta(ge=0, description="orders, less the cancelled ones")] = 0
    orders_12m: Annotated[int, Meta(ge=0, description="the same in the last 365 days")] = 0
    spend: Annotated[
        Decimal,
        Meta(description="what was paid less what was refunded, a refund counting on the day of its order"),
    ] = Decimal(0)
    spend_30d: Annotated[Decimal, Meta(description="the same in the last 30 days")] = Decimal(0)
    spend_12m: Annotated[Decimal, Meta(description="the same in the last 365 days")] = Decimal(0)
    first_event_at: Annotated[datetime | None, Meta(description="the first event")] = None
    last_event_at: Annotated[datetime | None, Meta(description="the last event")] = None
    registered_at: Annotated[datetime | None, Meta(description="the registration")] = None
    first_order_at: Annotated[datetime | None, Meta(description="the first order")] = None
    last_order_at: Annotated[datetime | None, Meta(description="the last order")] = None
    order_interval_days: Annotated[
        float | None,
        Meta(description="days between days with an order, on average; null with fewer than two such days"),
    ] = None
    stage: Annotated[
        str, Meta(description="the stage of the lifecycle, one of `shared.contracts.lifecycle.STAGES`")
    ] = "onboarding"
    score: Annotated[int, Meta(description="the loyalty score, 0 to 100")] = 0
    segments: Annotated[list[str], Meta(description="ids of the segments")] = []
    tags: Annotated[
        list[str],
        Meta(description="what the customer's words say, such as `friction`, and tags that were given"),
    ] = []
    texts: Annotated[
        int, Meta(ge=0, description="texts (of tickets, reviews, comments) that could be read")
    ] = 0
    sentiment: Annotated[
        int | None,
        Meta(description="how the newest texts of the last 365 days sound, -100 to 100; null without any"),
    ] = None
    score_behavioural: Annotated[
        int | None, Meta(description="its behavioural half, 0 to 100; null when nothing is known")
    ] = None
    score_emotional: Annotated[
        int | None, Meta(description="its emotional half, 0 to 100; null when nothing is known")
    ] = None
    spend_percentile: Annotated[int | None, Meta(description="90 and more: the top 10 % by spend")] = None
    orders_percentile: Annotated[int | None, Meta(description="90 and more: the top 10 % by orders")] = None
    recency_percentile: Annotated[int | None, Meta(description="90 and more: the 10 % who ordered last")] = (
        None
    )

    # what is bought, and how
    skus: Annotated[int, Meta(ge=0, description="different products bought; above 63 an estimate")] = 0
    categories: Annotated[
        int, Meta(ge=0, description="different categories bought; above 63 an estimate")
    ] = 0
    channels: Annotated[list[str], Meta(description="channels of orders, such as `web`")] = []
    coupon_orders: Annotated[int, Meta(ge=0, description="orders with a coupon")] = 0
    campaign_orders: Annotated[int, Meta(ge=0, description="orders that name a campaign")] = 0
    unprompted_reorders: Annotated[
        int, Meta(ge=0, description="orders after the first with neither coupon nor campaign")
    ] = 0
    deliveries: Annotated[int, Meta(ge=0, description="deliveries")] = 0
    deliveries_late: Annotated[int, Meta(ge=0, description="deliveries after their day")] = 0
    deliveries_forgiven: Annotated[
        int, Meta(ge=0, description="late ones that a friendly act followed within 60 days")
    ] = 0
    last_late_delivery_at: Annotated[datetime | None, Meta(description="the last late delivery")] = None

    # e-mails, visits, use
    emails_sent: Annotated[int, Meta(ge=0, description="e-mails sent")] = 0
    emails_sent_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    emails_sent_90d: Annotated[int, Meta(ge=0, description="the same in the last 90 days")] = 0
    emails_opened: Annotated[int, Meta(ge=0, description="e-mails opened, each once")] = 0
    emails_clicked: Annotated[
        int, Meta(ge=0, description="e-mails in which a link was followed, each once")
    ] = 0
    emails_unopened: Annotated[int, Meta(ge=0, description="e-mails sent since one was last opened")] = 0
    email_open_rate_30d: Annotated[
        Rate | None,
        Meta(
            description="share of the e-mails of the last 30 days that were opened, 0 to 1; null if none was sent"
        ),
    ] = None
    email_open_rate_90d: Annotated[Rate | None, Meta(description="the same in the last 90 days")] = None
    email_click_rate_30d: Annotated[
        Rate | None,
        Meta(description="share of the e-mails of the last 30 days in which a link was followed, 0 to 1"),
    ] = None
    email_click_rate_90d: Annotated[Rate | None, Meta(description="the same in the last 90 days")] = None
    email_unsubscribed_at: Annotated[
        datetime | None, Meta(description="when the customer unsubscribed from e-mails")
    ] = None
    sms_sent: Annotated[int, Meta(ge=0, description="messages sent by SMS")] = 0
    sms_sent_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    pushes_sent: Annotated[int, Meta(ge=0, description="push messages sent")] = 0
    pushes_sent_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    pushes_opened: Annotated[int, Meta(ge=0, description="push messages opened")] = 0
    page_views: Annotated[int, Meta(ge=0, description="pages seen")] = 0
    visits: Annotated[
        int, Meta(ge=0, description="visits: page views without a pause of more than half an hour")
    ] = 0
    visits_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    visits_90d: Annotated[int, Meta(ge=0, description="the same in the last 90 days")] = 0
    last_visit_at: Annotated[datetime | None, Meta(description="the last page view")] = None
    logins: Annotated[int, Meta(ge=0, description="sign-ins")] = 0
    logins_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    logins_90d: Annotated[int, Meta(ge=0, description="the same in the last 90 days")] = 0
    last_login_at: Annotated[datetime | None, Meta(description="the last sign-in")] = None
    product_uses: Annotated[int, Meta(ge=0, description="uses of the product")] = 0
    product_uses_30d: Annotated[int, Meta(ge=0, description="the same in the last 30 days")] = 0
    product_uses_90d: Annotated[int, Meta(ge=0, description="the same in the last 90 days")] = 0
    features_used: Annotated[
        int, Meta(ge=0, description="different features (or products) used; above 63 an estimate")
    ] = 0
    last_used_at: Annotated[datetime | None, Meta(description="the last use of the product")] = None
    follows: Annotated[int, Meta(ge=0, description="follows on social networks")] = 0
    likes: Annotated[int, Meta(ge=0, description="likes")] = 0
    mentions: Annotated[int, Meta(ge=0, description="mentions")] = 0
    last_social_at: Annotated[datetime | None, Meta(description="the last of these")] = None
    referrals: Annotated[int, Meta(ge=0, description="friends referred")] = 0
    referrals_converted: Annotated[int, Meta(ge=0, description="referrals that became customers")] = 0
    last_referral_at: Annotated[datetime | None, Meta(description="the last of either")] = None

    # tickets
    tickets: Annotated[int, Meta(ge=0, description="tickets opened")] = 0
    tickets_90d: Annotated[int, Meta(ge=0, description="the same in the last 90 days")] = 0
    tickets_open: Annotated[int, Meta(ge=0, description="tickets that wait for a solution")] = 0
    tickets_urgent: Annotated[int, Meta(ge=0, description="tickets of priority high or urgent")] = 0
    tickets_reopened: Annotated[int, Meta(ge=0, description="how often one was reopened")] = 0
    tickets_resolved: Annotated[int, Meta(ge=0, description="tickets that stand resolved")] = 0
    first_response_hours: Annotated[
        float | None, Meta(description="hours to the first answer, on average")
    ] = None
    resolution_hours: Annotated[
        float | None, Meta(description="hours to the resolution that stands, on average")
    ] = None
    last_ticket_at: Annotated[datetime | None, Meta(description="when one was last opened")] = None
    last_resolved_at: Annotated[datetime | None, Meta(description="when one was last resolved")] = None
    waiting_since: Annotated[
        datetime | None, Meta(description="since when the customer waits for an answer")
    ] = None

    # feedback
    nps: Annotated[float | None, Meta(description="the last answer to NPS, 0 to 10")] = None
    nps_before: Annotated[float | None, Meta(description="the one before")] = None
    nps_mean: Annotated[float | None, Meta(description="all of them, on average")] = None
    nps_answers: Annotated[int, Meta(ge=0, description="answers to NPS")] = 0
    nps_promoter: Annotated[int, Meta(ge=0, description="answers of 9 or 10")] = 0
    nps_detractor: Annotated[int, Meta(ge=0, description="answers of 0 to 6")] = 0
    csat: Annotated[float | None, Meta(description="the last answer to CSAT, 1 to 5")] = None
    csat_mean: Annotated[float | None, Meta(description="all of them, on average")] = None
    csat_answers: Annotated[int, Meta(ge=0, description="answers to CSAT")] = 0
    surveys: Annotated[int, Meta(ge=0, description="surveys of any kind answered")] = 0
    comments: Annotated[int, Meta(ge=0, description="free comments")] = 0
    reviews: Annotated[int, Meta(ge=0, description="reviews")] = 0
    stars: Annotated[float | None, Meta(description="stars of the last review, 1 to 5")] = None
    stars_mean: Annotated[float | None, Meta(description="all of them, on average")] = None
    five_star_reviews: Annotated[int, Meta(ge=0, description="reviews of five stars")] = 0
    recoveries: Annotated[
        int, Meta(ge=0, description="resolved tickets that a five-star review followed within 90 days")
    ] = 0
    last_feedback_at: Annotated[datetime | None, Meta(description="the last review, survey or comment")] = (
        None
    )

    # subscriptions
    subscription: Annotated[
        str | None,
        Meta(
            description="`active`, `paused` or `cancelled`: the best of all subscriptions; null without one"
        ),
    ] = None
    subscriptions_active: Annotated[int, Meta(ge=0, description="subscriptions that are active")] = 0
    subscriptions_paused: Annotated[int, Meta(ge=0, description="subscriptions that rest")] = 0
    subscription_plans: Annotated[list[str], Meta(description="plans of the active ones")] = []
    subscribed_since: Annotated[
        datetime | None, Meta(description="when the oldest active one was started")
    ] = None
    subscription_pauses: Annotated[int, Meta(ge=0, description="how often one was paused")] = 0
    subscription_cancellations: Annotated[int, Meta(ge=0, description="how often one was cancelled")] = 0
    renewals_automatic: Annotated[
        int, Meta(ge=0, description="renewals for which the customer did nothing")
    ] = 0
    renewals_manual: Annotated[int, Meta(ge=0, description="renewals by the customer's own hand")] = 0
    last_renewed_at: Annotated[datetime | None, Meta(description="the last renewal")] = None

    # the person; attributes and events of the shop's own
    birthday_known: Annotated[
        bool, Meta(description="whether the birthday is known (the day itself is personal)")
    ] = False
    preferences_known: Annotated[bool, Meta(description="whether preferences are known")] = False
    email_known: Annotated[bool, Meta(description="whether an e-mail address is known")] = False
    phone_known: Annotated[bool, Meta(description="whether a phone number is known")] = False
    consents: Annotated[list[str], Meta(description="purposes of which the customer approves")] = []
    consents_withdrawn: Annotated[
        list[str], Meta(description="purposes of which the customer disapproves")
    ] = []
    attributes: Annotated[
        dict[str, str | int | float | bool],
        Meta(description="the shop's own attributes: `customer.attributes.plan == 'pro'`"),
    ] = {}
    custom: Annotated[
        dict[str, int],
        Meta(
            description="how often each of the shop's own events came: `customer.custom['x.workout.finished'] >= 10`"
        ),
    ] = {}

    # business accounts
    account_id: Annotated[str | None, Meta(description="the business account")] = None
    account_role: Annotated[str | None, Meta(description="the customer's role there")] = None
    contract_renews_on: Annotated[
        str | None, Meta(description="the day on which its contract renews, such as `2027-01-31`")
    ] = None
    business_reviews_held: Annotated[int, Meta(ge=0, description="business reviews held")] = 0
    business_reviews_missed: Annotated[
        int, Meta(ge=0, description="business reviews missed since one was held")
    ] = 0

    # compared with all
    rfm_recency: Annotated[
        int | None, Meta(description="1 to 5: the fifth that `recency_percentile` falls into")
    ] = None
    rfm_value: Annotated[
        int | None,
        Meta(description="1 to 5: the mean of the fifths of `orders_percentile` and `spend_percentile`"),
    ] = None
