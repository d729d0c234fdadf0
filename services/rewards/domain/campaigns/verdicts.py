"""What each campaign made of one event, and why not, if nothing: by its run where it began, else asked again."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from services.rewards.domain.campaigns.occasions import Occasion, hindrance, occasions_of
from services.rewards.domain.campaigns.starting import actions_of, has_room
from services.rewards.domain.explaining.verdicts import NOTHING, Given, Verdict
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from services.rewards.domain.state.runs import COUNTING, Run, State
from shared.contracts.activity import Activity
from shared.program.conditions.trace import trace
from shared.program.describing.describe import describe_action
from shared.program.model.campaigns import Campaign

_OF_STATE: Mapping[State, Why | None] = {
    State.DONE: None,
    State.WAITING: Why.NOT_DUE,
    State.SUPERSEDED: Why.SAME_CAUSE,
    State.HELD_OUT: Why.HELD_OUT,
    State.STOPPED: Why.GOAL_REACHED,
    State.UNMET: Why.UNMET,
    State.DROPPED: Why.GONE,
}


def campaign_verdicts(  # noqa: PLR0917
    activity: Activity,
    rulebook: Rulebook,
    began: Sequence[Run],
    before: Sequence[Run],
    given: Mapping[str, Given],
    rule: str | None = None,
) -> list[Verdict]:
    """What every campaign made of the activity that begins on such, or that began on it; or what `rule` did.

    `began` are the runs of which the activity is the root, `before` those of the customer that were begun before it was
    decided about. Of what rewards decides because of an activity (`tier.changed`, say) only runs are known.
    """
    told = structs.replace(activity, historical=False)
    occasions = {one.type: one for one in occasions_of(told, rulebook)}
    found = []
    for campaign in rulebook.program.campaigns:
        runs = [run for run in began if run.campaign == campaign.id]
        occasion = occasions.get(campaign.on)
        if campaign.id == rule or (rule is None and (runs or occasion is not None)):
            got = given.get(campaign.id, NOTHING)
            verdict = _of_run(campaign, runs, got) if runs else None
            found.append(verdict or _of_none(campaign, occasion, activity, rulebook, before))
    return found


def _of_run(campaign: Campaign, runs: Sequence[Run], given: Given) -> Verdict:
    """Of several (an event may lead into several segments at once) the one that came furthest."""
    states = list(_OF_STATE)
    run = min(runs, key=lambda one: (states.index(one.state), one.due_at, one.run))
    did = [describe_action(one) for one in actions_of(campaign, run.arm)] if run.state is State.DONE else []
    figures = {"run": run.run, "arm": run.arm, "state": run.state, "due_at": run.due_at, "did": did}
    if run.reached_at is not None:
        figures["goal_reached_at"] = run.reached_at
    return Verdict(id=campaign.id, rule=campaign, given=given, why=_OF_STATE[run.state], figures=figures)


def _of_none(
    campaign: Campaign,
    occasion: Occasion | None,
    activity: Activity,
    rulebook: Rulebook,
    before: Sequence[Run],
) -> Verdict:
    if occasion is None:
        return Verdict(id=campaign.id, rule=campaign, given=NOTHING, why=Why.OTHER_EVENT)
    context = occasion.context()
    condition = trace(campaign.when, context) if campaign.when is not None else None
    figures: dict[str, object] = {}
    why = Why.HISTORICAL if activity.historical else hindrance(campaign, occasion, context)
    if why is None:
        # One that counted then may have ended since without having done anything.
        counting = [run for run in before if run.state in COUNTING]
        full = not all(has_room(campaign, runs, occasion.at, rulebook) for runs in (counting, before))
        why = Why.LIMIT if full else Why.STATE_CHANGED
        if full:
            own = sorted((run.started_at, run.root) for run in before if run.campaign == campaign.id)
            figures["given_before"] = [{"at": at, "cause": cause} for at, cause in own]
    return Verdict(
        id=campaign.id, rule=campaign, given=NOTHING, why=why, condition=condition, figures=figures
    )
