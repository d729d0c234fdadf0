"""`/v1/metrics`, `/v1/cohorts`, `/v1/completeness`."""

from typing import Any

import pytest

from services.scoring.adapters.metrics.rollups import PostgresRollups
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.application.metrics.roll_up import count_anew
from tests.integration.scoring.api import Api
from tests.support.clock import ManualClock
from tests.support.life import moment


async def months(api: Api, **query: Any) -> dict[str, dict[str, Any]]:
    """The items of an answer, by month."""
    await api.world.roll_up(moment(40))
    answer = await api.get("/v1/metrics", **query)
    assert answer.status_code == 200, answer.text
    return {item["month"]: item for item in answer.json()["items"]}


async def test_metrics_come_by_month(api: Api):
    """Given two buyers in January, one of whom comes back in February; then the months say so, in figures and rates."""
    await api.order(0, "1", total="10.00", id="c-1")
    await api.order(10, "2", total="30.00", id="c-1")
    await api.order(5, "1", total="20.00", id="c-2")
    await api.order(35, "3", total="40.00", id="c-1")

    items = await months(api)

    assert list(items)[-2:] == ["2026-01", "2026-02"]
    assert len(items) == 12
    january, february = items["2026-01"], items["2026-02"]
    assert (january["orders"], january["revenue"], january["order_value"]) == (3, "60.00", "20.00")
    assert (january["buyers"], january["new_buyers"], january["retention_rate"]) == (2, 2, None)
    assert (january["repeat_purchase_rate"], january["lifetime_value"]) == (0.5, "30.00")
    assert (february["retention_rate"], february["lifetime_value"]) == (0.5, "50.00")
    assert (january["order_interval_days"], february["order_interval_days"]) == (10, 25)
    assert (january["complete"], february["complete"]) == (True, False)
    assert items["2025-12"]["orders"] == 0


async def test_a_refund_and_a_cancellation_change_the_month_of_the_order(api: Api):
    """Given two orders in January; when one is refunded in part and one cancelled in February; then January changes."""
    await api.order(0, "1", total="10.00", id="c-1")
    await api.order(1, "2", total="30.00", id="c-1")
    assert (await months(api))["2026-01"]["revenue"] == "40.00"
    refund = {"order_id": "1", "refund_id": "r", "total": "2.50"}
    await api.world.feed(await api.sealed("order.refunded", 35, {"id": "c-1"}, refund))
    await api.world.feed(await api.sealed("order.cancelled", 36, {"id": "c-1"}, {"order_id": "2"}))

    january = (await months(api))["2026-01"]

    assert (january["orders"], january["revenue"]) == (1, "7.50")


async def test_surveys_engagement_and_diversity(api: Api):
    """Given answers and visits in January; then NPS, CSAT, engagement and diversity are those of their formulas."""
    for number, score in enumerate([10, 9, 8, 3]):
        answer = {"kind": "nps", "score": float(score)}
        await api.world.feed(await api.sealed("survey.answered", number, {"id": f"c-{number}"}, answer))
    for number, score in enumerate([5, 4, 1]):
        answer = {"kind": "csat", "score": float(score)}
        await api.world.feed(await api.sealed("survey.answered", number, {"id": "c-1"}, answer))
    lines = [{"sku": sku, "quantity": 1, "unit_price": "1.00"} for sku in ("a", "b", "a")]
    bought = {"order_id": "1", "currency": "USD", "total": "3.00", "lines": lines}
    await api.world.feed(await api.sealed("order.completed", 9, {"id": "buyer"}, bought))

    january = (await months(api))["2026-01"]

    assert (january["nps"], january["nps_answers"]) == (25, 4)
    assert (january["csat"], january["csat_answers"]) == (66.6667, 3)
    assert (january["engaged"], january["engagements"], january["engagement_rate"]) == (4, 7, 0.8)
    assert (january["customers"], january["diversity"]) == (5, 2)


async def test_churn_stands_against_engagement(api: Api, clock: ManualClock):
    """Given two who order once, one of whom keeps visiting; when half a year has passed; then both churn rates differ
    by whom they are about."""
    await api.order(0, "1", id="visitor")
    await api.order(0, "1", id="silent")
    await api.order(100, "1", id="late")
    await api.world.feed(await api.sealed("page.viewed", 145, {"id": "visitor"}, {}))
    clock.set(moment(185))
    await api.world.roll_up(moment(185))

    items = {one["month"]: one for one in (await api.get("/v1/metrics")).json()["items"]}

    june = items["2026-06"]
    assert (june["churned"], june["churn_rate"]) == (2, 0.6667)
    assert (june["churn_rate_engaged"], june["churn_rate_others"]) == (1, 0.5)


async def test_cohorts_follow_buyers_from_their_first_month(api: Api):
    """Given two who first bought in January, of whom one buys again in February, and one more in February; then the
    table has two rows with what each did in each month."""
    await api.order(0, "1", total="10.00", id="c-1")
    await api.order(1, "1", total="20.00", id="c-2")
    await api.order(35, "2", total="40.00", id="c-1")
    await api.order(36, "1", total="5.00", id="c-3")
    await api.world.feed(await api.sealed("page.viewed", 3, {"id": "never-bought"}, {}))
    await api.world.roll_up(moment(40))

    body = (await api.get("/v1/cohorts")).json()

    january, february = body["items"]
    assert (january["cohort"], january["customers"]) == ("2026-01", 2)
    assert [one["buyers"] for one in january["months"]] == [2, 1]
    assert [one["retention_rate"] for one in january["months"]] == [1, 0.5]
    assert [one["lifetime_value"] for one in january["months"]] == ["15.00", "35.00"]
    assert (february["cohort"], [one["revenue"] for one in february["months"]]) == ("2026-02", ["5.00"])


async def test_completeness_counts_what_was_told_and_says_what_to_do(api: Api):
    """Given one customer with an e-mail address and a birthday, and one without; then the fields say so."""
    known = {"id": "c-1", "email": "ana@example.com", "birthday": "1990-05-17"}
    await api.world.feed(await api.sealed("customer.registered", 0, known, {}))
    await api.order(1, "1", id="c-2")
    await api.world.roll_up()

    body = (await api.get("/v1/completeness")).json()

    fields = {one["field"]: one for one in body["fields"]}
    assert (body["customers"], body["completeness"]) == (2, 0.1111)
    assert (fields["birthday"]["known"], fields["birthday"]["missing"], fields["birthday"]["share"]) == (
        1,
        1,
        0.5,
    )
    assert "customer.updated" in fields["birthday"]["remedy"]
    assert fields["phone"]["known"] == 0


async def test_as_of_says_what_is_counted(api: Api):
    """Given an order that was taken in and not counted yet; then `as_of` is the moment at which it was taken in."""
    first = (await api.get("/v1/metrics")).json()
    await api.order(0, "1", id="c-1")
    waiting = (await api.get("/v1/metrics")).json()
    await api.world.roll_up()

    assert (
        first["as_of"]
        == (await api.get("/v1/metrics")).json()["as_of"]
        == moment(40).isoformat().replace("+00:00", "Z")
    )
    assert waiting["as_of"] <= first["as_of"]
    assert waiting["items"][-2]["orders"] == 0


async def test_counting_anew_comes_to_the_same(api: Api):
    """Given sums that somebody spoilt; when everything is counted from nothing; then they are right."""
    await api.order(0, "1", total="10.00", id="c-1")
    before = await months(api)
    async with api.world.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE scoring.metric_sums SET revenue = 1")
        await count_anew(connection, PostgresStale(), PostgresRollups(), moment(40), from_nothing=True)

    assert await months(api) == before


async def test_other_rules_have_everybody_counted_anew(api: Api):
    """Given counted orders; when the rollups turn out to be of other rules; then all are made anew, once."""
    await api.order(0, "1", total="10.00", id="c-1")
    before = await months(api)
    async with api.world.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE scoring.rollup_rules SET rules = 'another zone'")
        await connection.exec_driver_sql("DELETE FROM scoring.rollups")
        await connection.exec_driver_sql("DELETE FROM scoring.metric_sums")
    api.world.forget_rules()

    assert await months(api) == before
    assert await api.world.rows("SELECT 1 FROM scoring.stale_rollups") == []


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/v1/metrics", {"from": "2026-13"}, "from"),
        ("/v1/metrics", {"from": "yesterday"}, "from"),
        ("/v1/metrics", {"from": "0001-01"}, "from"),
        ("/v1/metrics", {"from": "2026-03", "to": "2026-02"}, "from"),
        ("/v1/metrics", {"from": "2027-01"}, "from"),
        ("/v1/metrics", {"from": "1990-01"}, "from"),
        ("/v1/metrics", {"by": "year"}, "by"),
        ("/v1/metrics", {"by": "segment", "segment": "vip"}, "segment"),
        ("/v1/cohorts", {"to": "2026-1"}, "to"),
        ("/v1/completeness", {"segment": "a\nb"}, "segment"),
        ("/v1/completeness", {"segment": ""}, "segment"),
    ],
)
async def test_bad_questions_get_a_problem(api: Api, path: str, query: dict[str, str], parameter: str):
    """Given a question that makes no sense; then a problem names the parameter."""
    answer = await api.get(path, **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["parameter"] == parameter


async def test_segments_are_compared_and_unknown_ones_refused(api: Api):
    """Given one customer with one order and one with two; when segments are compared; then all of the program are
    there, after all customers; each shows its members, as it does alone; a segment that there is not is refused."""
    await api.order(0, "1", total="10.00", id="c-1")
    for number in (1, 2):
        await api.order(number, str(number), total="20.00", id="c-2")
    async with api.world.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE scoring.customers SET segments = 'one-time' WHERE orders = 1"
        )
    await api.world.roll_up()

    items = (await api.get("/v1/metrics", by="segment")).json()["items"]
    alone = (await months(api, segment="one-time"))["2026-01"]
    unknown = await api.get("/v1/metrics", segment="nobody")

    by_name = {one["segment"]: one for one in items}
    assert items[0]["segment"] is None
    assert {"one-time", "vip"} <= by_name.keys()
    assert [by_name[name]["revenue"] for name in (None, "one-time", "vip")] == ["50.00", "10.00", "0.00"]
    assert by_name["one-time"]["repeat_purchase_rate"] == 0
    assert (alone["orders"], alone["revenue"]) == (1, "10.00")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_segment")


async def test_metrics_need_a_key_that_may_read_profiles(api: Api):
    """Given no key, or one for rewards; then 401 and 403."""
    for path in ("/v1/metrics", "/v1/cohorts", "/v1/completeness"):
        assert (await api.get(path, key="none")).status_code == 401
        assert (await api.get(path, key="other")).status_code == 403
