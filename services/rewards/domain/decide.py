"""The decision: one activity, the customer's reward state, the program and the time; nothing else."""

from services.rewards.domain.changes import Changes
from services.rewards.domain.concerns import Match
from services.rewards.domain.earning.earn import earn_for_activity
from services.rewards.domain.earning.milestones import reach
from services.rewards.domain.earning.orders import order_cancelled, order_completed, order_refunded
from services.rewards.domain.earning.referrals import note_referral
from services.rewards.domain.points.expiry import renew
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Activity


def decide(activity: Activity, matched: Match, member: Member, rulebook: Rulebook, changes: Changes) -> None:
    """Apply an activity to a member and collect in `changes` what must be written.

    `member` holds the state that `needs` of the activity asked for. The time is `changes.now`.
    """
    program = rulebook.program
    tiers.note_joined(member, activity, program, changes)
    earned = member.lifetime_earned
    if activity.type == "order.completed":
        order_completed(member, activity, matched, rulebook, changes)
    elif activity.type == "order.refunded":
        order_refunded(member, activity, rulebook, changes)
        earn_for_activity(member, activity, matched, program, changes)
    elif activity.type == "order.cancelled":
        order_cancelled(member, activity, rulebook, changes)
        earn_for_activity(member, activity, matched, program, changes)
    else:
        earn_for_activity(member, activity, matched, program, changes)
    if program.points.renewed_by:
        renew(member, activity, program, changes)
    if program.points.referral is not None:
        note_referral(member, activity, program, changes)
    if matched.milestones:
        reach(member, activity, matched, rulebook, changes)
    tiers.follow_points(member, activity, program, changes, earned)
