"""How many tries are under way at a time, in all and to one endpoint, so that those that hang hold nobody else up.

An endpoint's window opens by one with every message that it takes, and closes to one with every failure. An endpoint
that has just failed, or has a try under way for long, counts as troubled: all troubled ones together may have only a
part of the places, so that the others always find some.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PLACES = 512
"""Tries under way at a time in one process: each is a socket, and takes little else."""

TROUBLED_PLACES = 256
WINDOW_FIRST = 2
WINDOW_MAX = 32
WINDOW_SLOW = 8
SLOW_S = 2.0
"""A try under way for longer makes its endpoint count as troubled."""


@dataclass(slots=True)
class _Lane:
    window: int = WINDOW_FIRST
    under_way: int = 0
    troubled: bool = False


class Lanes:
    """Counts what is under way."""

    def __init__(self, places: int = PLACES, troubled_places: int = TROUBLED_PLACES) -> None:
        self._places = places
        self._troubled_places = troubled_places
        self._lanes: dict[str, _Lane] = {}
        self._under_way = 0
        self._troubled = 0

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self._places - self._under_way

    def rooms(self, endpoints: Iterable[str]) -> dict[str, int]:
        """How many more tries each of these endpoints may begin now; those that may none are left out."""
        rooms: dict[str, int] = {}
        troubled = self._troubled_places - self._troubled
        for endpoint in endpoints:
            lane = self._lanes.get(endpoint)
            room = WINDOW_FIRST if lane is None else lane.window - lane.under_way
            if lane is not None and lane.troubled:
                room = min(room, troubled)
                troubled -= max(room, 0)
            if room > 0:
                rooms[endpoint] = room
        return rooms

    def began(self, endpoint: str) -> None:
        """A try is under way."""
        lane = self._lanes.setdefault(endpoint, _Lane())
        lane.under_way += 1
        self._under_way += 1
        self._troubled += lane.troubled

    def slow(self, endpoint: str) -> None:
        """A try has been under way for `SLOW_S`."""
        lane = self._lanes[endpoint]
        lane.window = min(lane.window, WINDOW_SLOW)
        self._mark(lane, troubled=True)

    def ended(self, endpoint: str, *, delivered: bool) -> None:
        """A try has ended."""
        lane = self._lanes[endpoint]
        assert lane.under_way > 0
        lane.under_way -= 1
        self._under_way -= 1
        self._troubled -= lane.troubled
        lane.window = min(lane.window + 1, WINDOW_MAX) if delivered else 1
        self._mark(lane, troubled=not delivered)

    def forget(self, known: Iterable[str]) -> None:
        """Keep only these endpoints, and those that have something under way."""
        kept = set(known)
        self._lanes = {id_: lane for id_, lane in self._lanes.items() if id_ in kept or lane.under_way}

    def _mark(self, lane: _Lane, *, troubled: bool) -> None:
        if lane.troubled != troubled:
            lane.troubled = troubled
            self._troubled += lane.under_way if troubled else -lane.under_way
