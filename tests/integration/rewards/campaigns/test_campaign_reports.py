"""Reports of campaigns: from what happened on the stream and at the checkout to what it brought and cost."""

from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from services.rewards.adapters.campaigns.metrics import GOALS, MESSAGES, RUNS
from tests.integration.rewards.campaigns.campaign_shop import REPORT, Shop, arms, begin, name, paused
from tests.integration.rewards.campaigns.campaigning import after
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import NOW, cancellation, order, refund


@pytest.fixture
async def shop(rewards: Rewards, api: httpx.AsyncClient) -> Shop:
    """The campaign has begun for forty customers."""
    return await begin(rewards, api)


async def test_the_funnel_is_counted_once_a_customer_in_whatever_order_it_is_told(shop: Shop) -> None:
    """Given messages; when they are sent, opened, clicked, told twice, late, or in part; then each customer counts once
    at each step, an opening tells that it was sent, a click that it was opened; messages of others count nowhere."""
    one, two, three, four = shop.treated[:4]
    await shop.heard("email.sent", one, days=0.1)
    await shop.heard("email.opened", two, days=0.3)
    await shop.heard("email.sent", two, days=0.2)
    await shop.heard("email.opened", two, days=0.1)
    await shop.heard("email.clicked", three, days=0.2)
    await shop.heard("email.clicked", three, days=0.3)
    await shop.heard("sms.sent", four, days=0.1)
    await shop.heard("email.unsubscribed", one, days=0.4)
    await shop.heard("email.opened", shop.alone[0], days=0.1, message="msg_of-another-tool")
    await shop.heard("email.sent", shop.treated[5], days=0.1, message="another-tool's")

    found = await shop.arm("treated")

    assert [found[step] for step in ("sent", "opened", "clicked", "unsubscribed")] == [4, 2, 1, 1]
    assert (await shop.arm("holdout"))["sent"] == 0
    (moments,) = await shop.rewards.rows(
        "SELECT sent_at, opened_at FROM rewards.campaign_messages WHERE message = :id", id=shop.messages[two]
    )
    assert tuple(moments) == (after(0.2), after(0.1)), "of each the first time"


async def test_codes_that_stand_used_count_with_what_they_took_off(shop: Shop) -> None:
    """Given codes of the campaign; when one is used, and one is used for an order that is then cancelled; then the
    first alone counts, and what it took off is a cost."""
    one, two = shop.treated[:2]
    for customer, order_id in ((one, "o-1"), (two, "o-2")):
        answer = await shop.api.post(
            f"/v1/offers/{shop.codes[customer]}/redeem",
            json={"customer": customer, "order": {"order_id": order_id, "currency": "USD", "total": "60.00"}},
            headers={"Idempotency-Key": order_id},
        )
        assert answer.status_code == 200, answer.text
        await shop.happen(order(order_id, "54.00", customer=customer, at=after(1)))
    await shop.happen(cancellation("o-2", customer=two, at=after(2)))

    found = await shop.arm("treated")

    assert (found["redeemed"], Decimal(found["cost"]["discounts"])) == (1, Decimal("6.00"))
    assert Decimal(found["cost"]["total"]) == Decimal("6.00") + Decimal("0.50") * len(shop.treated)
    assert (found["goals"], found["buyers"], Decimal(found["revenue"])) == (2, 1, Decimal(54))


async def test_revenue_is_of_orders_in_time_less_refunds_in_both_arms(shop: Shop) -> None:
    """Given orders before the campaign began, in the time of its goal, and after; refunds; another currency; then only
    what is kept of orders in time counts, in the hold-out too."""
    one, alone = shop.treated[0], shop.alone[0]
    for customer in (one, alone):
        await shop.bought(customer, "1000.00", days=-1)
        kept = await shop.bought(customer, "80.00", days=2)
        await shop.bought(customer, "20.00", days=29.9)
        await shop.bought(customer, "1000.00", days=31)
        told = refund(kept, f"r-{customer}", "30.00", customer=customer, at=after(3))
        await shop.happen(told)
        foreign = order(f"f-{customer}", "500", customer=customer, at=after(4), currency="EUR")
        await shop.happen(foreign)

    found = await shop.report()

    for arm in found["arms"]:
        assert (arm["goals"], arm["buyers"], Decimal(arm["revenue"])) == (1, 1, Decimal(70)), arm["arm"]


async def test_few_customers_are_too_few_to_tell(shop: Shop) -> None:
    """Given a handful of orders; then the report has intervals, and says that they say nothing yet."""
    await shop.bought(shop.treated[0], "50", days=1)

    found = (await shop.report())["all"]

    assert found["against_holdout"]["goal"]["verdict"] == "too_few"
    assert found["against_holdout"]["revenue"]["verdict"] == "too_few"
    assert found["incremental"] == {"goals": None, "revenue": None, "gain": None, "return_on_cost": None}
    assert found["says"].endswith("too few to tell whether the campaign did anything.")
    low, high = (found["against_holdout"]["goal"]["difference"][end] for end in ("low", "high"))
    assert low < 0 < high


async def test_wrong_questions_are_answered_as_such(shop: Shop) -> None:
    """Given an unknown campaign, or a period that ends before it begins; then the answer says what is wrong."""
    unknown = await shop.api.get("/v1/campaigns/no-such/report")
    period = {"from": NOW.isoformat(), "to": after(-1).isoformat()}
    wrong = await shop.api.get(REPORT, params=period)
    garbage = await shop.api.get(REPORT, params={"from": "yesterday"})
    nonsense = await shop.api.get("/v1/campaigns/No%00pe/report")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert unknown.json()["detail"].endswith("It has: come-back.")
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "to")
    assert garbage.status_code == 422
    assert nonsense.status_code in {404, 422}


async def test_a_large_campaign_comes_to_what_scipy_and_statsmodels_make_of_the_same_rows(shop: Shop) -> None:
    """Given 3,000 customers of whom 40 in 100 order when they are left alone, and 50 when they are not; when their
    runs and orders are counted by the database; then every interval is that of scipy and statsmodels over the single
    sums, and holds the truth."""
    await shop.rewards.plant(
        "DELETE FROM rewards.campaign_runs",
        "SELECT setseed(0.4)",
        """INSERT INTO rewards.campaign_runs (customer_id, campaign, run, "on", cause, root, arm, started_at, due_at,
               state, program_version, goal_until, silent, wrote)
           SELECT 'cus_p' || n, 'come-back', 'run_' || n, 'x', n::text, n::text,
               CASE WHEN random() < 0.5 THEN 'holdout' ELSE 'treated' END, at, at, 'done', 1, at + interval '30 days',
               false, false
           FROM generate_series(1, 3000) AS n, (SELECT timestamptz '2026-05-01' AS at) AS t""",
        """INSERT INTO rewards.purchases (customer_id, order_id, placed_at, currency, total, net, counts, cancelled)
           SELECT customer_id, 'o', started_at + interval '3 days', 'USD', paid, paid, true, false
           FROM (SELECT customer_id, arm, started_at, round((10 - 40 * ln(random()))::numeric, 2) AS paid
                 FROM rewards.campaign_runs) AS r
           WHERE random() < CASE arm WHEN 'holdout' THEN 0.4 ELSE 0.5 END""",
        """UPDATE rewards.campaign_runs r SET reached_at = p.placed_at FROM rewards.purchases p
           WHERE p.customer_id = r.customer_id""",
    )
    rows = await shop.rewards.rows("""
        SELECT r.arm, coalesce(p.net, 0)::float8, reached_at IS NOT NULL FROM rewards.campaign_runs r
        LEFT JOIN rewards.purchases p USING (customer_id)""")
    paid = {arm: np.array([net for which, net, _ in rows if which == arm]) for arm in ("treated", "holdout")}
    goals = {arm: sum(reached for which, _, reached in rows if which == arm) for arm in paid}

    found = (await shop.report())["all"]

    against = found["against_holdout"]
    counts = goals["treated"], len(paid["treated"]), goals["holdout"], len(paid["holdout"])
    shares = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    rate = proportion_confint(*counts[:2], method="wilson")
    sums = stats.ttest_ind(paid["treated"], paid["holdout"], equal_var=False).confidence_interval()
    assert _ends(found["rate"]) == pytest.approx(rate, abs=1e-4)
    assert _ends(against["goal"]["difference"]) == pytest.approx(shares, abs=1e-4)
    assert _ends(against["revenue"]["difference"]) == pytest.approx(sums, abs=0.01)
    assert _ends(found["incremental"]["revenue"]) == pytest.approx(np.array(sums) * counts[1], abs=0.01)
    assert shares[0] < 0.1 < shares[1], "the truth"
    assert sums[0] < 0.1 * 50 < sums[1], "the truth"
    assert (against["goal"]["verdict"], against["revenue"]["verdict"]) == ("better", "better")
    assert float(found["revenue"]) == pytest.approx(paid["treated"].sum(), abs=0.01)


def _ends(interval: dict[str, Any]) -> tuple[float, float]:
    return float(interval["low"]), float(interval["high"])


async def test_the_funnel_is_measured(shop: Shop) -> None:
    """Given what happened to a campaign; then each step is counted once, however often it was told."""
    before = _funnel()
    one = shop.treated[0]
    await shop.heard("email.sent", one, days=0.1)
    await shop.heard("email.opened", one, days=0.2)
    await shop.heard("email.opened", one, days=0.3)
    await shop.bought(one, "50", days=1)
    await shop.bought(one, "50", days=2)
    await shop.happen(paused(100, at=3))

    grown = {key: value - before.get(key, 0) for key, value in _funnel().items()}

    assert {key: value for key, value in grown.items() if value} == {
        ("messages", "sent"): 1,
        ("messages", "opened"): 1,
        ("goals", "treated"): 1,
        ("runs", (await arms(shop.rewards))[name(100)]): 1,
    } | ({("messages", "asked"): 1} if (await arms(shop.rewards))[name(100)] == "treated" else {})


def _funnel() -> dict[tuple[str, str], float]:
    return {
        (
            sample.name.removeprefix("regulars_campaign_").removesuffix("_total"),
            list(sample.labels.values())[1],
        ): (sample.value)
        for counter in (RUNS, GOALS, MESSAGES)
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["campaign"] == "come-back"
    }
