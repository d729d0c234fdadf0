"""The timed use case of campaigns: runs that waited act when they are due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from msgspec import json
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.campaigning import RAISED, Campaigns, load_counted
from services.rewards.application.jobs import DUE_MAX, work_of
from services.rewards.application.ports import Programs
from services.rewards.domain.campaigns.acting import act
from services.rewards.domain.campaigns.holding import end_unmet, holds_still
from services.rewards.domain.campaigns.occasions import Occasion, of_outcomes, split
from services.rewards.domain.campaigns.starting import actions_of, pass_on, writes
from services.rewards.domain.changes import Changes
from services.rewards.domain.experiments.arms import HOLDOUT
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run, State
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Facts


@dataclass(frozen=True, slots=True)
class RunCampaigns:
    """The job (see `jobs.Job`)."""

    campaigns: Campaigns
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Let runs act that are due; of how many members. Of what they give only tiers that their points lift begin
        campaigns in their turn."""
        runs, store = self.campaigns.runs, self.campaigns.members
        members = await runs.due(connection, now, limit, skip)
        if not members:
            return 0
        rulebook = await self.programs.current(connection, now)
        with work_of(members):
            facts = await runs.facts(connection, members)
            await load_counted(connection, store, members, members, rulebook, now)
            changes = Changes(now, rulebook.program.version)
            lifted = []
            for member in members.values():
                # In the order of the file, first what it has no longer: what one does not write after all, the next
                # one does.
                order, runs_due = rulebook.campaign_order, member.runs.values()
                due = sorted(runs_due, key=lambda run: (run.due_at, order.get(run.campaign, -1), run.run))
                for run in due:
                    told = len(changes.outcomes)
                    _act_now(member, run, facts.get(member.customer_id), rulebook, changes)
                    raised = of_outcomes(changes.outcomes[told:], rulebook)
                    lifted += [(member, run, one) for one in raised if one.type == RAISED]
            await self.campaigns.follow_runs(connection, lifted, facts, rulebook, changes)
            await store.save(connection, changes)
            return len(members)


def _act_now(member: Member, run: Run, facts: Facts | None, rulebook: Rulebook, changes: Changes) -> None:
    """Let a run that waited act, as the program of now says; one whose campaign or arm is gone is dropped,
    and one whose occasion does not hold any more ends."""
    campaign = next((one for one in rulebook.program.campaigns if one.id == run.campaign), None)
    arms = {variant.id for variant in campaign.variants} if campaign is not None else set()
    known = campaign is not None and (not arms or run.arm in arms or run.arm == HOLDOUT)
    if campaign is None or not known:
        run.state, run.event, run.changed = State.DROPPED, None, True
        changes.keep_run(member, run)
        pass_on(member, run, rulebook)
        return
    told, event = split(json.decode(run.event or "{}"))
    occasion = Occasion(run.on, run.cause, run.root, run.started_at, told, facts, event)
    if campaign.delay is not None and not holds_still(campaign, occasion, member, rulebook):
        end_unmet(member, run, changes)
        if writes(campaign, run.arm):
            pass_on(member, run, rulebook)
        return
    member.part, earned = run.part, member.lifetime_earned
    run.program_version = rulebook.program.version
    act(member, run, actions_of(campaign, run.arm), occasion, rulebook, changes)
    if member.lifetime_earned != earned:
        program, key = rulebook.program, f"campaigns/{run.run}"
        tiers.count_earned(member, program, changes, earned, key=key, at=run.due_at, cause=run.root)
