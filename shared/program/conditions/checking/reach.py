"""What can be said of a comparison before anybody is looked at: that it always holds, or never can."""

from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import Binary, ListOf, Literal
from shared.program.faults import suggestion
from shared.program.vocabulary.types import Kind, Type


def always(tree: Binary, left: Type, right: Type) -> bool | None:
    """True when the comparison always holds, False when it never can, None when it depends.

    Raises `ConditionError` when a text is compared with one that this field never has: surely a slip.
    """
    _refuse_unknown_choice(tree, left, right)
    if tree.sign == "in":
        return False if isinstance(tree.right, ListOf) and not tree.right.items else None
    if left.numeric and right.numeric:
        return _bounds(tree.sign, left, right)
    return None


def _refuse_unknown_choice(tree: Binary, left: Type, right: Type) -> None:
    if tree.sign == "in":
        known, written = left.choices, right.element.choices if right.element else None
        if isinstance(tree.left, Literal):
            known, written = written, known
    elif tree.sign in ("==", "!="):
        known, written = left.choices, right.choices
        if isinstance(tree.left, Literal):
            known, written = written, known
    else:
        return
    if known is None or written is None or written <= known:
        return
    word = min(written - known)
    hint = suggestion(word, sorted(known)) or "There are none yet."
    raise ConditionError(f"{word!r} is never the value here.", tree.at, hint)


def _bounds(sign: str, left: Type, right: Type) -> bool | None:
    infinite = float("inf")
    left_low = -infinite if left.low is None else left.low
    left_high = infinite if left.high is None else left.high
    right_low = -infinite if right.low is None else right.low
    right_high = infinite if right.high is None else right.high
    match sign:
        case "<" | ">=":
            below = True if left_high < right_low else False if left_low >= right_high else None
            return below if sign == "<" or below is None else not below
        case ">" | "<=":
            above = True if left_low > right_high else False if left_high <= right_low else None
            return above if sign == ">" or above is None else not above
        case _:
            apart = (
                _never_whole(left, right)
                or _never_whole(right, left)
                or left_high < right_low
                or right_high < left_low
            )
            same = left_low == left_high == right_low == right_high
            equal = False if apart else True if same else None
            return equal if sign == "==" or equal is None else not equal


def _never_whole(counted: Type, value: Type) -> bool:
    """Whether a whole number is compared with one that is not: `customer.orders == 5.5`."""
    return (
        counted.kind is Kind.WHOLE
        and value.low == value.high
        and value.low is not None
        and value.low % 1 != 0
    )
