"""What a change of the program means, in words that a marketer reads."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.program import default_program_text
from shared.program.conditions.condition import Condition
from shared.program.conditions.formula import Formula
from shared.program.describing.difference import Kind, difference
from shared.program.model.program import Program
from shared.program.model.tiers import Measure
from shared.program.parse import load_program
from shared.program.templating.template import Piece
from shared.program.values.period import Period
from tests.unit.program.texts import load

DEFAULT = default_program_text()


def sentences(before: str, after: str) -> list[str]:
    """The difference of two texts."""
    return [change.sentence for change in difference(load_program(before), load_program(after))]


def changed(*pairs: tuple[str, str]) -> str:
    """The default program with some words exchanged."""
    text = DEFAULT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("at: 200.01", "at: 250", "Gold now begins at 250 USD instead of 200.01 USD."),
        (
            "at: 2000, keep_for: P12M,",
            "at: 2000,",
            "Platinum is no longer kept for 12 months.",
        ),
        (
            "{perk: free-shipping}",
            "{perk: lounge}",
            "Gold no longer brings free-shipping. | Gold now brings lounge.",
        ),
        (
            'subject: "How can we help?"',
            'subject: "What can we do?"',
            ("Template how-can-we-help is now headed “What can we do?” instead of “How can we help?”."),
        ),
        ("percent: 15", "percent: 20", "Offer gold-15 now gives 20 % off instead of 15 % off."),
        ("gift: tote-bag", "gift: mug", "Offer fifth now gives the gift mug instead of tote-bag."),
        (
            "points: 50, limit: {times: 2, per: P1M}",
            "points: 75",
            (
                "Earn rule review now gives 75 points instead of 50 points."
                " | Earn rule review no longer gives points at most 2 times per month."
            ),
        ),
        (
            "    - {id: referral,   on: referral.converted,  points: 300}\n",
            "",
            "Earn rule referral is gone, and its id is not used again: 300 points, on referral.converted.",
        ),
        (
            "  fifth:    {gift: tote-bag, valid_for: P60D}",
            "  fifth:    {gift: tote-bag, valid_for: P60D}\n  mug: {gift: mug, valid_for: P1M}",
            "New offer mug: a gift: mug, valid for 1 month, once.",
        ),
        (
            "expire_after: P12M",
            "expire_after: P24M",
            "Points now expire after 24 months instead of 12 months.",
        ),
        (
            "value: 1.00",
            "value: 2.00",
            "100 points are worth 2 USD now; before, 100 points are worth 1 USD.",
        ),
        ("minimum: 500", "minimum: 100", "Points are now spent from 100 points on instead of 500 points on."),
        ("tenure: 5", "tenure: 9", "In the score, tenure now weighs 9 instead of 5."),
        (
            "lapsed_after: P60D",
            "lapsed_after: P90D",
            "Customers now lapse after silence for 90 days instead of 60 days.",
        ),
        (
            "America/New_York",
            "Europe/Berlin",
            "The program now begins and ends its days in Europe/Berlin instead of America/New_York.",
        ),
        (
            "customer.orders == 10",
            "customer.orders == 12",
            "Milestone tenth-order is now reached when customer.orders == 12 instead of customer.orders == 10.",
        ),
        ("holdout: 10%", "holdout: 20%", "Campaign we-miss-you now leaves alone 20 % instead of 10 %."),
        ("21:00-08:00", "20:00-08:00", "Messages now rest from 20:00 instead of 21:00."),
        (
            "sms_after_unopened: 5",
            "sms_after_unopened: 5, consent: unless_withdrawn",
            "Messages now ask for consent: unless withdrawn instead of required.",
        ),
    ],
)
def test_a_change_in_one_sentence(old: str, new: str, said: str) -> None:
    assert " | ".join(sentences(DEFAULT, changed((old, new)))) == said


def test_an_earlier_version_in_force_again_uses_up_no_id() -> None:
    rule = "points: {earn: [{id: a, on: order.completed, points: 5}]}"
    first, second = replace(load(""), version=1), replace(load(rule), version=2)
    (gone,) = difference(second, first)
    assert gone.sentence == "Earn rule a is gone: 5 points, on order.completed."


def test_what_can_be_spent_and_what_no_more() -> None:
    with_it, without = load("points: {redeem: {points: 100, value: 1}}"), load("")
    (added,), (removed,) = difference(without, with_it), difference(with_it, without)
    assert (
        added.sentence == "Points can now be spent: 100 points are worth 1 USD; at least 100 points at once."
    )
    assert (added.kind, removed.kind) == (Kind.ADDED, Kind.REMOVED)


def test_a_promotion_tells_its_days_in_the_program_s_zone() -> None:
    rule = (
        "points: {{earn: [{{id: a, on: order.completed, points: 5, from: 2026-11-{}, until: 2026-11-30}}]}}"
    )
    (change,) = difference(load(rule.format(27)), load(rule.format(28)))
    assert change.sentence == "Earn rule a now begins on 2026-11-28 instead of 2026-11-27."
    assert (change.path, change.before, change.after) == ("points.earn.a.begins", "2026-11-27", "2026-11-28")


def test_comments_and_order_are_no_difference() -> None:
    lines = [line for line in DEFAULT.splitlines() if "id: follow" not in line]
    follow = next(line for line in DEFAULT.splitlines() if "id: follow" in line)
    first = lines.index("  earn:") + 1
    moved = "\n".join([*lines[:first], follow, "    # a word", *lines[first:]])
    assert sentences(DEFAULT, moved) == []


FULL = load(
    """
    points:
      expire_after: P12M
      notice_before: P30D
      pending_for: P14D
      count: {shipping: false}
      earn:
        - {id: a, on: order.completed, points_per_unit: 1, products: [x], without: {categories: [c]}, from: 2026-01-01,
           minimum_order: 5, until: 2026-02-01, tiers: [gold],
           cap: {order: 5, day: 6, month: 7, customer: 8, program: 9}}
        - {id: b, on: order.completed, multiply: 2, when: "customer.orders > 3"}
        - {id: c, on: social.followed, points: 5, limit: {times: 1, per: network}}
      referral: {id: friend, points: 3, friend: 4, kept_for: P14D, minimum_order: 5, limit: {times: 3}}
      redeem: {points: 100, value: 1, minimum: 200, reserve_for: PT30M}
    tiers:
      basis: {spend_over: P12M}
      grace: P30D
      notice_before: P14D
      levels:
        - {id: member, name: Member}
        - {id: gold, name: Gold, at: 200, keep_for: P12M, benefits: [{every: P1M, offer: o}, {perk: p}]}
    offers:
      o: {discount: {percent: 5, at_most: 20}, valid_for: P1M, uses: 2, minimum_order: 9, limit: {times: 1}, stock: 5}
      s: {discount: {amount: 5}, code: SPRING, combinable: true, categories: [Toys], from: 2026-01-01,
          until: 2026-01-31}
    rewards: {mug: {points: 800, gift: mug, tiers: [gold], products: [x]}}
    milestones:
      - {id: m, when: "customer.orders == 5", points: 5, offer: o}
      - {id: n, on: customer.birthday, points: 5}
    segments: {vip: "customer.spend > 5"}
    stages: {lapsed_after: P60D, churned_after: P180D, at_risk_at: 1.5}
    score: {parts: [{id: own, value: "customer.orders > 3", points: 50, otherwise: 5, weight: 3}]}
    campaigns:
      - {id: k, on: order.completed, when: "customer.orders > 3", do: [{offer: o}, {message: t}], holdout: 5%,
         at_most: {times: 1, per: P1M}, success: {on: order.completed, within: P3D}}
      - {id: l, on: x.left, after: PT4H, do: [{points: 5}, {tag: left}, {alert: look}, {webhook: crm}]}
      - {id: ab, on: x.seen, variants: {a: {do: [{message: t}]}, b: {share: 30%, do: [{tag: seen}]}}}
    messages: {quiet_hours: "21:00-08:00", at_most: {times: 2, per: P7D}, channels: [email, sms], sms_after_unopened: 5}
    templates: {t: {subject: Hello, text: How are you?}}
    """
)


def variants(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: PLR0912  # a branch a type
    """All values that differ from this one in one place, each with the place."""
    match value:
        case bool():
            yield "", not value
        case int() | Decimal():
            yield "", value + 1
        case Condition():
            yield "", Condition.compile("customer.orders == 77")
        case Piece():
            yield "", replace(value, source="Something else")
        case Formula():
            yield "", replace(value, source="customer.orders + 77")
        case Period():
            yield "", Period(value.months + 1, value.rest)
        case ZoneInfo():
            yield "", ZoneInfo("Asia/Tokyo")
        case datetime():
            yield "", value + timedelta(days=1)
        case time():
            yield "", time(3, 3)
        case Measure():
            yield "", Measure.POINTS
        case str():
            yield "", value + "x"
        case frozenset():
            yield "", value | {"another"}
        case tuple():
            for at, inner in enumerate(value):
                yield f"[{at}]", (*value[:at], *value[at + 1 :])
                for place, other in variants(inner):
                    yield f"[{at}]{place}", (*value[:at], other, *value[at + 1 :])
        case Mapping():
            for key, inner in value.items():
                for place, other in variants(inner):
                    yield f".{key}{place}", {**value, key: other}
        case _ if is_dataclass(value) and not isinstance(value, type):
            yield from _variants_of_fields(value)


def _variants_of_fields(value: Any) -> Iterator[tuple[str, Any]]:
    for one in fields(value):
        if one.name in ("id", "version", "removed_ids") or not one.init:  # these follow from the others
            continue
        inner = getattr(value, one.name)
        if inner is not None and one.default is None:
            yield f".{one.name}", replace(value, **{one.name: None})
        for place, other in variants(inner):
            yield f".{one.name}{place}", replace(value, **{one.name: other})


ALL = dict(variants(FULL))


@pytest.mark.parametrize("place", ALL)
def test_no_field_changes_unsaid(place: str) -> None:
    """Given a program with every key and one that differs in one place; then that is told, in a whole sentence and
    without the program's inner names, both ways."""
    other = ALL[place]
    for before, after in ((FULL, other), (other, FULL)):
        for change in (told := difference(before, after)):
            assert change.sentence.endswith(".")
            assert change.before != change.after
            assert not any(word in change.sentence for word in ("None", "Decimal", "frozenset", "=(", "<"))
        assert told


def test_a_program_does_not_differ_from_itself() -> None:
    assert difference(FULL, FULL) == []
    assert isinstance(FULL, Program)
