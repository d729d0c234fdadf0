"""What is wrong with a program: every fault at once, each with its place and a hint."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the file; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ProgramFault:
    """One fault: where (line and column from 1, and the path of the field), what is wrong, and what would be right."""

    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    @property
    def section(self) -> str:
        """The key of the file's top level that it is under; empty: it is about the file."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" + (f" ({self.path})" if self.path else "")
        return f"{where}: {self.message}" + (f" {self.hint}" if self.hint else "")


class ProgramError(ValueError):
    """The text is not a program that may go live; `errors` names every fault, in the order of the file."""

    def __init__(self, errors: Iterable[ProgramFault]) -> None:
        self.errors: tuple[ProgramFault, ...] = tuple(
            sorted(errors, key=lambda fault: (fault.line, fault.column))
        )
        super().__init__("\n".join(map(str, self.errors)))


FAULTS_MAX = 500
"""Nobody reads more; a file of nothing but faults must not keep us busy."""


class Faults:
    """Collects faults while the file is read, so that its author sees all of them in one go."""

    def __init__(self) -> None:
        self._found: dict[ProgramFault, None] = {}

    @property
    def found(self) -> list[ProgramFault]:
        """What was noted so far."""
        return list(self._found)

    @property
    def full(self) -> bool:
        """Whether there are so many that no more are noted."""
        return len(self._found) >= FAULTS_MAX

    def add(self, place: Place, path: str, message: str, hint: str = "") -> None:
        """Notes a fault; the same words at the same place count once."""
        if not self.full:
            self._found[ProgramFault(place.line, place.column, path, message, hint)] = None

    def raise_if_any(self) -> None:
        """Raises `ProgramError` when a fault was noted."""
        if self._found:
            raise ProgramError(self.found)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, or None when none is close."""
    found = process.extractOne(
        name.lower(), list(known), scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.6
    )
    return found[0] if found else None


def suggestion(name: str, known: Iterable[str], *, many: int = 12) -> str:
    """A hint that names the nearest known name, or all of them when none is near and they are few."""
    names = list(known)
    close = nearest(name, names)
    if close is not None:
        return f"Did you mean {close}?"
    if not names:
        return ""
    shown = ", ".join(names[:many])
    return f"Known here: {shown}" + (", and others." if len(names) > many else ".")
