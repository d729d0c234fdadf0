"""The types that a condition's parts have."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What sort of value; the words are those that faults use."""

    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TEXT = "text"
    TIME = "a time"
    SPAN = "a span of time"
    LIST = "a list"
    RECORD = "a record"
    NOTHING = "null"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class Type:
    """A kind with what more is known: the texts that can occur, the bounds of a number, the parts of a list or
    record. `optional` when the value may be null."""

    kind: Kind
    choices: frozenset[str] | None = None
    low: float | None = None
    high: float | None = None
    element: "Type | None" = None
    fields: "Mapping[str, Type] | None" = None
    optional: bool = False

    @property
    def numeric(self) -> bool:
        """Whole numbers and decimals compare and compute freely with each other."""
        return self.kind in (Kind.WHOLE, Kind.NUMBER)

    @property
    def unknown(self) -> bool:
        """Whether nothing can be said before it is there: data of the shop's own events, or null."""
        return self.kind in (Kind.ANY, Kind.NOTHING)

    def fits(self, other: "Type") -> bool:
        """Whether values of the two types can be equal."""
        if self.unknown or other.unknown or (self.numeric and other.numeric):
            return True
        if self.kind is Kind.LIST and other.kind is Kind.LIST:
            return self.element is None or other.element is None or self.element.fits(other.element)
        return self.kind is other.kind

    def __str__(self) -> str:
        if self.kind is Kind.LIST and self.element is not None and self.element.kind is Kind.TEXT:
            return "a list of texts"
        return self.kind.value


FLAG = Type(Kind.FLAG)
WHOLE = Type(Kind.WHOLE)
COUNT = Type(Kind.WHOLE, low=0)
NUMBER = Type(Kind.NUMBER)
TEXT = Type(Kind.TEXT)
TIME = Type(Kind.TIME)
SPAN = Type(Kind.SPAN)
NOTHING = Type(Kind.NOTHING)
ANY = Type(Kind.ANY)
