"""Campaigns that would bring about themselves, or each other, for ever: by what their messages and tags become, and by
segments that count messages."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.program.conditions.condition import Condition
from shared.program.conditions.plain.predicate import How, Test, parts_of
from shared.program.document.fields import Fields
from shared.program.model.campaigns import SEGMENT_MOVES, Campaign

SENT: Final = frozenset({"email.sent", "sms.sent", "push.sent"})
ANSWERED: Final = frozenset({"email.opened", "email.clicked", "push.opened"})
"""What messages bring about: a campaign that writes because of it could write for ever."""

TOTALS: Final = frozenset(
    {"emails_sent", "emails_opened", "emails_clicked", "sms_sent", "pushes_sent", "pushes_opened"}
)
"""What messages only ever add to: who has passed a written number is not led back by the next message."""
WAVERING: Final = frozenset(
    {
        "emails_sent_30d",
        "emails_sent_90d",
        "emails_unopened",
        "email_open_rate_30d",
        "email_open_rate_90d",
        "email_click_rate_30d",
        "email_click_rate_90d",
        "sms_sent_30d",
        "pushes_sent_30d",
    }
)
"""What messages, their being opened, and time move to and fro."""

LIMIT_HINT: Final = "Add such as at_most: {times: 1, per: P30D}."


def refuse_circles(
    campaigns: Sequence[Campaign], places: Sequence[Fields], segments: Mapping[str, Condition]
) -> None:
    """Notes a fault where campaigns could go on for ever: each that could by itself, and the first of those that could
    by way of each other. `places` are where the campaigns stand. `at_most` of one of them ends a circle."""
    moved = frozenset(name for name, condition in segments.items() if counts_messages(condition))
    alone = False
    for campaign, fields in zip(campaigns, places, strict=True):
        alone = _refuse_endless(fields, campaign, moved) or alone
    if not alone:
        _refuse_each_other(campaigns, places, moved)


def counts_messages(condition: Condition) -> bool:
    """Whether messages can lead a customer into the segment and out of it again and again."""
    for part in parts_of(condition.predicate):
        if not isinstance(part, Test) or part.how is How.OTHER:
            # Reckoned or compared with each other, totals come round as well (`emails_sent % 2`).
            if condition.fields & (WAVERING | TOTALS):
                return True
        elif part.field in WAVERING:
            return True
    return False


def _refuse_endless(fields: Fields, campaign: Campaign, moved: frozenset[str]) -> bool:
    """A campaign must not be its own occasion again and again. Whether it was."""
    if campaign.writes and campaign.on in SENT:
        message = f"A message on {campaign.on} would bring about the next one, for ever."
        fields.fault("on", message, "Begin on what led to the first message instead.")
    elif campaign.writes and campaign.on in ANSWERED and campaign.at_most is None:
        message = f"A message on {campaign.on} can bring about the next one."
        fields.fault("on", message, LIMIT_HINT)
    elif campaign.writes and campaign.at_most is None and (met := _segments(campaign, moved)):
        message = f"Segment {min(met)} counts messages: one on {campaign.on} can bring about the next one."
        fields.fault("on", message, LIMIT_HINT)
    elif campaign.on == "customer.tagged" and any(action.tag for action in campaign.actions()):
        fields.fault("on", "A tag on customer.tagged would bring about the next one, for ever.")
    else:
        return False
    return True


def _refuse_each_other(
    campaigns: Sequence[Campaign], places: Sequence[Fields], moved: frozenset[str]
) -> None:
    """Nor must campaigns be each other's, unless `at_most` of one of them ends that."""
    free = {place: one for place, one in enumerate(campaigns) if one.at_most is None}
    leads = {
        place: {other for other, then in free.items() if other != place and _leads(one, then, moved)}
        for place, one in free.items()
    }
    for place in free:
        reached: set[int] = set()
        rest = {place}
        while rest:
            rest = {there for here in rest for there in leads[here]} - reached
            reached |= rest
        if place in reached:
            message = f"{campaigns[place].id} and other campaigns can bring about each other, for ever."
            places[place].fault("on", message, "Add such as at_most: {times: 1, per: P30D} to one of them.")
            return


def _leads(campaign: Campaign, then: Campaign, moved: frozenset[str]) -> bool:
    """Whether what one campaign does can be the occasion of the other."""
    if campaign.writes and (then.on in SENT | ANSWERED or _segments(then, moved)):
        return True
    return then.on == "customer.tagged" and any(action.tag for action in campaign.actions())


def _segments(campaign: Campaign, moved: frozenset[str]) -> frozenset[str]:
    """Of the segments that messages move customers into and out of, those on which the campaign begins."""
    if campaign.on not in SEGMENT_MOVES:
        return frozenset()
    named = campaign.when.texts.get("segment") if campaign.when is not None else None
    return moved if named is None else moved & named
