"""What a difference is made of."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is another. `path` names it as it stands in the file, such as `tiers.gold.at`; `before` and
    `after` are its values in words, None where there was or is none; `sentence` says all of it to a marketer."""

    kind: Kind
    path: str
    before: str | None
    after: str | None
    sentence: str
