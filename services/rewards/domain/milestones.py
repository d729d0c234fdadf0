"""Milestones: reached once per customer and occasion; points, an offer, or both. Once given they stay."""

from dataclasses import replace

from services.rewards.domain import ledger
from services.rewards.domain.changes import Changes, Reached
from services.rewards.domain.earning import tell_earned
from services.rewards.domain.lots import lot_number
from services.rewards.domain.matching import Match, occasion
from services.rewards.domain.member import Member, Use
from services.rewards.domain.offers import issue_offer
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity


def milestone_name(milestone: str, occasion_: str) -> str:
    """How a member remembers a milestone: its id, and the occasion if it recurs."""
    return f"{milestone}/{occasion_}"


def reach(member: Member, activity: Activity, matched: Match, rulebook: Rulebook, changes: Changes) -> None:
    """Give what the matched milestones promise, unless the customer has had it. What earns nothing reaches them too,
    empty-handed: they are not given for the next event instead."""
    for goal in matched.milestones:
        milestone = replace(goal, points=None, offer=None) if activity.unrewarded else goal
        when = occasion(milestone, activity)
        name = milestone_name(milestone.id, when)
        if name in member.milestones:
            changes.skip(milestone.id, Why.REACHED_BEFORE)
            continue
        if activity.unrewarded:
            changes.skip(milestone.id, Why.UNREWARDED)
        member.milestones[name] = Use("", activity.time, activity.id, milestone.points or 0, member.part)
        changes.touch(member)
        changes.milestones.append(
            Reached(
                member.customer_id,
                milestone.id,
                when,
                activity.time,
                activity.id,
                milestone.points or 0,
                rulebook.program.version,
                member.part,
            )
        )
        if milestone.points is not None:
            lot = ledger.open_lot(
                member,
                lot_number(activity.id, milestone.id),
                activity.time,
                rulebook.program,
                now=changes.now,
            )
            ledger.earn(
                member,
                changes,
                lot,
                milestone.points,
                rule=milestone.id,
                cause=activity.id,
                at=activity.time,
                key=member.key(f"milestone/{milestone.id}/{when}"),
            )
            tell_earned(member, activity, changes, [{"rule": milestone.id, "points": milestone.points}])
        if milestone.offer is not None:
            issue_offer(
                member,
                rulebook,
                changes,
                offer=milestone.offer,
                rule=milestone.id,
                cause=activity.id,
                historical=activity.historical,
            )
