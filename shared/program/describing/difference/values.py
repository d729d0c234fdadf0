"""Values of a program in words, each by its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.program.conditions.condition import Condition
from shared.program.conditions.formula import Formula
from shared.program.describing.describe import (
    describe_action,
    describe_count,
    describe_limit,
    describe_products,
)
from shared.program.model.campaigns import Action, Goal, Variant
from shared.program.model.earn import Products
from shared.program.model.limit import Limit
from shared.program.model.program import Count, Program
from shared.program.model.tiers import Basis, Benefit, Measure
from shared.program.templating.template import MessageTemplate, Piece
from shared.program.values.period import Period
from shared.program.values.words import in_digits, in_money, in_points, in_times, in_words

Format = Callable[[Any, Program], str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """How a field is told: `<subject> now <verb> <value> instead of <value>.` Without a `format`, the value's type says
    how it is put in words."""

    verb: str
    format: Format | None = None


def in_text(value: Any, program: Program) -> str:
    """A value in words, such as `12 months`, `Toys, Mugs`, `once per month`."""
    for kind, say in _BY_TYPE:
        if isinstance(value, kind):
            return say(value, program)
    if is_dataclass(value):
        told = [(one.name.replace("_", " "), getattr(value, one.name)) for one in fields(value) if one.init]
        return ", ".join(f"{name} {in_text(inner, program)}" for name, inner in told if inner is not None)
    return str(value)


def points(value: int | Decimal, _: Program) -> str:
    """Such as `50 points`."""
    return in_points(value)


def money(value: Decimal, program: Program) -> str:
    """Such as `200.01 USD`."""
    return in_money(value, program.currency)


def per_unit(value: Decimal, program: Program) -> str:
    """Such as `1 point per USD`."""
    return f"{in_points(value)} per {program.currency}"


def percent(value: Decimal, _: Program) -> str:
    """Such as `15 %`."""
    return f"{in_digits(value)} %"


def followed_by(words: str, say: Format | None = None) -> Format:
    """The value, then these words: `50 points an order`."""
    return lambda value, program: f"{(say or in_text)(value, program)} {words}"


def times(value: int, _: Program) -> str:
    """Such as `3 times`."""
    return in_times(value)


def first_day(value: datetime, program: Program) -> str:
    """The day that begins then, such as `2026-11-27`."""
    return f"{value.astimezone(program.time_zone):%Y-%m-%d}"


def last_day(value: datetime, program: Program) -> str:
    """The day that ends then."""
    return first_day(value - timedelta(microseconds=1), program)


def reached_at(value: Decimal, program: Program) -> str:
    """Where a tier begins: `200.01 USD`, `500 points`, `5 orders`."""
    measure = program.tiers.basis.measure if program.tiers else Measure.SPEND
    if measure is Measure.SPEND:
        return money(value, program)
    return in_points(value) if measure is Measure.POINTS else f"{in_digits(value)} orders"


def _basis(basis: Basis, _: Program) -> str:
    over = in_words(basis.over) if basis.over is not None else (basis.year or "").replace("_", " ")
    return f"{basis.measure.value} over {over}"


def _benefit(benefit: Benefit, _: Program) -> str:
    if benefit.every is not None:
        return f"offer {benefit.offer} every {in_words(benefit.every).removeprefix('1 ')}"
    return benefit.perk or f"offer {benefit.offer}"


def _variant(variant: Variant, program: Program) -> str:
    return f"{variant.id} ({in_digits(variant.share)} %): {_many(variant.do, program)}"


def _goal(goal: Goal, _: Program) -> str:
    when = f" when {goal.when.source}" if goal.when else ""
    return f"{goal.on}{when} within {in_words(goal.within)}"


def _template(template: MessageTemplate) -> str:
    names = {"email": "e-mail", "sms": "SMS", "push": "push"}
    ways = " and ".join(word for channel, word in names.items() if channel in template.channels)
    return f"{template.purpose} by {ways}" + (f", {_quoted(template.subject)}" if template.subject else "")


def _quoted(piece: Piece) -> str:
    return f"“{piece.source.replace(chr(10), ' ⏎ ')}”"


def _many(values: Any, program: Program) -> str:
    told = [in_text(value, program) for value in values]
    return ", ".join(sorted(told) if isinstance(values, frozenset) else told) or "nothing"


_BY_TYPE: tuple[tuple[type | tuple[type, ...], Format], ...] = (
    (bool, lambda value, _: "yes" if value else "no"),
    (Decimal, lambda value, _: in_digits(value)),
    (Period, lambda value, _: in_words(value)),
    (Condition, lambda value, _: value.source),
    (Formula, lambda value, _: value.source),
    (Limit, lambda value, _: describe_limit(value)),
    (Products, lambda value, _: describe_products(value)),
    (Count, lambda value, _: describe_count(value)),
    (Goal, _goal),
    (Basis, _basis),
    (Benefit, _benefit),
    (Action, lambda value, _: describe_action(value)),
    (Variant, _variant),
    (Piece, lambda value, _: _quoted(value)),
    (MessageTemplate, lambda value, _: _template(value)),
    (ZoneInfo, lambda value, _: value.key),
    (datetime, lambda value, program: f"{value.astimezone(program.time_zone):%Y-%m-%d %H:%M}"),
    (time, lambda value, _: f"{value:%H:%M}"),
    (Mapping, lambda value, program: ", ".join(f"{k} {in_text(v, program)}" for k, v in value.items())),
    ((frozenset, tuple, list), _many),
)
