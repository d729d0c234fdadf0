"""What is counted of a campaign's runs, arm by arm. Each customer counts once, by the first run in the period."""

from dataclasses import dataclass, fields
from decimal import Decimal

from services.rewards.domain.experiments.means import NOBODY, Moments
from services.rewards.domain.experiments.proportions import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One arm. All but `runs`, `points` and `discounts` are numbers of customers.

    `open`: those who may still reach the goal in time. `sent`, `opened`, `clicked`, `unsubscribed`: of messages.
    `offered`, `redeemed`: of the run's own offers, by codes that stand used; `unpriced`: for some
    of which nobody knows what they took off in money. `goals`: who reached the goal. `buyers`:
    who ordered in the time of the goal, and has not given all of it back; `revenue`: what customers paid for these
    orders less refunds, in the program's currency, discounts already taken off. `points`: those that the runs gave.
    `discounts`: what the runs' codes took off orders.
    """

    runs: int = 0
    customers: int = 0
    open: int = 0
    sent: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    offered: int = 0
    redeemed: int = 0
    unpriced: int = 0
    goals: int = 0
    buyers: int = 0
    revenue: Moments = NOBODY
    points: int = 0
    discounts: Decimal = Decimal(0)

    def plus(self, other: "Figures") -> "Figures":
        """Of both arms together."""
        sums = {
            each.name: getattr(self, each.name) + getattr(other, each.name)
            for each in fields(self)
            if each.name != "revenue"
        }
        return Figures(revenue=self.revenue.plus(other.revenue), **sums)

    @property
    def rate(self) -> Share:
        """The share who reached the goal; there are customers."""
        return Share(self.goals, self.customers)
