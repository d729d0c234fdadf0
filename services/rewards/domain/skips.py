"""Why a rule or milestone that an event concerns gave nothing: said where it is decided, kept only when asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Why(StrEnum):
    """The first thing that kept a rule, milestone or tier from giving something. Stable: the API shows it."""

    NOT_IN_PROGRAM = "not_in_program"
    """The program version of then has no such rule."""
    OTHER_EVENT = "other_event"
    """The rule waits for another type of event."""
    CONDITION = "condition_not_met"
    UNREWARDED = "unrewarded"
    """The event was taken in as history that earns nothing."""
    LIMIT = "limit_reached"
    """The rule's own `limit`: it had given as often as it may."""
    REACHED_BEFORE = "reached_before"
    """The milestone had been reached, which happens once (or once a year)."""
    COUNT = "count_not_reached"
    """What the milestone counts has not come so far."""
    TOLD_BEFORE = "order_told_before"
    """The order was known already: an order earns once, however often it is told."""
    OTHER_CURRENCY = "other_currency"
    """The order is in another currency than the program's: points count money of that one only."""
    NO_WHOLE_POINT = "no_whole_point"
    """What counts comes to less than one whole point."""
    NOTHING_TO_MULTIPLY = "nothing_to_multiply"
    """No rule gave points by what was paid, which this one would have multiplied."""
    OTHER_DATE = "other_date"
    """The promotion had not begun, or was over."""
    OTHER_TIER = "other_tier"
    """The rule is for members of other tiers."""
    MINIMUM_ORDER = "below_minimum_order"
    """Less was paid for the order than the rule asks for."""
    NO_PRODUCT = "no_product_counts"
    """None of the order's products is one that the rule is for."""
    CAP = "cap_reached"
    """The rule's own `cap`: it had given as many points as it may, to this customer or to all together."""
    NO_FRIEND = "no_friend_came"
    """Nobody has come by the referral."""
    NO_ORDER_KEPT = "no_order_kept"
    """The friend has no order that counts and stands."""
    NOT_KEPT_YET = "not_kept_yet"
    """The friend's first order has yet to stand for as long as the referral asks."""
    FRIEND_KNOWN = "friend_known_before"
    """The friend had ordered, or brought a friend, before the referral."""
    SELF_REFERRED = "self_referred"
    """Who brought and who came proved to be one customer."""
    HISTORICAL = "historical"
    """The event was imported as history, on which no campaign begins."""
    HELD_OUT = "held_out"
    """The customer is in the hold-out of the campaign: nothing is done for comparison."""
    SAME_CAUSE = "other_campaign_writes"
    """An earlier campaign of the file writes on the same cause; all but the message was done."""
    GOAL_REACHED = "goal_reached"
    """The campaign's goal had been reached before it was due."""
    NOT_DUE = "not_due_yet"
    """The campaign waits."""
    UNMET = "no_longer_holds"
    """What the campaign began on held no more when it was due."""
    GONE = "campaign_gone"
    """When the campaign was due, the program in force had it (or its variant) no longer."""
    STATE_CHANGED = "state_changed"
    """By what is known now it would have given; what was known then can no longer be told (after a merge, say)."""


@dataclass(frozen=True, slots=True)
class Skip:
    """The rule `rule` gave nothing; `figures` are what whoever asks may want to know, such as the uses counted."""

    rule: str
    why: Why
    figures: Mapping[str, Any] = field(default_factory=dict)
