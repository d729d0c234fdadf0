"""The dry run: reads the whole file, checks every event as ingest would, and sends nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from deploy.importing.checkpoint import Tally
from deploy.importing.reading.faults import Refusal
from deploy.importing.reading.pieces import Piece, Source
from deploy.importing.rejects import SHOWN_MAX
from deploy.importing.run import refusal_of
from services.ingest.domain.checking import check

EVENTS_SHOWN = 3


class Trial(Struct):
    """What an import would do: `first` are the first events, `faults` the first refusals."""

    tally: Tally
    first: list[dict[str, Any]]
    faults: list[Refusal]


def rehearse(source: Source, now: datetime) -> Iterator[Trial]:
    """What an import of the file would do; yields the same, growing trial now and then, last at the end."""
    trial = Trial(Tally(), [], [])
    tally = trial.tally
    for piece in source.pieces():
        tally.pieces += 1
        why = piece.refusal or _fault(source, piece, now)
        if why is not None:
            tally.refused += 1
            if len(trial.faults) < SHOWN_MAX:
                trial.faults.append(why)
        elif piece.skipped is not None:
            tally.skip(piece.skipped)
        else:
            tally.events += len(piece.events)
            tally.note(piece.notes)
            trial.first.extend(piece.events[: EVENTS_SHOWN - len(trial.first)])
        if tally.pieces % 1000 == 0:
            yield trial
    yield trial


def _fault(source: Source, piece: Piece, now: datetime) -> Refusal | None:
    for event in piece.events:
        checked = check(event, now)
        if isinstance(checked, list):
            first = checked[0]
            return refusal_of(source, piece, first.pointer, first.code, first.detail)
    return None
