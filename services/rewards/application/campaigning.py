"""The use cases of campaigns: after a batch of the stream, after what time did, and when a run that waited is due."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from msgspec import json
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import DUE_MAX, work_of
from services.rewards.application.ports import Members, Programs
from services.rewards.domain import tiers
from services.rewards.domain.campaigns.acting import act
from services.rewards.domain.campaigns.goals import may_reach, reach_goals
from services.rewards.domain.campaigns.occasions import (
    Occasion,
    begun,
    concerns,
    occasion_of,
    occasions_of,
    of_outcomes,
)
from services.rewards.domain.campaigns.runs import Run, State
from services.rewards.domain.campaigns.starting import Writing, actions_of, start
from services.rewards.domain.changes import Changes
from services.rewards.domain.experiments.arms import HOLDOUT
from services.rewards.domain.member import Member
from services.rewards.domain.needs import Needs
from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity, Facts
from shared.contracts.outcomes import Outcome
from shared.program.campaigning import Campaign
from shared.program.tiering import Measure

RAISED = "tier.changed"
ROUNDS_MAX = 10
"""Of campaigns that begin on what campaigns brought about; points may raise a tier, and tiers are few."""

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
    after it in its batch."""

    member: Member
    part: str | None
    activity: Activity | None
    begins: list[Begun]
    coming: frozenset[str] = frozenset()


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
                occasions = list(occasions_of(activity, rulebook))
                occasions += [occasion_of(one, activity.facts, activity) for one in told]
                begins = [(campaign, one) for one in occasions for campaign in begun(one, rulebook)]
            reaches = activity.type in rulebook.goals and member.customer_id in fresh
            if begins:
                fresh.add(member.customer_id)
            if begins or reaches or may_reach(activity, member, rulebook):
                coming = frozenset(one.id for one, _ in decided[place:] if begins and activity.late)
                turns.append(_Turn(member, part_of(activity, member), activity, begins, coming))
        await self._take(connection, turns, rulebook, changes)

    async def follow_time(self, connection: AsyncConnection, rulebook: Rulebook, changes: Changes) -> None:
        """Let campaigns follow what time alone has done, which is not written yet."""
        told = of_outcomes(changes.outcomes, rulebook)
        if not told:
            return
        facts = await self.runs.facts(connection, {one.customer_id for one in told})
        turns = []
        for outcomes in _by_cause(told).values():
            for customer_id in dict.fromkeys(one.customer_id for one in outcomes):
                member = changes.members.get(customer_id) or changes.standings[customer_id]
                occasions = [
                    occasion_of(one, facts.get(customer_id))
                    for one in outcomes
                    if one.customer_id == customer_id
                ]
                begins = [(campaign, one) for one in occasions for campaign in begun(one, rulebook)]
                if begins:
                    turns.append(_Turn(member, None, None, begins))
        await self._take(connection, turns, rulebook, changes)

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
            writing: Writing = set()
            for _ in range(ROUNDS_MAX):
                if not begins:
                    break
                told = len(changes.outcomes)
                _start(turn.member, begins, rulebook, changes, writing, later)
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
        limited = {one.id for one in possible if one.at_most is not None or one.experiment}
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
        await members.load(connection, some, Needs(tiers=bare), since, measure)


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


@dataclass(frozen=True, slots=True)
class RunCampaigns:
    """The job of runs that waited (see `timed.Job`)."""

    runs: Runs
    members: Members
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Let runs act that are due; of how many members."""
        members = await self.runs.due(connection, now, limit, skip)
        if not members:
            return 0
        with work_of(members):
            rulebook = await self.programs.current(connection, now)
            facts = await self.runs.facts(connection, members)
            await load_counted(connection, self.members, members, members, rulebook, now)
            changes = Changes(now, rulebook.program.version)
            for member in members.values():
                due = sorted(member.runs.values(), key=lambda run: (run.due_at, run.run))
                for run in due:
                    _act_now(member, run, facts.get(member.customer_id), rulebook, changes)
            await self.members.save(connection, changes)
            return len(members)


def _act_now(member: Member, run: Run, facts: Facts | None, rulebook: Rulebook, changes: Changes) -> None:
    """Let a run that waited act, as the program of now says; one whose campaign or arm is gone is dropped."""
    campaign = next((one for one in rulebook.program.campaigns if one.id == run.campaign), None)
    arms = {variant.id for variant in campaign.variants} if campaign is not None else set()
    known = campaign is not None and (not arms or run.arm in arms or run.arm == HOLDOUT)
    if campaign is None or not known:
        run.state, run.event, run.changed = State.DROPPED, None, True
        changes.keep_run(member, run)
        return
    told = json.decode(run.event or "{}")
    occasion = Occasion(run.on, run.cause, run.root, run.started_at, told, facts, told)
    member.part, earned = run.part, member.lifetime_earned
    run.program_version = rulebook.program.version
    act(member, run, actions_of(campaign, run.arm), occasion, rulebook, changes)
    if member.lifetime_earned != earned:
        program, key = rulebook.program, f"campaigns/{run.run}"
        tiers.count_earned(member, program, changes, earned, key=key, at=run.due_at, cause=run.root)
