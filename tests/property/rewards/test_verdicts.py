"""Why not: whatever happened, in whatever order, each rule's verdict agrees with the ledger and names a real reason."""

from copy import deepcopy
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.explaining.verdict_words import event_sentence, verdict_sentence
from services.rewards.domain.explaining.verdicts import Given, as_before, verdicts
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from tests.unit.rewards.building import (
    NOW,
    PROGRAM,
    Life,
    activity,
    cancellation,
    order,
    refund,
    rulebook,
)

RULES = rulebook(
    PROGRAM.replace(
        "  redeem:",
        """    - {id: first-big, on: order.completed, points: 7, limit: {times: 1, per: P1M}}
    - {id: few-a-day, on: order.completed, points_per_unit: 0.5, cap: {order: 20, day: 25, customer: 60}}
    - {id: golden, on: order.completed, points: 3, tiers: [gold, platinum], minimum_order: 1}
    - {id: spring, on: order.completed, points: 5, from: 2026-05-01, until: 2026-05-20}
    - {id: monthly, on: order.completed, points_per_unit: 0.1, limit: {times: 1, per: P1M}}
  redeem:""",
    )
)
DAYS = st.integers(-70, 0).map(lambda days: NOW + timedelta(days=days))
FACTS = st.fixed_dictionaries(
    {"orders": st.integers(0, 11), "segments": st.sampled_from([[], ["vip"], ["lapsed"]])}
)
ORDER_IDS = st.sampled_from(["1", "2", "3"])
TOTALS = st.sampled_from(["0.00", "0.40", "1.00", "49.20", "250.00"])


@st.composite
def happenings(draw: st.DrawFn) -> list[Activity]:
    """Events of one customer, each with an identity of its own."""
    kinds = st.sampled_from(["order", "refund", "cancel", "review", "follow", "register", "view"])
    made = []
    for number, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=14))):
        name = f"event-{number}"
        more = {"at": draw(DAYS), "facts": draw(FACTS), "unrewarded": draw(st.integers(0, 9)) == 0}
        match kind:
            case "order":
                currency = draw(st.sampled_from(["USD", "USD", "EUR"]))
                one = order(draw(ORDER_IDS), draw(TOTALS), name=name, currency=currency, **more)
            case "refund":
                one = refund(draw(ORDER_IDS), f"r{number}", draw(TOTALS), name=name, **more)
            case "cancel":
                one = cancellation(draw(ORDER_IDS), name=name, **more)
            case "review":
                one = activity("review.posted", name, rating=draw(st.integers(1, 5)), **more)
            case "follow":
                one = activity("social.followed", name, network=draw(st.sampled_from("xy")), **more)
            case "register":
                one = activity("customer.registered", name, **more)
            case _:
                one = activity("page.viewed", name, **more)
        made.append(one)
    return made


def given_by(life: Life, asked: Activity) -> dict[str, Given]:
    """What the ledger and the codes say that each rule gave for the activity."""
    found: dict[str, Given] = {}
    for entry in life.changes.entries:
        if entry.cause == asked.id and entry.kind == "earn" and entry.rule is not None:
            before = found.get(entry.rule, Given())
            found[entry.rule] = Given(before.points + entry.points, before.entries, before.offers)
    for offer in life.changes.offers:
        if offer.cause == asked.id:
            before = found.get(offer.rule, Given())
            found[offer.rule] = Given(before.points, before.entries, (*before.offers, offer.code))
    return found


@settings(max_examples=150)
@given(happenings())
def test_every_verdict_is_what_was_decided_however_much_happened_since(happened: list[Activity]) -> None:
    """Given a life in which each decision told its reasons at once; when they are asked for later; then each rule's
    reason is the one of then, and gave what the ledger says."""
    life, reasons, tiers = Life(RULES), {}, {}
    for each in happened:
        tiers[each.id], life.changes.skips = life.member.tier, []
        life.happen(each)
        reasons[each.id] = {skip.rule: skip.why for skip in life.changes.skips}

    for number, asked in enumerate(happened):
        gave = given_by(life, asked)
        later = [each.id for each in happened[number + 1 :]]
        before = as_before(deepcopy(life.member), asked, tiers[asked.id], later)
        found = verdicts(asked, before, life.rules, gave, now=NOW)
        assert {one.id for one in found if one.why is None} == gave.keys()
        for one in found:
            if one.why is not None and one.id in reasons[asked.id]:
                assert one.why is reasons[asked.id][one.id]
            elif one.why is not None:
                assert one.why in {Why.CONDITION, Why.UNREWARDED}
            assert one.why is not Why.CONDITION or (
                one.condition is not None and one.condition.holds is not True
            )
            assert verdict_sentence(one, asked, life.rules.program).endswith(".")
        assert event_sentence(found, asked).endswith(".")
