"""What became of a referral: the points come later than the events that told of it, or never; why, in either case."""

from datetime import datetime
from typing import NamedTuple

from services.rewards.domain.explaining.verdicts import Given, Verdict
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from shared.program.model.earn import Referral

TELLING = frozenset({"referral.made", "customer.registered", "order.completed"})
"""Types of events that tell of a referral, by `referral_id`."""


class Friend(NamedTuple):
    """How a friend's referral stands: see `referrals.Close`."""

    due_at: datetime | None
    closed: str | None


def referral_verdict(referral: Referral, activity: Activity, friend: Friend | None, given: Given) -> Verdict:
    """What became of the referral that the activity tells of; `friend` None: nobody has come by it."""
    figures = {"decided_at": friend.due_at} if friend is not None and friend.due_at is not None else {}
    share = referral.points if activity.type == "referral.made" else referral.friend
    why = None if given.points else (_why(activity, friend) if share is not None else Why.OTHER_EVENT)
    return Verdict(id=referral.id, rule=referral, given=given, why=why, figures=figures if why else {})


def _why(activity: Activity, friend: Friend | None) -> Why:
    if activity.type not in TELLING or not activity.data.get("referral_id"):
        return Why.OTHER_EVENT
    if friend is None:
        return Why.NO_FRIEND
    match friend.closed:
        case "known_before":
            return Why.FRIEND_KNOWN
        case "self":
            return Why.SELF_REFERRED
        case "rewarded":
            return Why.LIMIT
    return Why.NOT_KEPT_YET if friend.due_at is not None else Why.NO_ORDER_KEPT
