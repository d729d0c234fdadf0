"""What the program gives at the checkout: offers behind codes, and the rewards of the catalogue, which cost points."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.program.model.limit import Limit
from shared.program.values.calendar import end_of_day_after
from shared.program.values.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What is given: exactly one of `percent`, `amount`, `free_shipping`, `gift` (its name). A discount of `percent`
    takes off `at_most` so much; amounts are in the program's currency."""

    percent: Decimal | None = None
    amount: Decimal | None = None
    at_most: Decimal | None = None
    free_shipping: bool = False
    gift: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who may have it, when, and on which orders.

    `minimum_order`: what the order must come to. `products` (by SKU) and `categories`: the discount is on these lines
    alone, and one of them must be there; both empty: on the whole order. `tiers`: for their members; empty: for all.
    `limit`: so often for one customer. `stock`: so often in all. `begins`, `ends`: from then on, and before then.
    """

    minimum_order: Decimal | None = None
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    limit: Limit | None = None
    stock: int | None = None
    begins: datetime | None = None
    ends: datetime | None = None


ANYBODY = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTemplate(Gift):
    """An offer. Either each customer to whom it is given gets a code of their own, which is good for `valid_for` and
    for so many `uses`; or it has one `code` for everybody. Two codes go together on one order if both are
    `combinable`."""

    id: str
    valid_for: Period | None
    uses: int = 1
    code: str | None = None
    combinable: bool = False
    terms: Terms = ANYBODY

    def good_until(self, given_at: datetime, zone: ZoneInfo) -> datetime | None:
        """Until when (not including it) a code is good that is given then: through the day of `zone` on which
        `valid_for` falls, or to the moment where that is hours; no longer than the offer itself. None: for ever."""
        if self.valid_for is None:
            return self.terms.ends
        until = end_of_day_after(given_at, self.valid_for, zone)
        return until if self.terms.ends is None else min(until, self.terms.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward(Gift):
    """Something that a customer buys with `points`."""

    id: str
    points: int
    terms: Terms = ANYBODY


def code_of(letters: str) -> str:
    """Letters as a code shows them, in groups of four."""
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def code_letters(code: str) -> str:
    """What tells one code from another: case, spaces and dashes do not, 0 reads as O and 1 as I."""
    return "".join(c for c in code.upper() if c.isalnum()).replace("0", "O").replace("1", "I")
