"""The section `points`: what it refuses, and where."""

from decimal import Decimal

import pytest

from shared.program.values.period import Period
from tests.unit.program.texts import HEAD, faults, load, only_fault

PURCHASE = "{id: purchase, on: order.completed, points_per_unit: 1}"


def earn(rule: str) -> str:
    return f"points: {{earn: [{rule}]}}"


def test_a_program_without_points_gives_none() -> None:
    points = load("").points
    assert points.earn == ()
    assert points.redeem is None
    assert points.pending_for == Period()


@pytest.mark.parametrize(
    ("rule", "said", "hint"),
    [
        ("{id: a, on: order.complete, points: 5}", "no event type order.complete", "order.completed"),
        ("{id: a, on: x.Shout, points: 5}", "no event type x.Shout", "x.workout.finished"),
        ("{id: a, on: order.completed}", "gives nothing", "points, points_per_unit or multiply"),
        ("{id: a, on: order.completed, points: 5, points_per_unit: 2}", "both points and", "exactly one"),
        ("{id: a, on: review.posted, points: 0}", "between 1 and", ""),
        ("{id: a, on: review.posted, points: -5}", "between 1 and", ""),
        ("{id: a, on: review.posted, points: 1.5}", "whole number", "without quotes"),
        ("{id: a, on: review.posted, points: '5'}", "whole number", "without quotes"),
        ("{id: a, on: review.posted, points: many}", "whole number", ""),
        ("{id: a, on: review.posted, points: [5]}", "single value, not a list", ""),
        ("{id: a, on: review.posted, points_per_unit: 1}", "no amount that was paid", "points for a fixed"),
        ("{id: a, on: order.completed, points_per_unit: 0}", "more than 0", ""),
        ("{id: a, on: order.completed, points_per_unit: 1e3}", "needs a number", ""),
        ("{id: a, on: order.completed, points_per_unit: $1}", "needs a number", "currency"),
        ("{id: a, on: review.posted, points: 5, when: 'customer.orders'}", "true or false", "Compare"),
        ("{id: a, on: review.posted, points: 5, when: 'false'}", "never be true", "remove"),
        ("{id: a, on: review.posted, points: 5, when: 'event.rating > 5'}", "never be true", "remove"),
        ("{id: a, on: review.posted, points: 5, limit: {per: P1M}}", "times is missing", "{times: 2"),
        ("{id: a, on: review.posted, points: 5, limit: {times: 0}}", "between 1 and", ""),
        ("{id: a, on: review.posted, points: 5, limit: 2}", "Keys and values are needed", "times, per"),
        (
            "{id: a, on: social.followed, points: 5, limit: {times: 1, per: netwerk}}",
            "no field netwerk",
            "network",
        ),
        ("{id: a, on: review.posted, points: 5, limit: {times: 1, per: text}}", "no field text", "personal"),
        ("{id: a, on: review.posted, points: 5, limit: {times: 1, per: P0D}}", "longer than nothing", ""),
        ("{id: Big Spender, on: review.posted, points: 5}", "cannot be an id", "small letters"),
        ("{id: refund, on: review.posted, points: 5}", "reserved", "another"),
        ("{on: review.posted, points: 5}", "id is missing", "for ever"),
        ("{id: a, points: 5}", "on is missing", "order.completed"),
        ("{id: a, on: , points: 5}", "on has no value", "remove it"),
        ("{id: a, on: review.posted, points: 5, wen: 'true'}", "no key wen", "Did you mean when?"),
        ("just-words", "Keys and values are needed", "id, on"),
    ],
)
def test_a_wrong_earn_rule_is_refused(rule: str, said: str, hint: str) -> None:
    fault = only_fault(earn(rule))
    assert said in fault.message
    assert hint in fault.hint
    assert fault.path.startswith("points.earn[0]")
    assert fault.line == 4


def test_the_place_of_a_fault_is_that_of_the_value() -> None:
    fault = only_fault(
        """
        points:
          earn:
            - id: follow
              on: social.followed
              points: 20
              limit: {times: 1, per: netwerk}
        """
    )
    assert (fault.line, fault.column) == (9, 30)
    assert fault.path == "points.earn[0].limit.per"


def test_a_multiplier_needs_something_to_multiply() -> None:
    fault = only_fault(earn("{id: twice, on: order.completed, multiply: 2}"))
    assert "nothing to multiply" in fault.message
    assert fault.path == "points.earn[0].multiply"


def test_a_multiplier_may_stand_before_what_it_multiplies() -> None:
    rules = load(earn("{id: twice, on: order.completed, multiply: 1.5}, " + PURCHASE)).points.earn
    assert rules[0].multiply == Decimal("1.5")


@pytest.mark.parametrize("factor", ["1", "0.5", "0", "-2", "1001"])
def test_a_multiplier_multiplies(factor: str) -> None:
    fault = only_fault(earn(PURCHASE + f", {{id: m, on: order.completed, multiply: {factor}}}"))
    assert fault.path == "points.earn[1].multiply"


def test_a_shop_s_own_event_may_have_any_field() -> None:
    rule = load(
        earn("{id: a, on: x.workout, points: 5, when: 'event.minutes > 30', limit: {times: 1, per: gym}}")
    )
    assert rule.points.earn[0].limit is not None
    assert rule.points.earn[0].limit.per == "gym"


@pytest.mark.parametrize(
    ("redeem", "path"),
    [
        ("{points: 100}", "points.redeem"),
        ("{value: 1}", "points.redeem"),
        ("{points: 100, value: 0}", "points.redeem.value"),
        ("{points: 100, value: 0.005}", "points.redeem.value"),
        ("{points: 100, value: -1}", "points.redeem.value"),
        ("{points: 100, value: 1, minimum: 0}", "points.redeem.minimum"),
        ("{points: 100, value: 0.01, minimum: 50}", "points.redeem.minimum"),
        ("{points: 100, value: 1, reserve_for: P0D}", "points.redeem.reserve_for"),
    ],
)
def test_points_must_be_worth_something_that_can_be_paid(redeem: str, path: str) -> None:
    assert only_fault(f"points: {{redeem: {redeem}}}").path == path


def test_a_currency_without_decimals_has_whole_values() -> None:
    yen = HEAD.replace("USD", "JPY")
    assert "0 decimals" in only_fault("points: {redeem: {points: 1, value: 0.5}}", head=yen).message
    assert not faults("points: {redeem: {points: 1, value: 5}}", head=yen)


def test_the_minimum_is_one_value_when_the_program_names_none() -> None:
    redeem = load("points: {redeem: {points: 200, value: 1}}").points.redeem
    assert redeem is not None
    assert redeem.minimum == 200


@pytest.mark.parametrize(
    ("periods", "path"),
    [
        ("expire_after: P1M, notice_before: P2M", "points.notice_before"),
        ("expire_after: P30D, notice_before: P30D", "points.notice_before"),
        ("notice_before: P30D", "points.notice_before"),
        ("expire_after: P1M, pending_for: P2M", "points.pending_for"),
        ("expire_after: P0D", "points.expire_after"),
        ("expire_after: 12 months", "points.expire_after"),
        ("expire_after: -P1M", "points.expire_after"),
        ("expire_after: P200Y", "points.expire_after"),
    ],
)
def test_periods_must_fit_together(periods: str, path: str) -> None:
    assert only_fault(f"points: {{{periods}}}").path == path


@pytest.mark.parametrize(
    ("keys", "said", "hint"),
    [
        ("expire_at: whenever", "cannot expire at whenever", "end_of_day"),
        ("expire_at: end_of_yaer", "cannot expire at end_of_yaer", "Did you mean end_of_year?"),
        ("expire_after: P0D", "longer than nothing", "P30D"),
        ("renewed_by: [order.completed]", "how long points last", "expire_after"),
        (
            "expire_after: P1Y, renewed_by: [order.complete]",
            "no event type order.complete",
            "order.completed",
        ),
        ("expire_after: P1Y, renewed_by: [[a]]", "event type is needed", "order.completed"),
        ("expire_after: P1Y, renewed_by: []", "nothing in renewed_by", "order.completed"),
        ("expire_after: P1Y, renewed_by: order.completed", "needs a list", "dash"),
        ("expire_after: P10D, notice_before: P10D", "shorter than expire_after", ""),
        ("notice_before: P10D", "never expire", "Add expire_after"),
        ("expire_after: P10D, pending_for: P10D", "before they can be spent", "Shorten"),
    ],
)
def test_expiry_that_is_refused(keys: str, said: str, hint: str) -> None:
    fault = only_fault(f"points: {{{keys}}}")
    assert said in fault.message
    assert hint in fault.hint


def test_expiry_at_the_end_of_a_year_needs_no_period() -> None:
    points = load("points: {expire_at: end_of_year, notice_before: P30D}").points
    assert (points.expire_after, points.expire_at) == (Period(), "year")


def test_expiry_by_inactivity() -> None:
    points = load(
        "points: {expire_after: P18M, expire_at: end_of_month, renewed_by: [order.completed, x.visit]}"
    ).points
    assert (points.expire_after, points.expire_at) == (Period(18), "month")
    assert points.renewed_by == {"order.completed", "x.visit"}
