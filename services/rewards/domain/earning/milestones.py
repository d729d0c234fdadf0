"""Milestones: reached once per customer and occasion; points, an offer, or both. Once given they stay."""

from dataclasses import replace

from services.rewards.domain.changes import Changes, Reached
from services.rewards.domain.concerns import Match
from services.rewards.domain.earning.earn import tell_earned
from services.rewards.domain.issuing import issue_offer
from services.rewards.domain.matching import occasions
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member, Use
from shared.contracts.activity import Activity
from shared.program.model.program import Milestone


def milestone_name(milestone: str, occasion_: str) -> str:
    """How a member remembers a milestone: its id, and the occasion if it recurs."""
    return f"{milestone}/{occasion_}"


def reach(member: Member, activity: Activity, matched: Match, rulebook: Rulebook, changes: Changes) -> None:
    """Give what the matched milestones promise, unless the customer has had it. What earns nothing reaches them too,
    empty-handed: they are not given for the next event instead."""
    for goal in matched.milestones:
        milestone = replace(goal, points=None, offer=None) if activity.unrewarded else goal
        come = occasions(milestone, activity)
        new = [when for when in come if milestone_name(milestone.id, when) not in member.milestones]
        if not come:
            assert goal.count is not None, "what does not count has one occasion"
            fact = goal.count.fact
            changes.skip(
                goal.id, Why.COUNT, fact=fact, of=goal.count.of, **{"is": getattr(activity.facts, fact)}
            )
        elif not new:
            changes.skip(milestone.id, Why.REACHED_BEFORE)
        elif activity.unrewarded:
            changes.skip(milestone.id, Why.UNREWARDED)
        for when in new:
            _reach(member, activity, milestone, when, rulebook, changes)
        if milestone.points is not None and new:
            points = milestone.points * len(new)
            tell_earned(member, activity, changes, [{"rule": milestone.id, "points": points}])


def _reach(  # noqa: PLR0917
    member: Member,
    activity: Activity,
    milestone: Milestone,
    when: str,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """One occasion of a milestone, which the customer has not had."""
    points = milestone.points or 0
    use = Use("", activity.time, activity.id, points, member.part)
    member.milestones[milestone_name(milestone.id, when)] = use
    changes.touch(member)
    changes.milestones.append(
        Reached(
            member.customer_id,
            milestone.id,
            when,
            activity.time,
            activity.id,
            points,
            rulebook.program.version,
            member.part,
        )
    )
    if points:
        number = lot_number(activity.id, milestone.id)
        lot = member.lots.get(number) or ledger.open_lot(
            member, number, activity.time, rulebook.program, now=changes.now
        )
        ledger.earn(
            member,
            changes,
            lot,
            points,
            rule=milestone.id,
            cause=activity.id,
            at=activity.time,
            key=member.key(f"milestone/{milestone.id}/{when}"),
        )
    if milestone.offer is not None:
        issue_offer(
            member,
            rulebook,
            changes,
            offer=milestone.offer,
            rule=milestone.id,
            cause=activity.id,
            historical=activity.historical,
            occasion=f"/{when}" if milestone.count is not None and milestone.count.each else "",
        )
    if activity.unrewarded:
        return
    data = {"milestone": milestone.id, "occasion": when, "points": points, "offer": milestone.offer}
    id_ = f"{activity.id}/milestone/{milestone.id}/{when}"
    changes.tell(
        member, "milestone.reached", id_=id_, cause=activity.id, data=data, historical=activity.historical
    )
