"""What state must be loaded before a batch of activities can be decided."""

from dataclasses import dataclass, field
from datetime import datetime

from services.rewards.domain.concerns import Match
from services.rewards.domain.earning.caps import wanted
from services.rewards.domain.matching import occasions, remembered
from services.rewards.domain.state.purchases import ORDERS, UNDOING
from shared.contracts.activity import Activity


@dataclass(slots=True)
class Needs:
    """What to load before a batch is decided, as keys. Customers are named by their ids."""

    due_by: datetime
    """Lots are needed that are due by then: when it is decided, or a later moment that is asked about already."""
    orders: set[tuple[str, str]] = field(default_factory=set)
    """Orders, as (customer, order id)."""
    completed: set[tuple[str, str]] = field(default_factory=set)
    """Those of `orders` that an activity tells as completed: one that is known already may be put right."""
    undoing: set[tuple[str, str]] = field(default_factory=set)
    """Those of `orders` that may be undone: what was used for them at the checkout is then given back."""
    uses: set[tuple[str, str]] = field(default_factory=set)
    """Earlier uses of earn rules, as (customer, rule)."""
    milestones: set[tuple[str, str, str]] = field(default_factory=set)
    """Milestones that may be reached, as (customer, milestone, occasion)."""
    series: set[tuple[str, str]] = field(default_factory=set)
    """Milestones that are reached again at each multiple of a count, as (customer, milestone): all occasions so far."""
    lots: set[str] = field(default_factory=set)
    """Customers whose lots are needed that are due, and those from which the points of undone orders are taken. Of
    those who owe points what is due is needed in any case: it pays before what they earn."""
    renewed: set[str] = field(default_factory=set)
    """Customers whose points an activity of this batch lets last. In which order those are spent is then known only
    when that is decided: where any are taken, all lots are needed."""
    expired_since: dict[str, datetime] = field(default_factory=dict)
    """Customers whose renewable lots are needed that expired since a moment."""
    spend: set[str] = field(default_factory=set)
    """Customers whose rolling spend is needed."""
    tiers: set[str] = field(default_factory=set)
    """Customers whose tier is decided from all that counts: their counted orders, granted tiers and benefits."""
    budgets: dict[str, int] = field(default_factory=dict)
    """The most points that rules with a cap for all customers together could give in this batch, by rule."""

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
