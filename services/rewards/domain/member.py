"""A member: one customer as rewards knows them, with whatever of their state a decision needs."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.rewards.domain.campaigns.runs import Run
from services.rewards.domain.lots import Lot
from services.rewards.domain.purchases import ZERO, Purchase
from services.rewards.domain.redemptions import CodeUse, Redemption


@dataclass(slots=True)
class Member:
    """Balances, tier and rolling spend of a customer, and the parts of their state that were loaded.

    Balances are points, all at least 0; what a customer can spend is `available - debt`, and one of the two is
    always 0. `entries` is the number of the newest ledger entry. `spend` is what was paid less what was refunded for
    orders placed from `spend_since` on; where that is None it is not kept, and summed up when tiers ask for it. The
    tier is as it was last decided: since when, until when it is not looked at anew, how (`tier_status`, see
    `standing.py`), until when it runs that the customer heard the end of (`tier_noticed`), and when time next has
    something to do about it (`tier_due`). From `joined_at` years of membership run, where the program counts them.
    Renewable lots that held points at `renewed_since` last until `renewed_until`, because the customer has been active
    all that time (see `expiry`). `new`: nothing of the customer was known before this transaction.
    `merged_by` is the activity that merged the member into `merged_into`. `part` is the part of the customer that the
    decision at hand is about, kept with all that it gives, so that a merge can be undone; None for the customer's own.
    `redemptions` and `code_uses` are those for the orders that are being undone, by order id.
    Until `goals_until` at the latest, goals of campaign runs may still be reached; None: there are none.
    `lots`, `purchases`, `uses`, `milestones` and `runs` hold what the decision at hand needs, which is seldom all.
    `counted`, `grants` and `benefits` are loaded when a tier must be decided from all there is; `counted` None: they
    were not.
    """

    customer_id: str
    entries: int = 0
    available: int = 0
    pending: int = 0
    reserved: int = 0
    debt: int = 0
    lifetime_earned: int = 0
    tier: str | None = None
    tier_since: datetime | None = None
    tier_until: datetime | None = None
    tier_status: str = ""
    tier_due: datetime | None = None
    tier_noticed: datetime | None = None
    tier_changes: int = 0
    joined_at: datetime | None = None
    spend: Decimal = ZERO
    spend_since: datetime | None = None
    merged_into: str | None = None
    merged_by: str | None = None
    renewed_since: datetime | None = None
    renewed_until: datetime | None = None
    goals_until: datetime | None = None
    part: str | None = None
    new: bool = False
    lots: dict[int, Lot] = field(default_factory=dict)
    purchases: dict[str, Purchase] = field(default_factory=dict)
    uses: dict[str, list["Use"]] = field(default_factory=dict)
    milestones: dict[str, "Use"] = field(default_factory=dict)
    redemptions: dict[str, list[Redemption]] = field(default_factory=dict)
    code_uses: dict[str, list[CodeUse]] = field(default_factory=dict)
    counted: dict[str, "Counted"] | None = None
    grants: list["TierGrant"] = field(default_factory=list)
    benefits: dict[tuple[str, str], "BenefitRun"] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    def spendable(self) -> int:
        """What the customer can spend; below zero only after a refund of points that were spent already."""
        return self.available - self.debt

    def key(self, key: str) -> str:
        """A business key, told apart by the part that it is about: what a part brought may leave with it, and the
        customer's own then come to the same."""
        return f"{key}/{self.part}" if self.part else key


@dataclass(frozen=True, slots=True)
class Use:
    """One time that a limited rule or a milestone gave points; `scope` is the value of the field that a limit names,
    `part` the part of the customer that it came from (see `Member`)."""

    scope: str
    at: datetime
    cause: str
    points: int
    part: str | None = None


class Counted(NamedTuple):
    """Something that counts towards tiers, in units of the program's measure."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TierGrant:
    """A tier given by hand, from `at` until `until`."""

    id: str
    tier: str
    at: datetime
    until: datetime
    part: str | None = None


@dataclass(slots=True)
class BenefitRun:
    """An offer that a tier brings again and again: periods are counted from `anchor`, and `issued` is the number of the
    last one for which it was issued (-1: none yet)."""

    anchor: datetime
    issued: int = -1
    part: str | None = None
    stored: bool = False
    changed: bool = True
