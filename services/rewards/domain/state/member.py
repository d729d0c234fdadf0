"""A member: one customer as rewards knows them, with whatever of their state a decision needs."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.rewards.domain.state.lots import Lot
from services.rewards.domain.state.purchases import ZERO, Purchase
from services.rewards.domain.state.redemptions import CodeUse, Redemption
from services.rewards.domain.state.runs import Run
from shared.program.values.period import Period


@dataclass(slots=True)
class Member:
    """Balances, tier and rolling spend of a customer, and the parts of their state that were loaded.

    The balances and the tier are always there. What follows `new` holds only what the decision at hand asked for
    (see `Needs`), which is seldom all there is.
    """

    customer_id: str
    entries: int = 0
    """The number of the newest ledger entry."""
    available: int = 0
    """Points, as all balances, and never below 0. What the customer can spend is `available - debt`."""
    pending: int = 0
    reserved: int = 0
    debt: int = 0
    """Points owed since a refund took back points that were spent already. `available` or `debt` is always 0."""
    lifetime_earned: int = 0
    tier: str | None = None
    """The id of the tier as last decided, which holds since `tier_since`; None: the lowest, and never another."""
    tier_since: datetime | None = None
    tier_until: datetime | None = None
    """When the tier is looked at again; None: it is kept for good."""
    tier_status: str = ""
    """How the tier is held; see `standing.Standing`."""
    tier_due: datetime | None = None
    """When time alone next has something to do about the tier: end it, give notice, bring a benefit."""
    tier_noticed: datetime | None = None
    """The `tier_until` of which the customer was given notice."""
    tier_changes: int = 0
    """How many rows the customer has in the history of tiers."""
    joined_at: datetime | None = None
    """From when years of membership run, where the program counts them."""
    spend: Decimal = ZERO
    """Money paid less refunded for orders placed since `spend_since`, in the program's currency."""
    spend_since: datetime | None = None
    """None: `spend` is not kept, and is summed up when tiers ask for it."""
    merged_into: str | None = None
    merged_by: str | None = None
    """The activity that merged this member into `merged_into`."""
    renewed_since: datetime | None = None
    renewed_until: datetime | None = None
    """Renewable lots that held points at `renewed_since` last until then: the customer was active all that time (see
    `points.expiry`)."""
    goals_until: datetime | None = None
    """Until when goals of campaign runs may still be reached; None: no goal is open."""
    tier_promise: str = ""
    """The `TierLevel.promise` by which `tier_due` was noted; empty: nobody knows. Where the program makes another one,
    time looks at the tier."""
    part: str | None = None
    """The part of the customer that the decision at hand is about; None: the customer's own. It is kept with all that
    the decision gives, so that a merge can be undone."""
    new: bool = False
    """Whether nothing was known of the customer before this transaction."""
    lots: dict[int, Lot] = field(default_factory=dict)
    """By number."""
    purchases: dict[str, Purchase] = field(default_factory=dict)
    """By order id."""
    uses: dict[str, list["Use"]] = field(default_factory=dict)
    """Uses of earn rules with a limit or a cap, by rule."""
    milestones: dict[str, "Use"] = field(default_factory=dict)
    """Milestones reached, by `milestones.milestone_name`."""
    redemptions: dict[str, list[Redemption]] = field(default_factory=dict)
    """By order id; only those of orders that are being undone."""
    code_uses: dict[str, list[CodeUse]] = field(default_factory=dict)
    """By order id; only those of orders that are being undone."""
    counted: dict[str, "Counted"] | None = None
    """All that counts towards tiers, by order id, `counting.lot_key` or the id of the activity that gave points; None:
    it is not loaded. It is, with `grants` and `benefits`, when a tier must be decided from all there is."""
    grants: list["TierGrant"] = field(default_factory=list)
    benefits: dict[tuple[str, str], "BenefitRun"] = field(default_factory=dict)
    """By tier and offer."""
    runs: dict[str, Run] = field(default_factory=dict)
    """Campaign runs by id."""

    def spendable(self) -> int:
        """What the customer can spend; below zero only after a refund of points that were spent already."""
        return self.available - self.debt

    def key(self, key: str) -> str:
        """A business key of the ledger, made distinct by the part that the decision is about: what a part brought may
        leave with it, and the same may then be given to the customer's own."""
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
    """An offer that a tier brings again and again: periods are `every` long and counted from `anchor`, and `issued` is
    the number of the last one for which it was issued (-1: none yet). An `every` of None is not known: whatever the
    program says."""

    anchor: datetime
    every: Period | None
    issued: int = -1
    part: str | None = None
    stored: bool = False
    changed: bool = True
    recounted: bool = False
    """Whether this transaction has found that the program says another `every`; not stored."""
