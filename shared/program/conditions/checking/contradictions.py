"""Whether a condition contradicts itself (`customer.orders > 5 && customer.orders < 3` holds for nobody), and which
texts it cannot do without."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from shared.program.conditions.syntax.tree import Binary, Expression, ListOf, Literal, Member, Name
from shared.program.vocabulary.fields import COMMON, customer_fields
from shared.program.vocabulary.types import Kind

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(slots=True)
class _Left:
    """What is left for one field after the comparisons so far: a range of numbers, or some texts (None: any)."""

    whole: bool
    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False
    texts: set[str] | None = None
    without: set[str] = field(default_factory=set)

    def narrow(self, sign: str, value: str | float) -> None:
        """Takes one comparison into account."""
        if isinstance(value, str):
            if sign == "==":
                self.among({value})
            elif sign == "!=":
                self.without.add(value)
            return
        if sign in (">", ">=", "==") and (value, sign == ">") > (self.low, self.low_open):
            self.low, self.low_open = value, sign == ">"
        if sign in ("<", "<=", "==") and (-value, sign == "<") > (-self.high, self.high_open):
            self.high, self.high_open = value, sign == "<"

    def among(self, texts: set[str]) -> None:
        """The text is one of these."""
        self.texts = texts if self.texts is None else self.texts & texts

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        if self.texts is not None and not self.texts - self.without:
            return True
        low, high, low_open, high_open = self.low, self.high, self.low_open, self.high_open
        if self.whole:
            low, low_open = (low + 1 if low_open and low == int(low) else low), False
            high, high_open = (high - 1 if high_open and high == int(high) else high), False
        return low > high or (low == high and (low_open or high_open))


def contradicts(tree: Expression) -> bool:
    """Whether the comparisons that the condition joins by && leave no value for some field."""
    return any(room.empty for room in _left(tree).values())


def texts_needed(tree: Expression) -> Mapping[str, frozenset[str]]:
    """The event's own fields that must be one of some texts for the condition to hold, whatever else it asks."""
    return {
        path.removeprefix("event."): frozenset(room.texts)
        for path, room in _left(tree).items()
        if room.texts is not None and path.startswith("event.") and path.removeprefix("event.") not in COMMON
    }


def _left(tree: Expression) -> dict[str, _Left]:
    """What the comparisons that the condition joins by && leave for each field."""
    left: dict[str, _Left] = {}
    for part in _joined(tree):
        read = _comparison(part)
        if read is None:
            continue
        path, sign, value = read
        room = left.setdefault(path, _Left(whole=_is_whole(path)))
        if isinstance(value, set):
            room.among(value)
        else:
            room.narrow(sign, value)
    return left


def _joined(tree: Expression) -> Iterator[Expression]:
    if isinstance(tree, Binary) and tree.sign == "&&":
        yield from _joined(tree.left)
        yield from _joined(tree.right)
    else:
        yield tree


def _comparison(tree: Expression) -> tuple[str, str, str | float | set[str]] | None:
    """A field, a sign, and the value that it is compared with; None for anything else."""
    if not isinstance(tree, Binary):
        return None
    left, right = tree.left, tree.right
    if tree.sign == "in" and isinstance(right, ListOf):
        path = _path(left)
        texts = {
            item.value for item in right.items if isinstance(item, Literal) and isinstance(item.value, str)
        }
        return None if path is None or len(texts) < len(right.items) else (path, "in", texts)
    if tree.sign not in _MIRRORED:
        return None
    sign = tree.sign
    if isinstance(left, Literal):
        left, right, sign = right, left, _MIRRORED[sign]
    path = _path(left)
    if path is None or not isinstance(right, Literal) or isinstance(right.value, bool | None):
        return None
    return path, sign, right.value


def _path(tree: Expression) -> str | None:
    match tree:
        case Member(target=Name(name="customer" | "event" as root), field=name):
            return f"{root}.{name}"
        case _:
            return None


def _is_whole(path: str) -> bool:
    root, _, name = path.partition(".")
    return root == "customer" and name in customer_fields() and customer_fields()[name].kind is Kind.WHOLE
