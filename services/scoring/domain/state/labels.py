"""Tags given to a customer by a campaign, or by people of the shop. (What their own words say is in `voice`.)"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

LABELS_MAX = 50
"""So many are kept; the one given longest ago makes room."""


class Label(Struct, frozen=True, array_like=True):
    """One tag that was given: when last, by which event, and who did."""

    at: datetime
    key: str
    by: str | None = None


def given(known: Mapping[str, Label], tag: str, at: datetime, key: str, by: str | None) -> dict[str, Label]:
    """With a tag, from now on the newest."""
    kept = {**known, tag: Label(at, key, by)}
    if len(kept) > LABELS_MAX:
        del kept[min(known, key=lambda one: (known[one].at, one))]
    return kept


def taken_away(known: Mapping[str, Label], tag: str) -> dict[str, Label]:
    """Without a tag."""
    return {name: label for name, label in known.items() if name != tag}
