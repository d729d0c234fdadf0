"""The history as events: nothing lost, nothing invented, in order, ending yesterday."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pandas as pd
import pytest

from deploy.demo.history import data_folder, load
from shared.contracts.values import Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORDERS = 1500


@pytest.fixture(scope="module")
def events() -> list[tuple[int, dict[str, Any]]]:
    return [*load(NOW, ORDERS).events()]


def of_type(events: list[tuple[int, dict[str, Any]]], kind: str) -> list[dict[str, Any]]:
    return [event for _, event in events if event["type"] == kind]


def when(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def test_whole_year_is_there_and_ends_yesterday() -> None:
    history = load(NOW)
    first, last = history.span

    assert (history.orders, history.customers) == (155_848, 2_469)
    assert last.date() == NOW.date() - timedelta(days=1)
    assert last - first > timedelta(days=364)
    assert [event["type"] for _, event in islice(history.events(), 2)] == [
        "customer.registered",
        "order.completed",
    ]


def test_as_many_orders_as_asked_for_of_whole_households(events: list[tuple[int, dict[str, Any]]]) -> None:
    orders = of_type(events, "order.completed")
    transactions = pd.read_parquet(data_folder() / "transactions.parquet")
    whole = transactions.groupby("household_id")["basket_id"].nunique()
    replayed: dict[int, int] = defaultdict(int)
    for household, event in events:
        replayed[household] += event["type"] == "order.completed"

    assert len(orders) == ORDERS
    partly = [household for household, count in replayed.items() if count < whole[household]]
    assert len(partly) <= 1
    assert len({order["id"] for order in orders}) == ORDERS


def test_household_registers_a_minute_before_its_first_order(
    events: list[tuple[int, dict[str, Any]]],
) -> None:
    first: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for household, event in events:
        first[household].append(event)

    for own in first.values():
        assert own[0]["type"] == "customer.registered"
        assert when(own[1]) - when(own[0]) == timedelta(minutes=1)
        assert [event["type"] for event in own[1:]] == ["order.completed"] * (len(own) - 1)
        assert [*map(when, own)] == sorted(map(when, own))


def test_total_is_what_was_paid_to_the_cent(events: list[tuple[int, dict[str, Any]]]) -> None:
    orders = of_type(events, "order.completed")
    transactions = pd.read_parquet(data_folder() / "transactions.parquet")
    transactions = transactions[
        transactions["basket_id"].isin([int(order["data"]["order_id"]) for order in orders])
    ]
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for basket, value in zip(transactions["basket_id"], transactions["sales_value"], strict=True):
        paid[str(basket)] += Decimal(f"{value:.2f}")

    for order in orders:
        assert Decimal(order["data"]["total"]) == paid[order["data"]["order_id"]]


def test_lines_have_pieces_and_prices_that_ingest_takes(events: list[tuple[int, dict[str, Any]]]) -> None:
    pattern = Money.__metadata__[0].pattern  # type: ignore[attr-defined]
    for order in of_type(events, "order.completed"):
        assert order["data"]["lines"]
        worth = Decimal(0)
        pieces = 0
        for line in order["data"]["lines"]:
            assert 1 <= line["quantity"] <= 1_000_000
            assert re.match(pattern, line["unit_price"])
            worth += line["quantity"] * Decimal(line["unit_price"])
            pieces += line["quantity"]
        # a price is exact to half of its last decimal
        assert abs(worth - Decimal(order["data"]["total"])) <= pieces * Decimal("0.00005")


def test_same_history_again_has_the_same_ids() -> None:
    def ids(now: datetime) -> list[str]:
        return [event["id"] for _, event in load(now, 200).events()]

    assert ids(NOW) == ids(NOW + timedelta(days=30))
