"""Notices what time alone does: customers whose stage has changed because nothing happened."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.due.membership import Membership
from services.scoring.application.events import announce
from services.scoring.application.ports import Customers, Rules, Stored
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.lifecycle.stages import passages
from services.scoring.domain.settings import ScoreSettings
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing

QUIET = timedelta(seconds=3)
"""How long a customer must not have been changed. While history streams in, the next order is about to come."""

SWEEP_CUSTOMERS_MAX = 100
"""In one transaction, which keeps merges and their events waiting: who was silent for long, as after an import, takes
some 30 ms, most of it to date the segments that time has moved them out of."""


@dataclass(slots=True)
class _Looked:
    """What a look at some customers found: what is told of their stages, the stage and the next check of each, and
    what each is now."""

    told: list[Outgoing] = field(default_factory=list)
    checked: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    at: dict[str, tuple[Stored, Assessment]] = field(default_factory=dict)


class Sweep:
    """The use case. Any number of sweeps may run: each takes other customers, and a change is told once."""

    def __init__(
        self,
        *,
        customers: Customers,
        outbox: Outbox,
        rules: Rules,
        membership: Membership,
    ) -> None:
        self._customers = customers
        self._outbox = outbox
        self._rules = rules
        self._membership = membership

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Look at customers who are due, and tell what time alone has changed since their stage was last told: each
        change by itself, with its moment, in order. Answers whether there may be more of them.
        """
        await self._rules.hold(connection)
        settings = await self._rules.current(connection)
        due = await self._customers.take_due(connection, now, now - QUIET, SWEEP_CUSTOMERS_MAX)
        if not due:
            return False
        looked = await asyncio.to_thread(_look, due, settings, now)  # the stream goes on meanwhile
        await self._customers.note_checked(connection, looked.checked)
        crossed = await self._membership.follow(connection, looked.at, settings, now)
        await self._outbox.append(connection, looked.told + crossed)
        return len(due) == SWEEP_CUSTOMERS_MAX


def _look(due: Mapping[str, Stored], settings: ScoreSettings, now: datetime) -> _Looked:
    """What time alone has made of these customers."""
    looked = _Looked()
    for customer_id, stored in due.items():
        state, stage = stored.state, stored.stage
        present = assess(state, now, settings)
        for passage in passages(state, stage, now):
            then = assess(state, passage.at, settings, stage_at=passage.at)
            past = state.is_history(passage.at)
            looked.told.append(announce.of_time(customer_id, passage, then, now, historical=past))
            stage = passage.new
        looked.checked[customer_id] = stage, present.next_change_at
        looked.at[customer_id] = stored, present
    return looked
