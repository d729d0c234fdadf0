"""The difference between two programs, in plain words and as data."""

from shared.program.describing.difference.changes import Change, Kind
from shared.program.describing.difference.compare import difference

__all__ = ["Change", "Kind", "difference"]
