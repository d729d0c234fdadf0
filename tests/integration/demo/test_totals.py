"""What the services make of real history equals what an independent computation makes of the data set."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pandas as pd
import pytest

from deploy.demo import metrics
from deploy.demo.history import data_folder, load
from deploy.demo.replay import replay
from tests.end_to_end.installation import API_KEY, Installation, installed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end"), pytest.mark.timeout(300)]

HOUSEHOLDS = 40
PROGRAM = Path(__file__).parent / "program.yaml"
WELCOME, TENTH_ORDER = 100, 500


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed(REGULARS_PROGRAM=str(PROGRAM)) as one:
        yield one


def expected() -> pd.DataFrame:
    """Orders, spend and points of the first households, straight from the data set."""
    table = pd.read_parquet(data_folder() / "transactions.parquet")
    households = sorted(table["household_id"].unique())[:HOUSEHOLDS]
    table = table[table["household_id"].isin(households)]
    cents = table.assign(cents=(table["sales_value"] * 100).round().astype(int))
    baskets = cents.groupby(["household_id", "basket_id"])["cents"].sum().reset_index()
    totals = baskets.groupby("household_id").agg(orders=("basket_id", "size"), cents=("cents", "sum"))
    dollars = baskets.assign(dollars=baskets["cents"] // 100).groupby("household_id")["dollars"].sum()
    totals["points"] = dollars + WELCOME + TENTH_ORDER * (totals["orders"] >= 10)
    return totals


async def test_orders_spend_and_points_of_each_customer_equal_the_data_set(
    installation: Installation,
) -> None:
    totals = expected()
    history = load(datetime.now(UTC), int(totals["orders"].sum()))
    installation.start()

    async with httpx.AsyncClient(base_url=installation.address("ingest"), trust_env=False) as client:
        for _ in range(2):  # a second replay changes nothing
            await replay(history.events(), client, API_KEY, lambda _events: None)
        workers = [installation.worker_address(name) for name in ("scoring-worker", "rewards-worker")]
        await metrics.wait_until_caught_up(client, workers, lambda _left: None)

    assert history.customers == HOUSEHOLDS
    for household, row in totals.iterrows():
        customer = f"household-{household}"
        facts = installation.get("scoring", f"/v1/customers/{customer}").json()["facts"]
        points = installation.get("rewards", f"/v1/customers/{customer}/points").json()
        assert (facts["orders"], Decimal(facts["spend"])) == (row["orders"], Decimal(int(row["cents"])) / 100)
        assert points["lifetime_earned"] == row["points"]
