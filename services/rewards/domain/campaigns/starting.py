"""A campaign begins: for whom, in which arm, how often, and whether another one writes already."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from services.rewards.domain.campaigns.acting import act
from services.rewards.domain.campaigns.goals import reach_goals
from services.rewards.domain.campaigns.occasions import Occasion
from services.rewards.domain.changes import Changes
from services.rewards.domain.earning.limits import within
from services.rewards.domain.experiments.arms import HOLDOUT, arm_of
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.runs import COUNTING, Run, State, first_arm, run_id
from shared.contracts.activity import Activity
from shared.program.model.campaigns import Action, Campaign
from shared.program.values.period import Period

Writing = set[tuple[str, Period | None]]
"""The causes of messages that are asked for: the activity, and how long after it."""


def start(
    member: Member,
    begins: Iterable[tuple[Campaign, Occasion]],
    rulebook: Rulebook,
    changes: Changes,
    writing: Writing,
    *,
    later: Sequence[Activity] = (),
) -> None:
    """Begin campaigns that one activity (or what time did at one moment) brought about; those without a delay act at
    once, the others with the sweep, which knows what came meanwhile. Of those that would write at the same time, the
    first in the file does; `writing` are those that do already. Earlier runs of campaigns that are limited or
    experiments must be loaded. `later`: for an occasion that came late, what is known of after it, oldest first; where
    that has reached a goal, the campaign stops before it acts."""
    order = rulebook.campaign_order
    for campaign, occasion in sorted(begins, key=lambda one: (order[one[0].id], one[1].cause)):
        run = _begin(member, campaign, occasion, rulebook, changes)
        if run is None:
            continue
        for activity in later if run.goal_until is not None else ():
            reach_goals(member, activity, rulebook, changes)
        if run.state is State.STOPPED:
            continue
        if writes(campaign, run.arm):
            moment = (run.root, campaign.delay)
            run.silent = moment in writing
            writing.add(moment)
        if campaign.delay is not None or run.due_at > changes.now:
            run.event = json.encode(occasion.kept()).decode()
        else:
            act(member, run, actions_of(campaign, run.arm), occasion, rulebook, changes)


def actions_of(campaign: Campaign, arm: str) -> tuple[Action, ...]:
    """What the campaign does in an arm; nothing in the hold-out, nor in one that it does not have any more."""
    if arm == HOLDOUT:
        return ()
    if not campaign.variants:
        return campaign.do
    return next((variant.do for variant in campaign.variants if variant.id == arm), ())


def writes(campaign: Campaign, arm: str) -> bool:
    """Whether the campaign asks for a message in an arm."""
    return any(action.message for action in actions_of(campaign, arm))


def pass_on(member: Member, run: Run, rulebook: Rulebook) -> None:
    """The message that a run does not write after all is that of the next campaign of the file that waited beside it to
    write about the same, unless another one writes."""
    if run.silent:
        return
    beside = [one for one in member.runs.values() if one.moment == run.moment]
    writing = [
        one
        for campaign in rulebook.program.campaigns
        for one in beside
        if one.campaign == campaign.id and one.state is State.WAITING and writes(campaign, one.arm)
    ]
    if writing and all(one.silent for one in writing) and not any(one.wrote for one in beside):
        writing[0].silent = False


def _begin(
    member: Member, campaign: Campaign, occasion: Occasion, rulebook: Rulebook, changes: Changes
) -> Run | None:
    """The new run; None when the customer has had it, or had it as often as may be."""
    name, zone = run_id(member.customer_id, campaign.id, occasion.cause), rulebook.program.time_zone
    runs = [run for run in member.runs.values() if run.state in COUNTING]
    if name in member.runs:
        return None
    if not has_room(campaign, runs, occasion.at, rulebook):
        if campaign.at_most is None:
            changes.braked.append(campaign.id)
        return None
    due_at = occasion.at if campaign.delay is None else campaign.delay.after(occasion.at, zone)
    goal = campaign.success
    run = Run(
        run=name,
        campaign=campaign.id,
        on=occasion.type,
        cause=occasion.cause,
        root=occasion.root,
        arm=arm_of(
            member.customer_id,
            campaign.id,
            rulebook.arm_salt,
            holdout=campaign.holdout,
            variants={variant.id: variant.share for variant in campaign.variants},
            before=first_arm(member.runs.values(), campaign.id),
        ),
        part=member.part,
        started_at=occasion.at,
        due_at=due_at,
        state=State.WAITING,
        program_version=rulebook.program.version,
        goal_until=None if goal is None else goal.within.after(due_at, zone),
    )
    member.runs[name] = run
    if run.goal_until is not None:
        member.goals_until = max(member.goals_until or run.goal_until, run.goal_until)
    changes.keep_run(member, run)
    return run


def has_room(campaign: Campaign, runs: Iterable[Run], at: datetime, rulebook: Rulebook) -> bool:
    """Whether the campaign's limit has room for an occasion of then beside these runs, of which only its own count."""
    if campaign.limit is None:
        return True
    uses = [Use("", run.started_at, run.cause, 0) for run in runs if run.campaign == campaign.id]
    return within(campaign.limit, uses, at, "", rulebook.program.time_zone)
