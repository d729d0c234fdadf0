"""The section `milestones`: moments worth a reward, each once, or once per occasion."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from shared.program.document.fields import Fields
from shared.program.model.ids import OFFER, RULE
from shared.program.model.program import Count, Milestone
from shared.program.sections.triggers import read_event_type, read_when
from shared.program.vocabulary.fields import customer_fields
from shared.program.vocabulary.types import Kind

KEYS = ("id", "on", "when", "at", "every", "points", "offer")
COUNTS = ("at", "every")
_WINDOW = re.compile(r"_\d+[dm]\Z")


def read_milestones(root: Fields) -> tuple[Milestone, ...]:
    """The milestones in the order of the file."""
    return tuple(_milestones(root))


def _milestones(root: Fields) -> Iterator[Milestone]:
    for fields in root.items("milestones", KEYS):
        name = fields.id("id", RULE)
        event_type = read_event_type(fields)
        if not any(key in fields for key in ("on", "when", *COUNTS)):
            hint = "Add at: {orders: 5}, when, on, or several of them."
            fields.fault("", "Nothing says when the milestone is reached.", hint)
        if "points" not in fields and "offer" not in fields:
            fields.fault("", "The milestone gives nothing.", "Add points, an offer, or both.")
        yield Milestone(
            id=name,
            when=read_when(fields, event_type),
            on=event_type,
            points=fields.whole("points"),
            offer=fields.use("offer", OFFER),
            count=_count(fields),
        )


def _count(fields: Fields) -> Count | None:
    """What must have come to how much: `at: {orders: 5}` or `every: {orders: 10}`."""
    if not any(key in fields for key in COUNTS):
        return None
    key = fields.one_of(COUNTS, "A milestone") or COUNTS[0]
    inside = fields.fields(key, countable())
    if inside is None:
        return None
    facts = [name for name in countable() if name in inside]
    if len(facts) != 1:
        if len(inside.node.entries) != 1:  # else the key that is there is wrong, which has been said
            inside.fault("", f"{key} counts one thing, not {len(facts)}.", "Write such as {orders: 5}.")
        return None
    (fact,) = facts
    of = inside.amount(fact, low=None, above=Decimal(0))
    if of is None:
        return None
    if customer_fields()[fact].kind is Kind.WHOLE and of != of.to_integral_value():
        inside.fault(fact, f"{fact} is a whole number and never {of}.")
    return Count(fact, of, each=key == "every")


@cache
def countable() -> tuple[str, ...]:
    """The facts that add up over a customer's life: counts and sums, no ranks, scores, averages, nor windows."""
    return tuple(
        name
        for name, kind in customer_fields().items()
        if kind.numeric and not kind.optional and kind.high is None and not _WINDOW.search(name)
    )
