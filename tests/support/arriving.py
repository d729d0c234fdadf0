"""Events of a customer as they arrive at a worker: late, again, one at a time."""

from collections.abc import Sequence

from services.scoring.domain.event import Event
from services.scoring.domain.fold.advance import is_late
from services.scoring.domain.fold.evolve import Folded, evolve_in, fold, needs_history
from services.scoring.domain.state import EMPTY, decode_state, encode_state
from tests.support.life import SETTINGS


def arrive(events: Sequence[Event]) -> Folded:
    """What a worker does, one event at a time: evolve what is in order, fold again from the timeline what is late or
    needs history; stored states and orders are read back between the steps."""
    known: dict[str, Event] = {}
    folded = Folded(EMPTY, {})
    for one in events:
        if one.key in known:
            continue
        known[one.key] = one
        if is_late(folded.state, one) or needs_history(one.record.type):
            folded = fold(known.values(), SETTINGS)
        else:
            folded.state = evolve_in(decode_state(encode_state(folded.state)), one, folded.book, SETTINGS)
    return folded
