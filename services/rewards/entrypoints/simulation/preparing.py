"""What a simulation plays, from what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.adapters.simulation.families import end_of_history, families
from services.rewards.application.simulation.simulating import Task
from services.rewards.entrypoints.simulation.simulator import slices
from shared.program.model.program import Program

SLICES = 64
"""Ranges of customers that the processes share out among themselves."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A program's text, the time to report, and whose history: `sample` percent of the customers, or those named."""

    source: str
    since: datetime | None
    until: datetime
    sample: float = 100.0
    customers: tuple[str, ...] = ()


async def prepare(
    connection: AsyncConnection,
    programs: PostgresPrograms,
    wish: Wish,
    customers: Sequence[str],
    live: Program,
    *,
    each: bool = False,
) -> Task:
    """The task: against the `live` version, over all customers or (by our ids) these."""
    together, owners = await families(connection)
    apart = [name for names in together for name in names]
    parts = slices(SLICES, wish.sample)
    if customers:
        parts, known = [], {name: names for names in together for name in names}
        together = sorted({tuple(known.get(name, (name,))) for name in customers})
    else:
        together = [names for names in together if any(first <= names[0] < last for first, last in parts)]
    return Task(
        live=await programs.source(connection, live.version),
        live_version=live.version,
        proposed=wish.source,
        since=wish.since,
        until=wish.until,
        end=await end_of_history(connection),
        slices=parts,
        families=together,
        owners=owners,
        apart=apart,
        each=each,
    )
