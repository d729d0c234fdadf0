"""Notices what time alone does: customers whose stage has changed because nothing happened."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application import announce
from services.scoring.application.membership import Membership
from services.scoring.application.ports import Customers, Rules, Stored
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.stages import passages
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing

QUIET = timedelta(seconds=3)
"""How long a customer must not have been changed. While history streams in, the next order is about to come."""

SWEEP_CUSTOMERS_MAX = 500


class Sweep:
    """The use case. Any number of sweeps may run: each takes other customers, and a change is told once."""

    def __init__(
        self,
        *,
        customers: Customers,
        outbox: Outbox,
        settings: ScoreSettings,
        rules: Rules | None = None,
        membership: Membership | None = None,
    ) -> None:
        self._customers = customers
        self._outbox = outbox
        self._settings = settings
        self._rules = rules
        self._membership = membership

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Look at customers who are due, and tell what time alone has changed since their stage was last told: each
        change by itself, with its moment, in order. Answers whether there may be more of them.
        """
        if self._rules is not None:
            await self._rules.hold(connection)
            self._settings = await self._rules.current(connection)
        due = await self._customers.take_due(connection, now, now - QUIET, SWEEP_CUSTOMERS_MAX)
        if not due:
            return False
        told: list[Outgoing] = []
        checked: dict[str, tuple[str, datetime | None]] = {}
        looked_at: dict[str, tuple[Stored, Assessment]] = {}
        for customer_id, stored in due.items():
            state, stage = stored.state, stored.stage
            present = assess(state, now, self._settings)
            for passage in passages(state, stage, now):
                then = assess(state, passage.at, self._settings, stage_at=passage.at)
                past = state.history_until is not None and passage.at <= state.history_until
                told.append(announce.of_time(customer_id, passage, then, now, historical=past))
                stage = passage.new
            checked[customer_id] = stage, present.next_change_at
            looked_at[customer_id] = stored, present
        await self._customers.note_checked(connection, checked)
        if self._membership is not None:
            told += await self._membership.follow(connection, looked_at, self._settings, now)
        await self._outbox.append(connection, told)
        return len(due) == SWEEP_CUSTOMERS_MAX
