"""Draws whole lives for property tests: every type of the catalogue and of the shop's own, with ids and times that
collide, arriving in any order."""

from typing import Any

from hypothesis import strategies as st

from services.scoring.domain.event import Event
from services.scoring.domain.language.reading import TAGS, Mention, Reading
from shared.contracts.catalogue import CATALOGUE
from tests.support.life import event, moment

HALF_HOURS = st.integers(0, 48 * 500)
SOME_ID = st.sampled_from(["A", "B", "C"])
NAMES = st.sampled_from(["mug", "tea", "pot", "cup"])
MAYBE = st.none() | NAMES
AMOUNTS = st.decimals("0", "300", places=2).map(str)
TYPES = (*CATALOGUE, "x.workout.finished", "x.other")
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["plan", "height", "vip"]),
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 2.5]) | NAMES,
)


@st.composite
def _data(draw: st.DrawFn, type_: str) -> dict[str, Any]:  # noqa: PLR0911, PLR0912  # one line for each kind of data
    match type_:
        case "order.completed":
            lines = st.fixed_dictionaries({"sku": NAMES, "category": MAYBE, "quantity": st.just(1)})
            return {
                "order_id": draw(SOME_ID),
                "currency": draw(st.sampled_from(["USD", "EUR"])),
                "total": draw(AMOUNTS),
                "lines": draw(st.lists(lines, max_size=3)),
                "coupon": draw(MAYBE),
                "campaign": draw(MAYBE),
                "channel": draw(MAYBE),
            }
        case "order.refunded":
            return {"order_id": draw(SOME_ID), "refund_id": draw(SOME_ID), "total": draw(AMOUNTS)}
        case "order.cancelled":
            return {"order_id": draw(SOME_ID)}
        case "order.delivered":
            return {"order_id": draw(SOME_ID), "days_late": draw(st.integers(-2, 5))}
        case "review.posted":
            return {"rating": draw(st.integers(1, 5))}
        case "survey.answered":
            kind, score = draw(st.sampled_from([("nps", 10), ("csat", 5), ("NPS", 11), ("taste", 3)]))
            return {"kind": kind, "score": draw(st.none() | st.integers(0, score) | st.just(score - 0.5))}
        case "feedback.given":
            return {}
        case "customer.tagged" | "customer.untagged":
            return {"tag": draw(NAMES), "by": draw(MAYBE)}
    match type_.partition(".")[0]:
        case "customer" | "consent":
            consent = st.dictionaries(st.sampled_from(["email", "sms", "news.email"]), st.booleans())
            return {"customer": {"consent": draw(consent), "attributes": draw(ATTRIBUTES)}}
        case "email":
            return draw(st.just({}) | st.fixed_dictionaries({"message_id": SOME_ID}))
        case "ticket":
            priority, by = st.sampled_from(["normal", "urgent"]), st.sampled_from(["agent", "customer"])
            return {"ticket_id": draw(SOME_ID), "priority": draw(priority), "by": draw(by)}
        case "subscription":
            id_ = draw(st.just({}) | st.fixed_dictionaries({"subscription_id": SOME_ID}))
            renews_on = draw(st.none() | st.sampled_from(["2026-11-30", "2027-01-31"]))
            return {**id_, "plan": draw(MAYBE), "automatic": draw(st.booleans()), "renews_on": renews_on}
        case "account" | "stakeholder" | "contract" | "review":
            return {"account_id": draw(SOME_ID), "role": "buyer", "size": 3, "renews_on": "2027-01-31"}
    return {"feature": draw(NAMES), "network": "instagram"}


@st.composite
def _event(draw: st.DrawFn, number: int, half_hours: int) -> Event:
    type_ = draw(st.sampled_from(TYPES))
    sealed = draw(st.lists(st.sampled_from(["customer.email", "customer.birthday", "comment"]), unique=True))
    at = moment(minutes=30 * half_hours)
    plain = event(type_, at, draw(_data(type_)), id=f"event-{number}", sealed_fields=sealed)
    if draw(st.booleans()):
        return plain
    mentions = draw(st.lists(st.sampled_from(TAGS).map(lambda tag: Mention(tag, "text", 0, 4)), max_size=2))
    sentiment = draw(st.none() | st.integers(-100, 100))
    reading = Reading(engine="drawn", sentiment=sentiment, mentions=tuple(mentions))
    return Event(plain.at, plain.key, plain.record, reading)


@st.composite
def mixed_lives(draw: st.DrawFn, most: int = 20) -> list[Event]:
    """The events of one customer, in no order."""
    times = draw(st.lists(HALF_HOURS, min_size=1, max_size=most))
    return [draw(_event(number, at)) for number, at in enumerate(times)]
