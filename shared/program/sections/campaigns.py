"""The section `campaigns`: from an event to what is done about it, for whom, how often, and how success is told."""

import re
from collections.abc import Iterator
from decimal import Decimal

from shared.program.ids import OFFER, RULE
from shared.program.model import Action, Campaign, Goal
from shared.program.reading import STAND_IN, Fields
from shared.program.sections.triggers import only_by_time, read_event_type, read_limit, read_when

KEYS = ("id", "on", "when", "after", "do", "at_most", "holdout", "success")
ACTION_KEYS = ("offer", "message", "points")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%\Z", re.ASCII)


def read_campaigns(root: Fields) -> tuple[Campaign, ...]:
    """The campaigns in the order of the file."""
    return tuple(_campaign(fields) for fields in root.items("campaigns", KEYS))


def _campaign(fields: Fields) -> Campaign:
    name = fields.id("id", RULE)
    fields.need("on", "Say which event starts it, such as on: stage.changed.")
    event_type = read_event_type(fields)
    if only_by_time(event_type):
        fields.need("after", f"Say how long, such as after: P14D: {event_type} comes from silence.")
    return Campaign(
        id=name,
        on=event_type or "",
        do=tuple(_actions(fields)),
        when=read_when(fields, event_type),
        after=fields.period("after"),
        at_most=read_limit(fields, "at_most", event_type, by_field=False),
        holdout=_holdout(fields),
        success=_success(fields),
    )


def _actions(fields: Fields) -> Iterator[Action]:
    example = "Say what to do, such as do: [{message: we-miss-you}]."
    fields.need("do", example)
    for action in fields.items("do", ACTION_KEYS, least=example):
        action.one_of(ACTION_KEYS, "An action")
        yield Action(
            offer=action.use("offer", OFFER),
            message=action.name("message"),
            points=action.whole("points"),
        )


def _holdout(fields: Fields) -> Decimal | None:
    """The share of customers left alone, in percent."""
    text = fields.text("holdout")
    if text is None:
        return None
    match = _PERCENT.match(text)
    if match is None:
        fields.fault("holdout", f"holdout needs a share in percent, not {text!r}.", "Write such as 10%.")
        return None
    share = Decimal(match.group(1))
    if share >= 100:
        fields.fault(
            "holdout", "holdout must be below 100%, or nobody is ever reached.", "Write such as 10%."
        )
    return share


def _success(fields: Fields) -> Goal | None:
    success = fields.fields("success", ("on", "within"))
    if success is None:
        return None
    hint = "Write such as {on: order.completed, within: P30D}."
    success.need("on", hint)
    success.need("within", hint)
    return Goal(read_event_type(success) or "", success.period("within") or STAND_IN)
