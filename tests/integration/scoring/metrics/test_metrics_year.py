"""The metrics on a part of a real year of orders, against the same metrics counted by pandas from the raw data."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from deploy.demo.history import data_folder, first_orders, load, shift_of
from services.scoring.adapters.metrics.sums import MetricSums
from services.scoring.domain.metrics.formulas import Cohort, Series, cohort_of
from services.scoring.domain.metrics.months import Month, month_named, name_of
from shared.contracts.events import EventRecord
from shared.program.values.period import Period
from tests.conftest import EngineFor
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import record

ORDERS = 2_500
CHURNED_AFTER_DAYS = 45
ZONE = ZoneInfo("America/New_York")
NONE = float("nan")


def as_record(event: dict[str, Any]) -> EventRecord:
    """An event of the history as ingest would let it travel."""
    data = {name: value for name, value in event["data"].items() if name != "customer"}
    who = {"id": event["data"]["customer"]["id"]}
    return record(event["type"], datetime.fromisoformat(event["time"]), data, id=event["id"], identifiers=who)


@pytest.fixture
async def year(engine_for: EngineFor, clock: ManualClock) -> World:
    """The orders of the first households, taken in as the stream would bring them, and rolled up."""
    world = World(
        engine_for("regulars_scoring"), clock(), churned_after=Period.parse(f"P{CHURNED_AFTER_DAYS}D")
    )
    events = load(clock(), ORDERS).events()
    while batch := list(islice(events, 500)):
        await world.feed(*[as_record(event) for _, event in batch])
        await world.roll_up()
    return world


def baskets(now: datetime) -> pd.DataFrame:
    """The raw data: a row per basket with household, local time, month, day, cents and products."""
    lines = pd.read_parquet(data_folder() / "transactions.parquet")
    shift = shift_of(lines["transaction_timestamp"].max().to_pydatetime(), now)
    lines = first_orders(
        lines.sort_values(["transaction_timestamp", "basket_id", "product_id"], kind="stable"), ORDERS
    )
    local = (
        (lines["transaction_timestamp"] + shift)
        .dt.tz_localize("UTC")
        .dt.tz_convert(ZONE)
        .dt.tz_localize(None)
    )
    lines = lines.assign(at=local, cents=(lines["sales_value"] * 100).round().astype(int))
    found = lines.groupby("basket_id").agg(
        household=("household_id", "first"), at=("at", "min"), cents=("cents", "sum")
    )
    found["month"] = found["at"].dt.strftime("%Y-%m")
    found["day"] = found["at"].dt.normalize()
    lines["month"] = lines["basket_id"].map(found["month"])
    found.attrs["products"] = (
        lines.groupby(["month", "household_id"])["product_id"].nunique().groupby("month").mean()
    )
    return found.sort_values("at")


def expected(orders: pd.DataFrame, now: datetime) -> dict[str, dict[str, float]]:
    """By month, each metric by its definition in docs/metrics.md, counted the slow way."""
    firsts = orders.groupby("household")["at"].min()
    seconds = orders.groupby("household")["at"].nth(1)
    people = orders.groupby("month")["household"].agg(set)
    gaps = gaps_of(orders)
    churns = churns_of(orders, pd.Timestamp(now.astimezone(ZONE).replace(tzinfo=None)))
    found = {}
    for period in pd.period_range(orders["month"].min(), now.astimezone(ZONE).strftime("%Y-%m"), freq="M"):
        month, start, end = str(period), period.start_time, period.end_time
        mine, until = orders[orders["month"] == month], orders[orders["at"] <= end]
        customers = (firsts <= end).sum()
        old = people.get(str(period - 1), set())
        gone, standing = churns["at"].between(start, end).sum(), standing_at(orders, start)
        found[month] = {
            "customers": customers,
            "orders": len(mine),
            "revenue": mine["cents"].sum() / 100,
            "order_value": mine["cents"].mean() / 100,
            "buyers": mine["household"].nunique(),
            "new_buyers": firsts.between(start, end).sum(),
            "retention_rate": len(old & people.get(month, set())) / len(old) if old else NONE,
            "repeat_purchase_rate": (seconds <= end).sum() / customers,
            "lifetime_value": until["cents"].sum() / 100 / customers,
            "order_interval_days": gaps[gaps["month"] == month]["gap"].mean(),
            "diversity": orders.attrs["products"].get(month, NONE),
            "churned": gone,
            "churn_rate": gone / standing if standing else NONE,
            "won_back": churns["back"].between(start, end).sum(),
        }
    return found


def gaps_of(orders: pd.DataFrame) -> pd.DataFrame:
    """Every interval between two days with an order of a household, with the month in which it ended."""
    days = orders.sort_values(["household", "day"]).drop_duplicates(["household", "day"])
    return days.assign(gap=days.groupby("household")["day"].diff().dt.days).dropna(subset="gap")


def standing_at(orders: pd.DataFrame, moment: pd.Timestamp) -> int:
    """How many households had ordered before, the last time not too long ago."""
    last = orders[orders["at"] < moment].groupby("household")["at"].max()
    return int((last >= moment - timedelta(days=CHURNED_AFTER_DAYS)).sum())


def churns_of(orders: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Every silence that lasted long enough: when it did, and the order that ended it, if any."""
    ordered = orders.sort_values(["household", "at"])
    after = ordered.groupby("household")["at"].shift(-1)
    due = ordered["at"] + timedelta(days=CHURNED_AFTER_DAYS)
    long = (after >= due) | (after.isna() & (due <= now))
    return pd.DataFrame({"at": due[long], "back": after[long]})


async def test_the_metrics_of_a_real_year_are_what_pandas_counts(year: World, clock: ManualClock):
    """Given the year; when metrics and cohorts are read from the sums; then they are those of the raw baskets."""
    orders = baskets(clock())
    last = month_named(clock().strftime("%Y-%m"))
    sums = MetricSums(year.engine)
    async with year.engine.connect() as connection:
        series = Series.of(await sums.by_month(connection, "", last), last)
        cohorts = await sums.by_cohort(connection, month_named(orders["month"].min()), last)

    compare_months(series, expected(orders, clock()))
    compare_cohorts({cohort: cohort_of(cohort, months, last) for cohort, months in cohorts.items()}, orders)


def compare_months(series: Series, wanted: dict[str, dict[str, float]]) -> None:
    """Every metric of every month."""
    assert len(wanted) >= 12
    assert sum(month["churned"] for month in wanted.values()) > 10
    assert sum(month["won_back"] for month in wanted.values()) > 5
    for month, values in wanted.items():
        metrics = series.metrics(month_named(month), month_named(month))
        for name, value in values.items():
            got = getattr(metrics, name)
            shown = NONE if got is None else float(got)
            step = 0.0051 if name in ("order_value", "lifetime_value") else 0.00006
            assert shown == pytest.approx(float(value), abs=step, nan_ok=True), (month, name)


def compare_cohorts(cohorts: dict[Month, Cohort], orders: pd.DataFrame) -> None:
    """Buyers and revenue of every cohort in every month."""
    orders["cohort"] = orders.groupby("household")["month"].transform("min")
    table = orders.groupby(["cohort", "month"]).agg(buyers=("household", "nunique"), cents=("cents", "sum"))
    counted = {
        (name_of(cohort), name_of(one.month)): (one.buyers, round(float(one.revenue) * 100))
        for cohort, row in cohorts.items()
        for one in row.months
        if one.orders
    }
    wanted = zip(table.index, table["buyers"], table["cents"], strict=True)
    assert counted == {place: (buyers, cents) for place, buyers, cents in wanted}
    assert len(cohorts) >= 3
