"""Random histories on real PostgreSQL: the stream, the checkout, the timed jobs, merges and undone merges."""

import asyncio
import os
from collections.abc import Coroutine
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import pytest

from services.rewards.adapters.names import Names
from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.application.spending.checkout import Checkout, Confirm, Release, Request, Reserve
from services.rewards.domain.changes import Changes
from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import Cart
from shared.contracts.activity import Activity
from tests.integration.rewards.conftest import Rewards
from tests.support.long_histories import run
from tests.support.naive_ledger import PROGRAM
from tests.support.random_histories import Histories, Look

T = TypeVar("T")


class OnPostgres:
    """The service's parts on a real database, used from a thread beside their loop."""

    def __init__(self, rewards: Rewards, loop: asyncio.AbstractEventLoop) -> None:
        self.rewards = rewards
        self.loop = loop
        store = PostgresCheckouts(Names(rewards.pseudonyms))
        self.store = store
        self.checkout = Checkout(
            rewards.jobs.members, store, rewards.jobs.programs, lambda one: one.id.encode()
        )

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def begin(self, pending_days: int) -> None:
        """See `Shop`."""

        async def put() -> None:
            programs = self.rewards.handler.programs
            assert isinstance(programs, PostgresPrograms)
            async with self.rewards.engine.begin() as connection:
                source = PROGRAM.format(pending=pending_days)
                await programs.put(connection, source, actor="test", now=self.rewards.clock())

        self.wait(put())

    def happen(self, *told: Activity) -> None:
        """See `Shop`."""
        self.wait(self.rewards.happen(*told))

    def reserve(self, id_: str, customer: str, points: int, order_id: str | None) -> str | None:
        """See `Shop`."""
        cart = Cart(order_id=order_id, total=None, currency=None)
        return self._ask(Reserve(id_, customer, points, cart, "test", id_, b"h"))

    def end(self, id_: str, what: str) -> str | None:
        """See `Shop`."""
        return self._ask(Confirm(id_) if what == "confirm" else Release(id_))

    def _ask(self, request: Request) -> str | None:
        async def ask() -> bytes | Exception:
            async with self.rewards.engine.begin() as connection:
                return (await self.checkout(connection, [request], self.rewards.clock()))[0]

        answer = self.wait(ask())
        if isinstance(answer, RefusedError):
            return answer.code
        assert isinstance(answer, bytes)
        return None

    def adjust(self, id_: str, customer: str, points: int) -> str | None:
        """See `Shop`: as the route does it."""

        async def adjust() -> str | None:
            now = self.rewards.clock()
            async with self.rewards.engine.begin() as connection:
                locked = await self.rewards.jobs.members.lock(connection, [customer], create=True)
                member = locked[customer]
                program = (await self.rewards.jobs.programs.current(connection, now)).program
                await self.store.load_lots(connection, {customer: member}, {customer: max(-points, 0)}, now)
                changes = Changes(now, program.version)
                try:
                    adjusting.adjust(member, program, changes, id_=id_, points=points, reason="x")
                except RefusedError as refusal:
                    return refusal.code
                await self.rewards.jobs.members.save(connection, changes)
            return None

        return self.wait(adjust())

    def set_time(self, now: datetime) -> None:
        """See `Shop`."""
        self.rewards.clock.set(now)

    def sweep(self) -> None:
        """See `Shop`."""
        self.wait(self.rewards.pass_time())

    def look(self, customers: list[str]) -> dict[str, Look]:
        """See `Shop`."""
        members = self.wait(
            self.rewards.rows(
                "SELECT customer_id, available, pending, reserved, debt, lifetime_earned FROM rewards.members"
                " WHERE customer_id = ANY(:ids)",
                ids=customers,
            )
        )
        lots = self.wait(
            self.rewards.rows(
                "SELECT customer_id, lot, remaining, expired FROM rewards.lots"
                " WHERE customer_id = ANY(:ids) AND (remaining > 0 OR expired > 0)",
                ids=customers,
            )
        )
        found: dict[str, Look] = {row[0]: ((row[1], row[2], row[3], row[4]), row[5], {}) for row in members}
        for customer, lot, remaining, expired in lots:
            found[customer][2][lot] = (remaining, expired)
        return found

    def prove(self) -> None:
        """See `Shop`."""
        self.wait(self.rewards.check())


SEEDS = range(4, 4 + int(os.environ.get("HISTORIES", "1")))
"""One life of a thousand steps; `HISTORIES=50` tries fifty."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_thousand_steps_come_to_what_a_naive_ledger_says(rewards: Rewards, seed: int) -> None:
    """Given four customers and a thousand random orders, refunds, cancellations, redemptions, adjustments, merges,
    undone merges, deliveries and times; after each; then every account and lot has what the naive ledger has."""
    loop = asyncio.get_running_loop()

    class OnPostgresHistories(Histories):
        merging = True
        make = lambda: OnPostgres(rewards, loop)  # noqa: E731

    await asyncio.to_thread(lambda: run(OnPostgresHistories(), Random(seed), 1000))
