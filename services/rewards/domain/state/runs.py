"""A run: one time that a campaign began for one customer, and how far it has come."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct


class State(StrEnum):
    """`waiting` until it is due. Then `done`; `superseded`: all done but its message, because an earlier campaign of
    the file writes on the same cause; `held_out`: nothing, as the customer is in the hold-out; `unmet`: nothing, as
    what it began on held no more when it was due. Or before it was due: `stopped`, because the goal was reached;
    `dropped`, because the program has the campaign no longer."""

    WAITING = "waiting"
    DONE = "done"
    SUPERSEDED = "superseded"
    HELD_OUT = "held_out"
    STOPPED = "stopped"
    DROPPED = "dropped"
    UNMET = "unmet"


COUNTING = frozenset({State.WAITING, State.DONE, State.SUPERSEDED, State.HELD_OUT})
"""States of runs that count towards `at_most`."""


class Run(Struct, kw_only=True):
    """One run. `run` is its id, for ever. `on` is the type of the occasion, `cause` what names it, and `root` the
    activity (or what time did) behind it: one cause, one message. `arm` is that of the experiment. `part` is the part
    of the customer that it came about for (see `Member`), None for the customer's own.

    `started_at`: when the occasion was; `due_at`: when it acts. The goal counts when it is reached by `goal_until`,
    at `reached_at`; `revenue` is what the order that reached it came to, in the program's currency. `silent`: its
    message is an earlier campaign's. `wrote`: it asked for a message. `event`: what the occasion tells, as JSON, kept
    while it waits. `points` and `codes` (with a space between) are what it gave.
    `stored` and `changed` tell what to write.
    """

    run: str
    campaign: str
    on: str
    cause: str
    root: str
    arm: str
    part: str | None
    started_at: datetime
    due_at: datetime
    state: State
    program_version: int
    goal_until: datetime | None = None
    reached_at: datetime | None = None
    revenue: Decimal | None = None
    silent: bool = False
    wrote: bool = False
    event: str | None = None
    points: int = 0
    codes: str | None = None
    stored: bool = False
    changed: bool = True

    @property
    def moment(self) -> str:
        """What it acts for, as causes of outcomes name it: the activity behind it; of one that waited, with when it was
        due, since the steps of a series are occasions of their own."""
        return self.root if self.due_at == self.started_at else f"{self.root}/{self.due_at.isoformat()}"


def run_id(customer_id: str, campaign: str, cause: str) -> str:
    """The id of a run: the same for the same cause, whoever has it after a merge."""
    told = f"{len(customer_id)}:{customer_id}{len(campaign)}:{campaign}{cause}"
    return "run_" + blake2b(told.encode(), digest_size=16, person=b"regulars.run").hexdigest()


def first_arm(runs: Iterable[Run], campaign: str) -> str | None:
    """The arm of the first run of a campaign: assigned for good."""
    own = [run for run in runs if run.campaign == campaign]
    return min(own, key=lambda run: (run.started_at, run.run)).arm if own else None
