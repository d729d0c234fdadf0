"""A group of customers played under both programs: the one in force, and the one that is proposed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from msgspec.structs import replace

from services.rewards.domain.members.parting import is_parting
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation.common import Common, Meeting, Part, met
from services.rewards.domain.simulation.counting import BEGINNING
from services.rewards.domain.simulation.figures import CustomerResult, Ending, combined
from services.rewards.domain.simulation.replay import Replay
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.member import TierGrant
from shared.contracts.activity import Activity, Facts
from shared.contracts.codec import decode
from shared.program.conditions.segments import SegmentRules
from shared.program.model.program import Program

LOOKED_THROUGH = 5_000
"""Records of a group up to which it is looked through for rules that differ, before anything is decided."""


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
    common: Common = field(init=False)

    def __post_init__(self) -> None:
        budgets = _budgets(self.live.program, self.share), _budgets(self.proposed.program, self.share)
        object.__setattr__(self, "budgets", budgets)
        before, after = self.live.program.segments, self.proposed.program.segments
        changed = {name: rule for name, rule in after.items() if before.get(name) != rule}
        object.__setattr__(self, "segments", SegmentRules(changed))
        object.__setattr__(self, "otherwise", frozenset(changed) | (before.keys() - after.keys()))
        object.__setattr__(self, "common", Common(self.live, self.proposed))


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

    live: dict[str, CustomerResult]
    proposed: dict[str, CustomerResult]
    segments: dict[str, Sequence[str]]
    activities: int
    first: datetime | None
    last: datetime | None


class _Told(NamedTuple):
    """A record that counts: whose it is now, when it is taken, and what it meets."""

    activity: Activity
    owner: str
    at: datetime
    meeting: Meeting


def play(group: Group, plan: Plan) -> Played:
    """Decide everything again under each program; once, where that is the same.

    The clock is the latest time of what has happened so far: history that was imported at once is played as it was
    lived, and what came in late is taken late.
    """
    told: Iterable[_Told] = _told(group, plan)
    same_rules = False
    if len(group.records) <= LOOKED_THROUGH:
        told = list(told)
        same_rules = all(one.meeting.same for one in told)
    part = plan.common.part(same_rules=same_rules)
    live = Replay(plan.live, plan.since, plan.budgets[0])
    proposed = Replay(plan.common.proposed(part), plan.since, plan.budgets[1]) if any(part) else None
    count, first, clock = 0, None, None
    segments: dict[str, Sequence[str]] = {}
    waiting = iter(group.movements)
    movement = next(waiting, None)
    for activity, owner, clock, meeting in told:
        first = min(first or activity.time, activity.time)
        count += 1
        while movement is not None and movement.at <= clock:
            _move(movement, live, proposed, part)
            movement = next(waiting, None)
        segments[owner] = activity.facts.segments
        live.happen(owner, activity, meeting.live, clock)
        if proposed is not None:
            proposed.happen(owner, activity, met(meeting, part), clock)
    while movement is not None and movement.at < plan.until:
        _move(movement, live, proposed, part)
        movement = next(waiting, None)
    before = live.end(plan.until)
    after = proposed.end(plan.until) if proposed is not None else {}
    return Played(
        live={owner: combined(ending, ending) for owner, ending in before.items()},
        proposed={owner: _proposed(ending, after.get(owner), part) for owner, ending in before.items()},
        segments=segments,
        activities=count,
        first=first,
        last=clock,
    )


def _told(group: Group, plan: Plan) -> Iterator[_Told]:
    """The records that count, one after the other."""
    clock = BEGINNING
    for record in group.records:
        activity = decode(record, Activity)
        if activity.time >= plan.until or is_parting(activity):
            continue
        clock = max(clock, activity.time)
        owner = activity.part or activity.customer_id
        owner = group.owners.get(owner, activity.customer_id if activity.part else owner)
        otherwise = activity
        if plan.otherwise:
            otherwise = replace(activity, facts=_with_segments(activity.facts, plan))
        yield _Told(activity, owner, clock, plan.common.meeting(activity, otherwise))


def _proposed(live: Ending, proposed: Ending | None, part: Part) -> CustomerResult:
    """How a customer stands under the proposed program."""
    proposed = proposed or live
    return combined(proposed if part.earning else live, proposed if part.standing else live)


def _move(movement: Movement, live: Replay, proposed: Replay | None, part: Part) -> None:
    owner, at, cause = movement.owner, movement.at, movement.cause
    given = movement.kind == Kind.GRANTED
    played = part.standing if given else part.earning
    for world in (live, proposed) if proposed is not None and played else (live,):
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
