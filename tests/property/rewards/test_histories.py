"""Random histories in memory: the domain alone, through the same decisions that the stream and the checkout make."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import settings

from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Redemption, Status
from shared.contracts.activity import Activity
from tests.property.rewards.test_ledger import check
from tests.support.long_histories import run
from tests.support.naive_ledger import PROGRAM
from tests.support.random_histories import Histories, Look
from tests.unit.rewards.building import Life, rulebook

RULES = {days: rulebook(PROGRAM.format(pending=days)) for days in (0, 14)}


class InMemory:
    """Members with all their state at hand."""

    def begin(self, pending_days: int) -> None:
        """See `Shop`."""
        self.rules = RULES[pending_days]
        self.lives: dict[str, Life] = {}
        self.redemptions: dict[str, Redemption] = {}
        self.known: set[str] = set()

    def life(self, customer: str) -> Life:
        """One customer's."""
        if customer not in self.lives:
            self.lives[customer] = Life(self.rules, Member(customer))
        self.lives[customer].now = self.lives[customer].changes.now = self.now
        return self.lives[customer]

    def happen(self, *told: Activity) -> None:
        """See `Shop`."""
        for each in told:
            if each.id not in self.known:
                self.known.add(each.id)
                self.life(each.customer_id).happen(each)

    def reserve(self, id_: str, customer: str, points: int, order_id: str | None) -> str | None:
        """See `Shop`."""
        life = self.life(customer)
        known = life.member.purchases.get(order_id or "")
        if known is not None and known.undone():
            return "order_cancelled"

        def reserve() -> None:
            made = checkout.reserve(
                life.member, self.rules.program, life.changes, id_=id_, points=points, order_id=order_id
            )
            self.redemptions[id_] = made
            if order_id is not None:
                life.member.redemptions.setdefault(order_id, []).append(made)

        return refusal(reserve)

    def end(self, id_: str, what: str) -> str | None:
        """See `Shop`."""
        redemption = self.redemptions[id_]
        life = self.life(redemption.customer_id)
        end = checkout.confirm if what == "confirm" else checkout.release
        return refusal(lambda: end(life.member, redemption, life.changes))

    def adjust(self, id_: str, customer: str, points: int) -> str | None:
        """See `Shop`."""
        life = self.life(customer)
        return refusal(
            lambda: adjusting.adjust(
                life.member, self.rules.program, life.changes, id_=id_, points=points, reason="x"
            )
        )

    def set_time(self, now: datetime) -> None:
        """See `Shop`."""
        self.now = now

    def sweep(self) -> None:
        """See `Shop`."""
        for redemption in sorted(self.redemptions.values(), key=lambda one: (one.expires_at, one.id)):
            if redemption.status is Status.RESERVED and redemption.expires_at <= self.now:
                life = self.life(redemption.customer_id)
                checkout.release(life.member, redemption, life.changes, status=Status.EXPIRED)
        for customer in self.lives:
            self.life(customer).wait(timedelta())

    def look(self, customers: list[str]) -> dict[str, Look]:
        """See `Shop`."""
        found = {}
        for customer in customers:
            if customer in self.lives:
                member = self.lives[customer].member
                lots = {
                    lot.number: (lot.remaining, lot.expired)
                    for lot in member.lots.values()
                    if lot.remaining or lot.expired
                }
                balances = member.available, member.pending, member.reserved, member.debt
                found[customer] = (balances, member.lifetime_earned, lots)
        return found

    def prove(self) -> None:
        """See `Shop`."""
        for life in self.lives.values():
            check(life)


def refusal(act: Callable[[], None]) -> str | None:
    """The code with which something is refused."""
    try:
        act()
    except RefusedError as error:
        return error.code
    return None


class InMemoryHistories(Histories):
    """In memory."""

    make = InMemory


SEEDS = range(int(os.environ.get("HISTORIES", "1")))
"""One life of a thousand steps; `HISTORIES=50` tries fifty."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_steps_come_to_what_a_naive_ledger_says(seed: int) -> None:
    """Given a thousand random orders, refunds, cancellations, redemptions, adjustments, deliveries and times, in any
    order; after each; then every account and every lot has what the naive ledger has."""
    run(InMemoryHistories(), Random(seed), 1000)


TestShortHistories = InMemoryHistories.TestCase
"""The same in short lives that hypothesis makes up, and makes shorter when one fails."""
TestShortHistories.settings = settings(max_examples=20, stateful_step_count=40)
