"""Goals: a run has succeeded; what of it is still to come is not needed any more."""

from decimal import Decimal

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run, State
from shared.contracts.activity import Activity
from shared.program.conditions.condition import ConditionContext


def may_reach(activity: Activity, member: Member, rulebook: Rulebook) -> bool:
    """Whether a goal may be reached by the activity, as far as can be told without the member's runs."""
    return (
        activity.type in rulebook.goals
        and member.goals_until is not None
        and member.goals_until >= activity.time
    )


def reach_goals(member: Member, activity: Activity, rulebook: Rulebook, changes: Changes) -> None:
    """Note that the activity reaches the goal of runs that began before it: those that wait are stopped, and messages
    of the others, if they are not sent yet, withdrawn. Runs without a reached goal must be loaded."""
    goals = rulebook.goals.get(activity.type)
    if not goals:
        return
    context = None
    for run in member.runs.values():
        goal = goals.get(run.campaign)
        if goal is None or not _open(run, activity):
            continue
        if goal.when is not None:
            context = context or ConditionContext.of(activity)
            if not context.holds(goal.when):
                continue
        _reach(member, run, activity, rulebook, changes)


def _open(run: Run, activity: Activity) -> bool:
    # Dropped ones too: who is held out waits for the goal as well, and reports compare them.
    return (
        run.reached_at is None
        and run.goal_until is not None
        and run.root != activity.id
        and run.started_at < activity.time <= run.goal_until
    )


def _reach(member: Member, run: Run, activity: Activity, rulebook: Rulebook, changes: Changes) -> None:
    run.reached_at, run.changed = activity.time, True
    total, currency = activity.data.get("total"), activity.data.get("currency")
    if activity.type == "order.completed" and total is not None and currency == rulebook.program.currency:
        run.revenue = Decimal(total)
    if run.state is State.WAITING:
        run.state, run.event = State.STOPPED, None
    changes.keep_run(member, run)
    if run.wrote:
        data = {"campaign": run.campaign, "run": run.run, "reason": "goal_reached"}
        changes.tell(member, "message.withdrawn", id_=f"{run.run}/withdrawn", cause=activity.id, data=data)
