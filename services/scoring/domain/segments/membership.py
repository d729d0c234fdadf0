"""Entering and leaving segments: what was told of a customer's membership, and what follows from it now."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.contracts.activity import Change
from shared.program.values import calendar

SEGMENT = "segment"


class Crossing(Struct, frozen=True):
    """A customer enters (or leaves) a segment at a moment."""

    segment: str
    entered: bool
    at: datetime

    @property
    def change(self) -> Change:
        """As it is told."""
        if self.entered:
            return Change(what=SEGMENT, old=None, new=self.segment)
        return Change(what=SEGMENT, old=self.segment, new=None)


def crossings(told: Sequence[str], present: Sequence[str], at: datetime) -> list[Crossing]:
    """What leads from one membership to the other: first what is left, then what is entered, each in its order.

    The membership that was told last is always the one to start from. So entering and leaving alternate for each
    segment, whatever comes late, and whoever follows them all ends at the membership that is stored.
    """
    if told == present:
        return []
    left = [Crossing(name, False, at) for name in told if name not in present]
    return left + [Crossing(name, True, at) for name in present if name not in told]


LOOK_BACK_DAYS = 400
"""Windows are a year at most."""


def began_at(holds: Callable[[datetime], bool], after: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """When what `holds` now began to hold by time alone: with a day, as windows are whole days in `zone`; or `after`,
    before which it is not looked for."""
    began = now
    day = now.astimezone(zone).date()
    for back in range(LOOK_BACK_DAYS):
        midnight = calendar.midnight(day - timedelta(days=back), zone)
        if midnight <= after:
            return after if holds(after) else began
        if not holds(midnight):
            return began
        began = midnight
    return began
