"""The section `campaigns`: from an occasion to what is done about it, for whom, how often, and how success is told."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from shared.program.conditions.condition import Condition, Scope
from shared.program.document.fields import STAND_IN, Fields
from shared.program.document.tree import Mapping as MappingNode
from shared.program.document.tree import Scalar
from shared.program.model.campaigns import Action, Campaign, Goal
from shared.program.model.ids import OFFER, RULE, TEMPLATE
from shared.program.sections.campaigns.circles import refuse_circles
from shared.program.sections.campaigns.shares import read_holdout, read_variants
from shared.program.sections.triggers import (
    read_event_type,
    read_limit,
    read_occasion,
    read_when,
    rule_scope,
)
from shared.program.values.period import Period
from shared.program.vocabulary.fields import REWARDS_EVENTS, EventFields
from shared.program.vocabulary.occasions import AHEAD, counts_silence

KEYS = ("id", "on", "when", "after", "before", "do", "variants", "at_most", "holdout", "success", "recheck")
ACTION_KEYS = ("offer", "message", "points", "tag", "alert", "webhook")
DELAY_MAX = Period(months=12)

Known = dict[str, frozenset[str]]
"""Which ids there are, by the field of an event that names one."""


NEEDED = MappingProxyType(
    {
        "points.expiring": ("points", "notice_before"),
        "tier.expiring": ("tiers", "notice_before"),
        "tier.changed": ("tiers", ""),
        "milestone.reached": ("milestones", ""),
        "offer.issued": ("offers", ""),
    }
)
"""Without which section, or key of it, rewards never decides so."""


def read_campaigns(root: Fields, segments: Mapping[str, Condition]) -> tuple[Campaign, ...]:
    """The campaigns in the order of the file; `segments` are the program's, by id."""
    tiers = frozenset(root.reading.tiers)
    known = {
        "milestone": _ids(root, "milestones"),
        "offer": frozenset(key.text for key, _ in root.entries("offers")),
        **dict.fromkeys(("tier", "from", "to"), tiers),
    }
    campaigns = []
    places = []
    for fields in root.items("campaigns", KEYS):
        places.append(fields)
        campaigns.append(_campaign(fields, known))
        _refuse_never(fields, campaigns[-1].on, root)
    refuse_circles(campaigns, places, segments)
    return tuple(campaigns)


def _refuse_never(fields: Fields, occasion: str, root: Fields) -> None:
    """Nothing begins on what rewards has no reason to decide."""
    section, key = NEEDED.get(occasion, ("", ""))
    if not section:
        return
    node = next((value for name, value in root.node.entries if name.text == section), None)
    entries = node.entries if isinstance(node, MappingNode) else ()
    if node is None or (key and not any(name.text == key for name, _ in entries)):
        missing = f"{key} under {section}" if key else section
        fields.fault("on", f"There is never {occasion} without {missing}.", f"Add {missing}.")


def _campaign(fields: Fields, known: Known) -> Campaign:
    name = fields.id("id", RULE)
    fields.need("on", "Say which event starts it, such as on: stage.changed.")
    occasion = read_occasion(fields)
    return Campaign(
        id=name,
        on=occasion or "",
        do=_do(fields),
        when=fields.condition("when", _scope(fields, occasion, known)),
        after=_after(fields, occasion),
        at_most=read_limit(fields, "at_most", occasion, by_field=False),
        holdout=read_holdout(fields),
        success=_success(fields),
        variants=read_variants(fields, read_actions),
        recheck=_recheck(fields, occasion),
    )


def _ids(root: Fields, section: str) -> frozenset[str]:
    items = [node for node, _ in root.nodes(section) if isinstance(node, MappingNode)]
    values = [value for node in items for key, value in node.entries if key.text == "id"]
    return frozenset(value.text for value in values if isinstance(value, Scalar))


def _scope(fields: Fields, occasion: str | None, known: Known) -> Scope:
    """What `when` may ask: of what rewards decides, only the ids that there are can be the value."""
    scope = rule_scope(fields.reading, occasion)
    if occasion not in REWARDS_EVENTS or scope.event is None:
        return scope
    asked = {
        name: replace(found, choices=known[name]) if name in known else found
        for name, found in scope.event.fields.items()
    }
    return replace(scope, event=EventFields(MappingProxyType(asked)))


def _do(fields: Fields) -> tuple[Action, ...]:
    if "variants" not in fields:
        return tuple(read_actions(fields))
    if "do" in fields:
        hint = "Write what all get into each variant."
        fields.fault("do", "A campaign has both do and variants.", hint)
    return ()


def read_actions(fields: Fields) -> Iterator[Action]:
    """What stands under `do`."""
    example = "Say what to do, such as do: [{message: we-miss-you}]."
    fields.need("do", example)
    writes = False
    for action in fields.items("do", ACTION_KEYS, least=example):
        action.one_of(ACTION_KEYS, "An action")
        if "message" in action and writes:
            hint = "Write it into a campaign of its own, with after: P1D or so."
            action.fault("message", "A campaign writes one message on one occasion.", hint)
        writes = writes or "message" in action
        yield Action(
            offer=action.use("offer", OFFER),
            message=action.use("message", TEMPLATE),
            points=action.whole("points"),
            tag=action.name("tag"),
            alert=action.name("alert"),
            webhook=action.name("webhook"),
        )


def _after(fields: Fields, occasion: str | None) -> Period | None:
    """How long the silence is, how long ahead the date, or how long to wait."""
    key, other = ("before", "after") if occasion == AHEAD else ("after", "before")
    if other in fields:
        hint = f"Write {key}: P30D." if occasion == AHEAD else "Only renewals are known ahead."
        fields.fault(other, f"{other} says nothing on {occasion}.", hint)
        return STAND_IN
    if occasion is not None and counts_silence(occasion):
        comes = "it comes so long ahead" if occasion == AHEAD else f"{occasion} comes from silence"
        fields.need(key, f"Say how long, such as {key}: P14D: {comes}.")
    period = fields.period(key)
    if period is not None and _days(period) > _days(DELAY_MAX):
        fields.fault(key, f"{key} is longer than a year.", "Write such as P14D.")
    return period


def _recheck(fields: Fields, occasion: str | None) -> bool:
    """Whether to look again after the delay."""
    if "recheck" in fields and ("after" not in fields or (occasion is not None and counts_silence(occasion))):
        hint = "Leave it out: what is done at once is looked at once."
        fields.fault("recheck", "recheck says nothing without a delay.", hint)
    return fields.flag("recheck") is not False


def _days(period: Period) -> float:
    return period.months * 30.4 + period.rest / timedelta(days=1)


def _success(fields: Fields) -> Goal | None:
    success = fields.fields("success", ("on", "when", "within"))
    if success is None:
        return None
    hint = "Write such as {on: order.completed, within: P30D}."
    success.need("on", hint)
    success.need("within", hint)
    event_type = read_event_type(success)
    return Goal(event_type or "", success.period("within") or STAND_IN, read_when(success, event_type))
