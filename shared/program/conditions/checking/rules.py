"""What each sign of a condition asks of the types on its sides, and what comes of it."""

from dataclasses import replace

from shared.program.conditions import engine
from shared.program.conditions.checking.functions import FUNCTIONS, METHODS, Signature
from shared.program.conditions.checking.scope import Checked
from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import Binary, Call, Expression, Literal, Member
from shared.program.faults import suggestion
from shared.program.vocabulary.types import ANY, FLAG, NOTHING, NUMBER, SPAN, TEXT, TIME, WHOLE, Kind, Type


def literal(tree: Literal) -> Checked:
    match tree.value:
        case bool():
            return Checked(tree.text, FLAG, tree.value)
        case None:
            return Checked(tree.text, NOTHING)
        case int() | float():
            kind = Kind.WHOLE if isinstance(tree.value, int) else Kind.NUMBER
            return Checked(tree.text, Type(kind, low=tree.value, high=tree.value))
        case str():
            return Checked(tree.text, Type(Kind.TEXT, choices=frozenset({tree.value})))


def all_choices(items: list[Checked]) -> frozenset[str] | None:
    choices: frozenset[str] = frozenset()
    for item in items:
        if item.type.choices is None:
            return None
        choices |= item.type.choices
    return choices


def part(inside: Type, tree: Member) -> Type:
    if inside.kind is Kind.ANY:
        return ANY
    if inside.kind is not Kind.RECORD or inside.fields is None:
        raise ConditionError(f"{str(inside).capitalize()} has no field {tree.field}.", tree.at)
    if tree.field not in inside.fields:
        raise ConditionError(
            f"There is no field {tree.field} here.", tree.at, suggestion(tree.field, inside.fields)
        )
    return inside.fields[tree.field]


def joined(sign: str, left: bool | None, right: bool | None) -> bool | None:
    decides = sign == "||"
    if left is decides or right is decides:
        return decides
    return None if left is None or right is None else not decides


def need_flag(checked: Checked, tree: Expression, sign: str) -> None:
    if checked.type.kind not in (Kind.FLAG, Kind.ANY):
        raise ConditionError(
            f"{sign} joins conditions, and this is {checked.type}.", tree.at, "Compare it first."
        )


def need_fit(left: Checked, right: Checked, tree: Binary) -> None:
    if left.type.fits(right.type):
        return
    hint = ""
    if {left.type.kind, right.type.kind} <= {Kind.TEXT, Kind.WHOLE, Kind.NUMBER}:
        hint = "Numbers stand without quotes, texts within."
    elif Kind.TIME in (left.type.kind, right.type.kind):
        hint = "Write times as timestamp('2026-01-31T00:00:00Z')."
    raise ConditionError(f"{left.type} is compared with {right.type}.".capitalize(), tree.at, hint)


_ORDERED = (Kind.WHOLE, Kind.NUMBER, Kind.TEXT, Kind.TIME, Kind.SPAN, Kind.ANY)


def need_order(left: Checked, right: Checked, tree: Binary) -> None:
    for side in (left, right):
        if side.type.kind not in _ORDERED:
            hint = "Compare with == or !=."
            raise ConditionError(f"{side.type} is neither more nor less.".capitalize(), tree.at, hint)


def need_list(left: Checked, right: Checked, tree: Binary) -> None:
    if right.type.kind is Kind.ANY:
        return
    if right.type.kind is not Kind.LIST:
        hint = "Write x in ['a', 'b']; for parts of a text, text.contains('part')."
        raise ConditionError(f"in needs a list, not {right.type}.", tree.at, hint)
    if right.type.element is not None and not left.type.fits(right.type.element):
        raise ConditionError(f"A list of {right.type.element} never holds {left.type}.", tree.at)


def computed(left: Checked, right: Checked, tree: Binary) -> Checked:
    result = _result(tree.sign, left.type, right.type)
    if result is None:
        hint = "% needs whole numbers." if tree.sign == "%" else ""
        raise ConditionError(
            f"{left.type} {tree.sign} {right.type} has no meaning.".capitalize(), tree.at, hint
        )
    if result.kind is Kind.NUMBER:
        left, right = _as_number(left), _as_number(right)
    return Checked(f"({left.text} {tree.sign} {right.text})", result)


_COMPUTED: dict[tuple[Kind, str, Kind], Type] = {
    (Kind.TEXT, "+", Kind.TEXT): TEXT,
    (Kind.TIME, "-", Kind.TIME): SPAN,
    (Kind.TIME, "+", Kind.SPAN): TIME,
    (Kind.TIME, "-", Kind.SPAN): TIME,
    (Kind.SPAN, "+", Kind.SPAN): SPAN,
    (Kind.SPAN, "-", Kind.SPAN): SPAN,
}


def _result(sign: str, left: Type, right: Type) -> Type | None:
    if sign == "%":
        both = {left.kind, right.kind} <= {Kind.WHOLE, Kind.ANY}
        return WHOLE if both else None
    if left.numeric and right.numeric:
        return WHOLE if left.kind is right.kind is Kind.WHOLE and sign != "/" else NUMBER
    if Kind.ANY in (left.kind, right.kind):
        return NUMBER if left.numeric or right.numeric else ANY
    return _COMPUTED.get((left.kind, sign, right.kind))


def _as_number(part: Checked) -> Checked:
    if part.type.kind is Kind.NUMBER:
        return part
    return replace(part, text=f"double({part.text})", type=NUMBER, variable=None)


def need_signature(
    signature: Signature, target: Checked | None, arguments: list[Checked], tree: Call
) -> None:
    if target is not None and target.type.kind not in (*signature.target, Kind.ANY):
        raise ConditionError(f"{str(target.type).capitalize()} has no {tree.name}.", tree.at)
    if len(arguments) != len(signature.arguments):
        many = f"{len(signature.arguments)} argument" + ("" if len(signature.arguments) == 1 else "s")
        raise ConditionError(f"{tree.name} takes {many}.", tree.at, signature.example)
    for argument, kinds, node in zip(arguments, signature.arguments, tree.arguments, strict=True):
        if argument.type.kind not in (*kinds, Kind.ANY):
            raise ConditionError(f"{tree.name} does not take {argument.type}.", node.at, signature.example)


_READ_FROM_TEXT = {"matches": "''.matches({})", "timestamp": "timestamp({})", "duration": "duration({})"}


def need_readable(tree: Call) -> None:
    """Refuses a written pattern, time or span that cannot be read; CEL would say so only when the rule runs."""
    match tree.arguments:
        case (Literal(at=at, text=text, value=str()),) if tree.name in _READ_FROM_TEXT:
            pass
        case _:
            return
    try:
        engine.compile_cel(_READ_FROM_TEXT[tree.name].format(text)).execute()
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        example = {**FUNCTIONS, **METHODS}[tree.name].example
        raise ConditionError(
            f"{text} cannot be read by {tree.name}.", at, f"Write such as {example}"
        ) from error
