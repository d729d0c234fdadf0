"""What a condition computes with facts: numbers joined by + - * / %, for the back ends that do without CEL.

Whole numbers compute exactly as long as they stay whole; all else is binary numbers, as in CEL: there a number divided
by zero is infinite, zero by zero is not a number, which is neither more nor less than anything, and a remainder by
zero has no value.
"""

from dataclasses import dataclass

from shared.program.conditions.syntax.tree import Binary, Expression, Literal, Member, Name
from shared.program.vocabulary.fields import customer_fields
from shared.program.vocabulary.types import Kind

OPERATIONS_MAX = 4
LARGEST, SMALLEST = 1e15, 1e-9
"""Of the operations in a term, and of its written numbers: within them no result leaves the range of binary numbers,
which the back ends would not all take alike."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the customer."""

    name: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A number that the author wrote."""

    value: int | float
    whole: bool


@dataclass(frozen=True, slots=True)
class Computed:
    """`left sign right`; `whole` when both are and the sign is not a division."""

    sign: str
    left: "Term"
    right: "Term"
    whole: bool


Term = Fact | Written | Computed


def term_of(tree: Expression) -> Term | None:
    """The number that a checked expression is, or None when it is more than facts, written numbers and operations."""
    found = _term(tree)
    return found if found is not None and operations(found) <= OPERATIONS_MAX else None


def operations(term: Term) -> int:
    """How many there are in it."""
    return 1 + operations(term.left) + operations(term.right) if isinstance(term, Computed) else 0


def divides(term: Term) -> bool:
    """Whether it may be infinite, or not a number."""
    return isinstance(term, Computed) and (term.sign == "/" or divides(term.left) or divides(term.right))


def _term(tree: Expression) -> Term | None:
    match tree:
        case Literal(value=int() | float() as value) if not isinstance(value, bool):
            fits = value == 0 or SMALLEST <= abs(value) <= LARGEST
            return Written(value, isinstance(value, int)) if fits else None
        case Member(target=Name(name="customer"), field=name):
            fact = customer_fields()[name]
            return Fact(name, fact.kind is Kind.WHOLE) if fact.numeric else None
        case Binary(sign="+" | "-" | "*" | "/" | "%" as sign, left=left, right=right):
            return _computed(sign, _term(left), _term(right))
    return None


def _computed(sign: str, left: Term | None, right: Term | None) -> Term | None:
    if left is None or right is None or (sign == "/" and not _is_sum(right)):
        return None
    return Computed(sign, left, right, left.whole and right.whole and sign != "/")


def _is_sum(term: Term) -> bool:
    """Whether it can be nothing but plain zero where it is zero: a product may be the zero below zero, by which
    CEL divides to the infinity on the other side."""
    if not isinstance(term, Computed):
        return True
    return term.sign in ("+", "-") and _is_sum(term.left) and _is_sum(term.right)
