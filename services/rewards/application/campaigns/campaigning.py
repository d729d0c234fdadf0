"""The use cases of campaigns: after a batch of the stream, and after what time did."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import work_of
from services.rewards.application.ports import Members
from services.rewards.domain.campaigns.goals import may_reach, reach_goals
from services.rewards.domain.campaigns.occasions import (
    Occasion,
    begun,
    concerns,
    occasion_of,
    occasions_of,
    of_outcomes,
)
from services.rewards.domain.campaigns.starting import Writing, start
from services.rewards.domain.changes import Changes
from services.rewards.domain.needs import Needs
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Activity, Facts
from shared.contracts.outcomes import Outcome
from shared.program.model.campaigns import Campaign
from shared.program.model.tiers import Measure

RAISED = "tier.changed"
ROUNDS_MAX = 10
"""Of campaigns that begin on what campaigns brought about; points may raise a tier, and tiers are few."""

NOTHING_COMES: frozenset[str] = frozenset()

Begun = tuple[Campaign, Occasion]


class Runs(Protocol):
    """Runs as they are stored. Every method works in the caller's transaction."""

    async def load(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        campaigns: Collection[str],
        since: datetime,
    ) -> None:
        """Fill the members with their runs of these campaigns, and with those whose goal may be reached since then.
        Runs that are at hand stay as they are."""

    async def due(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """Members with runs that are due, locked, and those runs."""

    async def since(
        self, connection: AsyncConnection, customers: Collection[str], moment: datetime
    ) -> list[Activity]:
        """The last activities of these customers that were taken since then."""

    async def facts(self, connection: AsyncConnection, customers: Collection[str]) -> dict[str, Facts]:
        """The facts of these customers as they were told last; nothing of whom nothing is kept."""


@dataclass(slots=True)
class _Turn:
    """What one activity (or what time did) brings about for its member. `coming`: of a late one, itself and what comes
    after it in its batch. `writing`: the causes of messages that are asked for already."""

    member: Member
    part: str | None
    activity: Activity | None
    begins: list[Begun]
    coming: frozenset[str] = frozenset()
    writing: Writing = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Begins campaigns, and notes goals, in the transaction of what brings them about."""

    runs: Runs
    members: Members

    async def follow(
        self,
        connection: AsyncConnection,
        decided: Sequence[tuple[Activity, Member]],
        rulebook: Rulebook,
        changes: Changes,
    ) -> None:
        """Let campaigns follow a batch that has been decided and is not written yet."""
        if not rulebook.campaigns:
            return
        own = _by_cause(of_outcomes(changes.outcomes, rulebook))
        turns: list[_Turn] = []
        fresh: set[str] = set()
        for place, (activity, member) in enumerate(decided):
            told = own.get(activity.id, ())
            begins: list[Begun] = []
            if told or concerns(activity, rulebook):
                occasions = list(occasions_of(activity, rulebook, only_hopeful=True))
                occasions += [occasion_of(one, activity.facts, activity) for one in told]
                begins = [(campaign, one) for one in occasions for campaign in begun(one, rulebook)]
            reaches = activity.type in rulebook.goals and member.customer_id in fresh
            if begins:
                fresh.add(member.customer_id)
            if begins or reaches or may_reach(activity, member, rulebook):
                late = begins and activity.late
                coming = frozenset(one.id for one, _ in decided[place:]) if late else NOTHING_COMES
                turns.append(_Turn(member, part_of(activity, member), activity, begins, coming))
        await self._take(connection, turns, rulebook, changes)

    async def follow_time(
        self,
        connection: AsyncConnection,
        outcomes: Sequence[Outcome],
        rulebook: Rulebook,
        changes: Changes,
    ) -> None:
        """Let campaigns follow what was decided about members as a whole, and not about one activity, and what is not
        written yet. Facts are those told last of the member: an activity of the same batch may be of a customer whom
        the member was merged with, and tell the facts of that one."""
        told = of_outcomes(outcomes, rulebook)
        if not told:
            return
        facts = await self.runs.facts(connection, {one.customer_id for one in told})
        turns = []
        for together in _by_cause(told).values():
            for customer_id in dict.fromkeys(one.customer_id for one in together):
                member = changes.members.get(customer_id) or changes.standings[customer_id]
                occasions = [
                    occasion_of(one, facts.get(customer_id))
                    for one in together
                    if one.customer_id == customer_id
                ]
                begins = [(campaign, one) for one in occasions for campaign in begun(one, rulebook)]
                if begins:
                    turns.append(_Turn(member, None, None, begins))
        await self._take(connection, turns, rulebook, changes)

    async def follow_runs(
        self,
        connection: AsyncConnection,
        lifted: Sequence[tuple[Member, Run, Outcome]],
        facts: Mapping[str, Facts],
        rulebook: Rulebook,
        changes: Changes,
    ) -> None:
        """Let campaigns follow tiers that points of runs which waited have lifted, at the moment when they were due."""
        turns = []
        for member, run, outcome in lifted:
            cause = run.moment
            occasion = occasion_of(outcome, facts.get(member.customer_id))
            occasion = replace(occasion, at=run.due_at, root=cause)
            begins = [(campaign, occasion) for campaign in begun(occasion, rulebook)]
            writing: Writing = {(cause, None)} if run.wrote else set()
            turns.append(_Turn(member, run.part, None, begins, writing=writing))
        await self._take(connection, turns, rulebook, changes)

    @asynccontextmanager
    async def deciding(
        self, connection: AsyncConnection, whose: Collection[str], rulebook: Rulebook, now: datetime
    ) -> AsyncIterator[Changes]:
        """What the timed jobs have in common: what is decided within about these members is followed by campaigns and
        written. Raises `DueWorkError`."""
        with work_of(whose):
            changes = Changes(now, rulebook.program.version)
            yield changes
            await self.follow_time(connection, changes.outcomes, rulebook, changes)
            await self.members.save(connection, changes)

    async def _take(
        self, connection: AsyncConnection, turns: list[_Turn], rulebook: Rulebook, changes: Changes
    ) -> None:
        if not turns:
            return
        await self._load(connection, turns, rulebook, changes)
        for turn in turns:
            turn.member.part = turn.part
            if turn.activity is not None:
                reach_goals(turn.member, turn.activity, rulebook, changes)
            begins, later = turn.begins, await self._later(connection, turn)
            for _ in range(ROUNDS_MAX):
                if not begins:
                    break
                told = len(changes.outcomes)
                _start(turn.member, begins, rulebook, changes, turn.writing, later)
                begins = _raised(begins, changes.outcomes[told:], rulebook)

    async def _later(self, connection: AsyncConnection, turn: _Turn) -> list[Activity]:
        """What is known of after an occasion that came late, where that may have reached a goal already."""
        late = [one for campaign, one in turn.begins if one.late and campaign.success is not None]
        if not late or turn.activity is None:
            return []
        since, own = min(one.at for one in late), {turn.member.customer_id, turn.activity.customer_id}
        known = await self.runs.since(connection, own, since)
        known = [one for one in known if one.time > since and one.id not in turn.coming]
        return sorted(known, key=lambda one: (one.time, one.id))

    async def _load(
        self, connection: AsyncConnection, turns: list[_Turn], rulebook: Rulebook, changes: Changes
    ) -> None:
        """The runs that decide, and what tiers need where points of campaigns count towards them."""
        begins = [(turn.member, *each) for turn in turns for each in turn.begins]
        members = {turn.member.customer_id: turn.member for turn in turns}
        giving = {
            member.customer_id
            for member, campaign, _ in begins
            if any(action.points for action in campaign.actions())
        }
        possible = [campaign for _, campaign, _ in begins]
        if giving:
            possible += rulebook.campaigns.get(RAISED, ())
        limited = {one.id for one in possible if one.limit is not None or one.experiment}
        moments = [turn.activity.time for turn in turns if turn.activity is not None]
        await self.runs.load(connection, members, limited, min([*moments, changes.now]))
        await load_counted(connection, self.members, members, giving, rulebook, changes.now)


async def load_counted(  # noqa: PLR0917
    connection: AsyncConnection,
    members: Members,
    known: dict[str, Member],
    giving: Iterable[str],
    rulebook: Rulebook,
    now: datetime,
) -> None:
    """Where tiers go by points: all that counts of those who may get some, unless it is loaded."""
    measure = tiers.measure_of(rulebook.program)
    bare = {id_ for id_ in giving if known[id_].counted is None}
    if measure is Measure.POINTS and bare:
        since = tiers.start_of_window(rulebook.program, now)
        some = {id_: known[id_] for id_ in bare}
        await members.load(connection, some, Needs(now, tiers=bare), since, measure)


def part_of(activity: Activity, member: Member) -> str | None:
    """The part of the member that an activity is of (see `Member`)."""
    part = activity.part or activity.customer_id
    return None if part == member.customer_id else part


def _by_cause(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.cause, []).append(outcome)
    return found


def _start(  # noqa: PLR0917
    member: Member,
    begins: list[Begun],
    rulebook: Rulebook,
    changes: Changes,
    writing: Writing,
    later: Sequence[Activity],
) -> None:
    """Begin campaigns, and let the points that they give count towards tiers."""
    earned, first = member.lifetime_earned, begins[0][1]
    start(member, begins, rulebook, changes, writing, later=later)
    if member.lifetime_earned != earned:
        key = f"campaigns/{first.cause}"
        tiers.count_earned(member, rulebook.program, changes, earned, key=key, at=first.at, cause=first.root)


def _raised(begins: list[Begun], outcomes: Sequence[Outcome], rulebook: Rulebook) -> list[Begun]:
    """Campaigns that begin because points of others raised a tier. Whatever else campaigns give begins none: nobody
    shall go in circles."""
    first = begins[0][1]
    raised = [
        replace(occasion_of(one, first.facts), at=first.at)
        for one in of_outcomes(outcomes, rulebook)
        if one.type == RAISED
    ]
    return [(campaign, one) for one in raised for campaign in begun(one, rulebook)]
