"""Reading typed values out of the document. Every fault is noted with its place, and reading goes on.

Where a value is unusable, the reader hands back a harmless stand-in, so that the rest of the file can be read and all
faults be shown at once; a program with faults leaves `parse` for one purpose only (`parse.load_section`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.program.conditions.condition import Condition, ConditionError, Scope
from shared.program.document.ids import Ids
from shared.program.document.tree import Mapping, Node, Scalar
from shared.program.document.tree import Sequence as ListNode
from shared.program.faults import Faults, Place, nearest, suggestion
from shared.program.model.ids import is_id
from shared.program.values.period import Period
from shared.program.vocabulary.fields import UTC

AMOUNT_MAX = Decimal(10) ** 12
WHOLE_MAX = 1_000_000_000
STAND_IN = Period(rest=timedelta(days=1))

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}\Z", re.ASCII)
_AMOUNT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?\Z", re.ASCII)
_KINDS: dict[type[Node], str] = {Scalar: "a single value", Mapping: "keys and values", ListNode: "a list"}


@dataclass(slots=True)
class Reading:
    """What all sections share while one file is read."""

    faults: Faults
    ids: Ids
    currency: str = ""
    zone: ZoneInfo = UTC
    segments: frozenset[str] = frozenset()
    tiers: tuple[str, ...] = ()

    def fault_in(self, node: Scalar, path: str, error: ConditionError) -> None:
        """Notes what is wrong within an expression, at its character."""
        where = "" if node.exact else f" (at character {error.offset + 1} of the condition)"
        self.faults.add(node.place_of(error.offset), path, error.message + where, error.hint)


@dataclass(slots=True)
class Fields:
    """The keys of one mapping, read one by one. `known` are all keys that it may have; others are refused at once."""

    reading: Reading
    node: Mapping
    path: str
    known: Sequence[str]
    _values: dict[str, Node] = field(default_factory=dict)
    _keys: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        written = {key.text for key, _ in self.node.entries}
        free = [name for name in self.known if name not in written]
        for key, value in self.node.entries:
            name = key.text
            if name not in self.known:
                if self.reading.faults.full:
                    break  # nobody would be told of this one, and to look for what was meant takes a while
                message = f"There is no key {name} here."
                self.reading.faults.add(
                    key.place, self.at(name), message, suggestion(name, free or self.known)
                )
                # Read on as if the right key stood there, so that one slip is one fault.
                name = nearest(name, free) or name
            self._keys.setdefault(name, key.place)
            if isinstance(value, Scalar) and value.empty:
                message, hint = f"{key.text} has no value.", "Give it one, or remove it."
                self.reading.faults.add(key.place, self.at(key.text), message, hint)
            else:
                self._values.setdefault(name, value)

    def at(self, key: str) -> str:
        """The path of a key of this mapping."""
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def place(self, key: str = "") -> Place:
        """Where the value of `key` stands; without it (or a value), where this mapping begins."""
        if key in self._values:
            return self._values[key].place
        return self._keys.get(key, self.node.place)

    def fault(self, key: str, message: str, hint: str = "") -> None:
        """Notes a fault about the value of `key`."""
        self.reading.faults.add(self.place(key), self.at(key) if key else self.path, message, hint)

    def need(self, key: str, hint: str = "") -> bool:
        """Whether `key` is there; notes a fault when it is not."""
        if key not in self:
            self.reading.faults.add(self.node.place, self.path, f"{key} is missing.", hint)
        return key in self._values

    def text(self, key: str, *, longest: int = 200) -> str | None:
        """A text of one line, or None when it is absent or unusable."""
        node = self.scalar(key)
        if node is None:
            return None
        if len(node.text) > longest or not node.text.strip() or not node.text.isprintable():
            self.fault(key, f"{key} needs a text of 1 to {longest} characters on one line.")
            return None
        return node.text

    def whole(self, key: str, *, low: int = 1, high: int = WHOLE_MAX) -> int | None:
        """A whole number within the bounds."""
        node = self.scalar(key)
        if node is None:
            return None
        if node.quoted or not _WHOLE.match(node.text):
            self.fault(
                key, f"{key} needs a whole number, not {node.text!r}.", "Write it without quotes or decimals."
            )
        elif not low <= int(node.text) <= high:
            self.fault(key, f"{key} must be between {low} and {high}, not {node.text}.")
        else:
            return int(node.text)
        return None

    def amount(
        self,
        key: str,
        *,
        low: Decimal | None = Decimal(0),
        high: Decimal = AMOUNT_MAX,
        above: Decimal | None = None,
    ) -> Decimal | None:
        """A number exactly as written: at least `low`, more than `above`, at most `high`."""
        node = self.scalar(key)
        if node is None:
            return None
        if node.quoted or not _AMOUNT.match(node.text):
            hint = "Write it plainly, such as 200.01, without quotes, signs of currency, or thousands separators."
            self.fault(key, f"{key} needs a number, not {node.text!r}.", hint)
            return None
        value = Decimal(node.text)
        if above is not None and value <= above:
            self.fault(key, f"{key} must be more than {above}, not {node.text}.")
        elif low is not None and value < low:
            self.fault(key, f"{key} must not be less than {low}, and is {node.text}.")
        elif value > high:
            self.fault(key, f"{key} must not be more than {high}, and is {node.text}.")
        else:
            return value
        return None

    def period(self, key: str, *, zero: bool = False) -> Period | None:
        """A period, longer than nothing unless `zero`."""
        node = self.scalar(key)
        if node is None:
            return None
        try:
            period = Period.parse(node.text)
        except ValueError as error:
            self.fault(
                key,
                f"{str(error)[:1].upper()}{str(error)[1:]}.",
                "P30D is 30 days, P1M a month, PT12H 12 hours.",
            )
            return None
        if not period and not zero:
            self.fault(key, f"{key} must be longer than nothing.", f"Remove {key}, or write such as P30D.")
            return None
        return period

    def flag(self, key: str) -> bool | None:
        """True or false."""
        node = self.scalar(key)
        if node is None:
            return None
        if node.quoted or node.text not in ("true", "false"):
            self.fault(key, f"{key} needs true or false, not {node.text!r}.")
            return None
        return node.text == "true"

    def condition(self, key: str, scope: Scope) -> Condition | None:
        """A condition that can be true."""
        node = self.scalar(key)
        return None if node is None else read_condition(self.reading, node, self.at(key), scope)

    def fields(self, key: str, known: Sequence[str]) -> "Fields | None":
        """The mapping under `key`."""
        if key not in self._values:
            return None
        return fields_of(self.reading, self._values[key], self.at(key), known)

    def items(self, key: str, known: Sequence[str], *, least: str = "") -> "Iterator[Fields]":
        """The mappings of the list under `key`, one after the other; `least` as for `nodes`."""
        for node, path in self.nodes(key, least=least):
            found = fields_of(self.reading, node, path, known)
            if found is not None:
                yield found

    def nodes(self, key: str, *, least: str = "") -> list[tuple[Node, str]]:
        """What the list under `key` holds, each with its path. An empty one is a fault when `least` hints at more."""
        node = self._values.get(key)
        if node is None:
            return []
        if not isinstance(node, ListNode):
            self.fault(key, f"{key} needs a list, not {_KINDS[type(node)]}.", "Put each entry behind a dash.")
            return []
        if least and not node.items:
            self.fault(key, f"There is nothing in {key}.", least)
        return [(item, f"{self.at(key)}[{place}]") for place, item in enumerate(node.items)]

    def entries(self, key: str) -> list[tuple[Scalar, Node]]:
        """The keys of the mapping under `key`, where the author names them (offers, segments)."""
        node = self._values.get(key)
        if node is None:
            return []
        if not isinstance(node, Mapping):
            self.fault(
                key, f"{key} needs keys and values, not {_KINDS[type(node)]}.", f"Write {key}: {{id: …}}."
            )
            return []
        return list(node.entries)

    def one_of(self, keys: Sequence[str], what: str) -> str | None:
        """The single one of `keys` that is there; any other number of them is a fault."""
        there = [key for key in keys if key in self]
        if len(there) == 1:
            return there[0]
        wanted = f"{', '.join(keys[:-1])} or {keys[-1]}"
        if there:
            self.fault(
                there[1], f"{what} has both {there[0]} and {there[1]}.", f"Keep exactly one of {wanted}."
            )
        else:
            self.reading.faults.add(
                self.node.place, self.path, f"{what} gives nothing.", f"Add one of {wanted}."
            )
        return None

    def id(self, key: str, kind: str) -> str:
        """An id that this file defines here: noted, checked, and unique among its kind."""
        if not self.need(key, "Ids name rules in the ledger for ever, such as id: welcome."):
            return ""
        node = self.scalar(key)
        if node is not None:
            self.reading.ids.define(kind, node.text, node.place, self.at(key))
        return "" if node is None else node.text

    def use(self, key: str, kind: str) -> str | None:
        """An id that this file must define somewhere."""
        node = self.scalar(key)
        if node is None:
            return None
        self.reading.ids.use(kind, node.text, node.place, self.at(key))
        return node.text

    def name(self, key: str) -> str | None:
        """The id of something that is defined elsewhere, such as a message's template."""
        node = self.scalar(key)
        if node is not None and not is_id(node.text):
            self.fault(key, f"{node.text!r} cannot be an id.", "Use small letters, digits and hyphens.")
        return None if node is None else node.text

    def scalar(self, key: str) -> Scalar | None:
        """The single value of `key` as it is written."""
        node = self._values.get(key)
        if node is None or isinstance(node, Scalar):
            return node
        self.fault(key, f"{key} needs a single value, not {_KINDS[type(node)]}.")
        return None


def fields_of(reading: Reading, node: Node, path: str, known: Sequence[str]) -> Fields | None:
    """The keys of a mapping; None, with a fault, when the node is no mapping."""
    if isinstance(node, Mapping):
        return Fields(reading, node, path, known)
    message = f"Keys and values are needed here, not {_KINDS[type(node)]}."
    reading.faults.add(node.place, path, message, f"Known here: {', '.join(known)}.")
    return None


def read_condition(reading: Reading, node: Node, path: str, scope: Scope) -> Condition | None:
    """A condition that can be true, or None with a fault."""
    if not isinstance(node, Scalar):
        message = f"A condition is needed here, not {_KINDS[type(node)]}."
        reading.faults.add(node.place, path, message, "Put it in quotes.")
        return None
    try:
        condition = Condition.compile(node.text, scope)
    except ConditionError as error:
        reading.fault_in(node, path, error)
        return None
    if condition.certain is False:
        reading.faults.add(
            node.place, path, "This condition can never be true.", "Correct it, or remove the rule."
        )
    return condition
