"""What state must be loaded before a batch of activities can be decided."""

from dataclasses import dataclass, field
from datetime import datetime

from services.rewards.domain.caps import wanted
from services.rewards.domain.concerns import Match
from services.rewards.domain.matching import occasions, remembered
from shared.contracts.activity import Activity

UNDOING = frozenset({"order.refunded", "order.cancelled"})
ORDERS = UNDOING | {"order.completed"}


@dataclass(slots=True)
class Needs:
    """Keys of what to load: orders as (customer, order id), those of them that are told as completed (if they are
    known, their lots matter too), those that may be undone (what was used for them is then given back), limited
    rules as (customer, rule), milestones as (customer, milestone, occasion), or (`series`) all occasions of those
    that count on; customers all of whose lots with points, whose rolling spend, and (`tiers`) all of whose counted
    orders and granted tiers are needed; customers whose renewable lots are needed that expired since a moment.
    `budgets`: how many points rules with a cap for all customers together could give."""

    orders: set[tuple[str, str]] = field(default_factory=set)
    completed: set[tuple[str, str]] = field(default_factory=set)
    undoing: set[tuple[str, str]] = field(default_factory=set)
    uses: set[tuple[str, str]] = field(default_factory=set)
    milestones: set[tuple[str, str, str]] = field(default_factory=set)
    series: set[tuple[str, str]] = field(default_factory=set)
    lots: set[str] = field(default_factory=set)
    expired_since: dict[str, datetime] = field(default_factory=dict)
    spend: set[str] = field(default_factory=set)
    tiers: set[str] = field(default_factory=set)
    budgets: dict[str, int] = field(default_factory=dict)

    def renewed_late(self, customer_id: str, at: datetime) -> None:
        """An activity at that time lets points last that may have expired meanwhile."""
        self.expired_since[customer_id] = min(at, self.expired_since.get(customer_id, at))

    def add(self, customer_id: str, activity: Activity, matched: Match) -> None:
        """Add what this activity needs of this customer (who may be another than it names, after a merge)."""
        if activity.type in ORDERS:
            self.orders.add((customer_id, str(activity.data["order_id"])))
            self.spend.add(customer_id)
            if activity.type in UNDOING:
                self.lots.add(customer_id)
                self.undoing.add((customer_id, str(activity.data["order_id"])))
            else:
                self.completed.add((customer_id, str(activity.data["order_id"])))
        for rule in matched.rules:
            if remembered(rule):
                self.uses.add((customer_id, rule.id))
            if rule.cap is not None and rule.cap.program is not None and not activity.unrewarded:
                so_far = self.budgets.get(rule.id, 0)
                self.budgets[rule.id] = so_far + wanted(rule, activity, matched.rules)
        for milestone in matched.milestones:
            if milestone.count is not None and milestone.count.each:
                self.series.add((customer_id, milestone.id))
                continue
            for occasion in occasions(milestone, activity):
                self.milestones.add((customer_id, milestone.id, occasion))
