"""A group of customers played under both programs: the one in force, and the one that is proposed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from msgspec.structs import replace

from services.rewards.domain.budgets import Budget
from services.rewards.domain.member import TierGrant
from services.rewards.domain.parting import is_parting
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation.counting import BEGINNING
from services.rewards.domain.simulation.figures import Standing
from services.rewards.domain.simulation.replay import Replay
from shared.contracts.activity import Activity, Facts
from shared.contracts.codec import decode
from shared.program.condition import Condition, ConditionContext
from shared.program.model import Program
from shared.program.segments import SegmentRules


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played. Figures count from `since` (None: from the first record) until `until`, where the replay ends.

    `segments` are those whose rules the proposed program has of its own, `otherwise` the names of all that differ.
    `share` is the share of all customers who are played by this plan: it has that share of what rules may give to all
    customers together, and whoever is played first gets it.
    """

    live: Rulebook
    proposed: Rulebook
    since: datetime | None
    until: datetime
    share: Fraction = Fraction(1)
    budgets: tuple[dict[str, Budget], dict[str, Budget]] = field(init=False)
    segments: SegmentRules = field(init=False)
    otherwise: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        budgets = _budgets(self.live.program, self.share), _budgets(self.proposed.program, self.share)
        object.__setattr__(self, "budgets", budgets)
        before, after = self.live.program.segments, self.proposed.program.segments
        changed = {name: rule for name, rule in after.items() if before.get(name) != rule}
        object.__setattr__(self, "segments", SegmentRules(changed))
        object.__setattr__(self, "otherwise", frozenset(changed) | (before.keys() - after.keys()))

    def computes(self, type_: str) -> bool:
        """Whether conditions on events of the type are more than plain questions."""
        return any(book.concerning(type_).computed for book in (self.live, self.proposed))


def _budgets(program: Program, share: Fraction) -> dict[str, Budget]:
    caps = {rule.id: rule.cap.program for rule in program.points.earn if rule.cap is not None}
    return {rule: Budget(int(cap * share)) for rule, cap in caps.items() if cap is not None}


class Kind(StrEnum):
    """What moved."""

    SPENT = "spent"
    BY_HAND = "by_hand"
    GRANTED = "granted"


class Movement(NamedTuple):
    """What is in no record: `points` spent at a checkout, for `order_id`; points given by hand or, below 0, taken; a
    `tier` granted until a moment."""

    at: datetime
    owner: str
    kind: str
    cause: str
    points: int = 0
    order_id: str | None = None
    tier: str | None = None
    until: datetime | None = None


class Group(NamedTuple):
    """Customers who have to do with each other, mostly one: records in the order in which they were taken, movements by
    time, and whose each part is now, where that is not the customer whom the record names."""

    records: Sequence[bytes]
    movements: Sequence[Movement] = ()
    owners: Mapping[str, str] = {}


@dataclass(slots=True)
class Played:
    """How the customers of a group stand under each program, and the segments they were in at the end."""

    live: dict[str, Standing]
    proposed: dict[str, Standing]
    segments: dict[str, Sequence[str]]
    activities: int
    first: datetime | None
    last: datetime | None


def play(group: Group, plan: Plan) -> Played:
    """Decide everything again, once under each program.

    The clock is the latest time of what has happened so far: history that was imported at once is played as it was
    lived, and what came in late is taken late.
    """
    live = Replay(plan.live, plan.since, plan.budgets[0])
    proposed = Replay(plan.proposed, plan.since, plan.budgets[1])
    clock, count, first, waiting = BEGINNING, 0, None, 0
    segments: dict[str, Sequence[str]] = {}
    for record in group.records:
        activity = decode(record, Activity)
        if activity.time >= plan.until or is_parting(activity):
            continue
        clock = max(clock, activity.time)
        first = min(first or activity.time, activity.time)
        count += 1
        while waiting < len(group.movements) and group.movements[waiting].at <= clock:
            _move(group.movements[waiting], (live, proposed))
            waiting += 1
        owner = activity.part or activity.customer_id
        owner = group.owners.get(owner, activity.customer_id if activity.part else owner)
        segments[owner] = activity.facts.segments
        computed = plan.computes(activity.type)
        context = Remembering.of(activity) if computed else None
        live.happen(owner, activity, context, clock)
        if plan.otherwise:
            activity = replace(activity, facts=_with_segments(activity.facts, plan))
            context = Remembering.of(activity) if computed else None
        proposed.happen(owner, activity, context, clock)
    for movement in group.movements[waiting:]:
        if movement.at < plan.until:
            _move(movement, (live, proposed))
    return Played(
        live=live.end(plan.until),
        proposed=proposed.end(plan.until),
        segments=segments,
        activities=count,
        first=first,
        last=clock if count else None,
    )


def _move(movement: Movement, worlds: tuple[Replay, Replay]) -> None:
    for world in worlds:
        owner, at, cause = movement.owner, movement.at, movement.cause
        if movement.kind == Kind.SPENT:
            world.spend(owner, movement.points, at, cause, movement.order_id)
        elif movement.kind == Kind.BY_HAND:
            world.adjust(owner, movement.points, at, cause)
        elif movement.tier is not None and movement.until is not None:
            world.grant(owner, TierGrant(cause, movement.tier, at, movement.until))


def _with_segments(facts: Facts, plan: Plan) -> Facts:
    """The facts with the segments that the proposed program would have put the customer in."""
    kept = [name for name in facts.segments if name not in plan.otherwise]
    return replace(facts, segments=sorted(kept + plan.segments.of(facts)))


class Remembering(ConditionContext):
    """Answers each condition once, though both programs ask it."""

    __slots__ = ("_answers",)

    _answers: dict[str, bool]

    @classmethod
    def of(cls, activity: Activity) -> "Remembering":
        """The context of a record."""
        context = cls(activity.facts, activity)
        context._answers = {}
        return context

    def holds(self, condition: Condition) -> bool:
        """Whether the condition is true here."""
        answer = self._answers.get(condition.source)
        if answer is None:
            answer = self._answers[condition.source] = super().holds(condition)
        return answer
