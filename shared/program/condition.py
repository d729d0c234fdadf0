"""Conditions in CEL: compiled once, checked on load, evaluated on facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cel


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression over `customer` (its facts) and `event` (its data), which is true or false."""

    source: str
    compiled: cel.Program = field(repr=False, compare=False)

    @classmethod
    def compile(cls, source: str) -> "Condition":
        """Raises `ValueError` with a readable reason when `source` is not CEL. (Field names and types: `parse`.)"""
        raise NotImplementedError

    def holds(self, customer: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
        """Whether the condition is true. A field that this event does not have makes it false, never an error."""
        raise NotImplementedError
