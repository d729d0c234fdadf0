"""The use case of a simulation: a share of the history, played under two programs."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from msgspec import Struct

from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation.contrast import Contrast, CustomerContrast
from services.rewards.domain.simulation.groups import Group, Plan, play
from shared.program.parse import load_program

NO_CODES = b"no codes are made"


class Task(Struct, frozen=True, kw_only=True):
    """What one process plays: the programs' texts, from when figures count and until when history is played, and whose:
    the customers of `slices` (from the first id on, up to the second) and the `families`. Whose a customer or part of
    those is now, `owners` says. `each` asks for all customers who differ, one by one.
    """

    live: str
    live_version: int
    proposed: str
    since: datetime | None
    until: datetime
    end: int
    """Records from this number on were taken after the simulation began."""
    slices: Sequence[tuple[str, str]]
    families: Sequence[Sequence[str]]
    owners: dict[str, str]
    apart: Sequence[str]
    """Customers of all families: they are not in slices."""
    processes: int = 1
    """Among so many all customers are shared out."""
    each: bool = False


class Finding(Struct, kw_only=True):
    """What one process found."""

    contrast: Contrast
    customers: list[CustomerContrast] = []


class History(Protocol):
    """The records that were taken."""

    def groups(self, task: Task) -> AsyncIterator[Group]:
        """The groups of a task, one after the other."""


async def simulate(task: Task, history: History) -> Finding:
    """Play all groups of a task."""
    plan = Plan(
        live=Rulebook.of(load_program(task.live, version=task.live_version), NO_CODES),
        proposed=Rulebook.of(load_program(task.proposed, version=task.live_version + 1), NO_CODES),
        since=task.since,
        until=task.until,
        share=Fraction(1, task.processes),
    )
    finding = Finding(contrast=Contrast())
    async for group in history.groups(task):
        customers = finding.contrast.count(play(group, plan))
        if task.each:
            finding.customers += [each for each in customers if each.differs]
    return finding
