"""YAML as a tree of texts that know their places.

Nothing is typed here: `200.01` stays the text that the author wrote, so that whoever reads it as an amount reads it
exactly. What makes YAML surprising (anchors and aliases, tags, several documents, keys given twice) is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from shared.program.document.yaml_events import yaml_events
from shared.program.faults import Faults, Place, ProgramError, ProgramFault

BYTES_MAX = 256 * 1024
"""A program that a person can read is far smaller."""

DEPTH_MAX = 12
KEPT = 8
"""Texts whose trees are kept: the versions of a program that matter at one time."""
NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written. `exact` when each character of the file is one of `text`, so that places inside
    the text can be named; `indent` when each line of the file below `place` is one of `text`, behind so many spaces."""

    place: Place
    text: str
    quoted: bool = False
    exact: bool = False
    indent: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was written (`key:`, `key: ~`, `key: null`)."""
        return not self.quoted and self.text in NULLS

    def place_of(self, offset: int) -> Place:
        """The place of the character at `offset` of the text, or where the text begins when that is not known."""
        if not self.exact:
            return self.place
        return Place(self.place.line, self.place.column + offset + (1 if self.quoted else 0))

    def place_in(self, line: int, words: str = "") -> Place:
        """The place of `words` in that line of the text (from 1), as well as it is known."""
        lines = self.text.splitlines()
        column = max(lines[line - 1].find(words), 0) if 0 < line <= len(lines) else 0
        if self.indent is not None:
            return Place(self.place.line + line, self.indent + column + 1)
        return self.place_of(column)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and their values, in the order of the file; no key twice."""

    place: Place
    entries: tuple[tuple[Scalar, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: tuple["Node", ...]


Node = Scalar | Mapping | Sequence


def read_document(text: str, faults: Faults) -> Node | None:
    """The tree of a YAML text; None when it is empty.

    Faults of the structure (a key twice, tags, anchors) go to `faults`; what cannot be read any further raises
    `ProgramError`.
    """
    root, found = _tree(text)
    for fault in found:
        faults.add(Place(fault.line, fault.column), fault.path, fault.message, fault.hint)
    return root


@lru_cache(KEPT)
def _tree(text: str) -> tuple[Node | None, tuple[ProgramFault, ...]]:
    """The tree, and the faults of its structure. It never changes, and a process reads the same text several times: to
    check it, to compare it, to work by it."""
    faults = Faults()
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > BYTES_MAX:
        raise _stop(Place(1, 1), f"The file has {size} bytes; a program has {BYTES_MAX} at most.")
    events = yaml_events(text)
    try:
        return _Reader(events, faults).document(), tuple(faults.found)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        why = ", ".join(str(part) for part in (error.problem, error.context) if part)
        raise _stop(place, f"This is not YAML: {why}.", "Check indentation, brackets and quotes.") from error
    except ReaderError as error:
        raise _stop(
            _place_at(text, error.position),
            f"This is not YAML: the character U+{_code(error.character):04X} may not stand in it.",
        ) from error
    except (YAMLError, ValueError, RecursionError, AttributeError, IndexError, AssertionError) as error:
        # ruamel lets some of its own slips through on garbage, such as ValueError for "%YAML x".
        if isinstance(error, ProgramError):
            raise
        raise _stop(Place(1, 1), f"This is not YAML: {error}.") from error


class _Reader:
    """Builds the tree from the events of the parser."""

    def __init__(self, events: Iterator[Any], faults: Faults) -> None:
        self._events = events
        self._faults = faults

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _stop(
                        _place(event), "The file holds more than one document.", "Remove the line ---."
                    )
            elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent | AliasEvent):
                root = self._node(event, 0)
        return root

    def _node(self, event: Any, depth: int) -> Node | None:
        place = _place(event)
        if depth > DEPTH_MAX:
            raise _stop(place, f"The file is nested more than {DEPTH_MAX} levels deep.")
        if isinstance(event, AliasEvent):
            self._faults.add(
                place, "", f"Aliases such as *{event.anchor} are not used here.", "Write it out."
            )
            return None
        self._refuse_marks(event, place)
        if isinstance(event, ScalarEvent):
            return _scalar(event, place)
        if isinstance(event, SequenceStartEvent):
            return Sequence(place, tuple(self._items(depth)))
        return Mapping(place, tuple(self._entries(depth)))

    def _refuse_marks(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self._faults.add(
                place, "", f"Anchors such as &{event.anchor} are not used here.", "Write it out."
            )
        if event.tag is not None and str(event.tag) != "!":
            self._faults.add(place, "", "Tags such as !!int are not used here.", "Write the plain value.")

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return
            node = self._node(event, depth + 1)
            if node is not None:
                yield node

    def _entries(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        first: dict[str, Place] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                return
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if key is None or value is None:
                continue  # an alias, which is refused already
            if not isinstance(key, Scalar):
                self._faults.add(key.place, "", "A key is a plain name.", "Check the brackets.")
            elif key.text in first:
                line = first[key.text].line
                self._faults.add(
                    key.place, key.text, f"The key {key.text} stands here twice (see line {line})."
                )
            else:
                first[key.text] = key.place
                yield key, value


def _scalar(event: Any, place: Place) -> Scalar:
    quoted = event.style in ("'", '"')
    one_line = event.start_mark.line == event.end_mark.line
    width = event.end_mark.column - event.start_mark.column - (2 if quoted else 0)
    block = event.style in ("|", ">")
    exact = one_line and not block and width == len(event.value)
    return Scalar(place, event.value, quoted or block, exact, _indent(event) if event.style == "|" else None)


def _indent(event: Any) -> int:
    """By how many spaces the lines of a block stand in, as its first line with words tells."""
    lines = event.start_mark.buffer[event.start_mark.pointer :].split("\n")[1:]
    first = next((line for line in lines if line.strip()), "")
    return len(first) - len(first.lstrip(" "))


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _place_at(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def _code(character: object) -> int:
    return ord(character) if isinstance(character, str) else int(str(character))


def _stop(place: Place, message: str, hint: str = "") -> ProgramError:
    return ProgramError((ProgramFault(place.line, place.column, "", message, hint),))
