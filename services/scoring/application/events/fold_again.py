"""Folds customers again from their timelines: not too many events at once, and beside the event loop."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events.affected import Affected
from services.scoring.application.ports import Stored, Timeline
from services.scoring.domain.event import Event
from services.scoring.domain.fold.advance import Life, begin_again
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY

HISTORY_EVENTS_MAX = 20_000
"""Events read at once, some 100 MB; a single customer may have more."""


def portions(events: Mapping[str, int], limit: int | None = None) -> Iterator[list[str]]:
    """Customers (by id, with the number of their events) in their order, as many at a time as have `limit` events
    together (left out: `HISTORY_EVENTS_MAX`); one who has more alone."""
    most = HISTORY_EVENTS_MAX if limit is None else limit
    portion: list[str] = []
    size = 0
    for customer_id, count in events.items():
        if portion and size + count > most:
            yield portion
            portion, size = [], 0
        portion.append(customer_id)
        size += count
    if portion:
        yield portion


async def fold_again(
    connection: AsyncConnection,
    timeline: Timeline,
    customers: Sequence[Affected],
    stored: Mapping[str, Stored],
    settings: ScoreSettings,
) -> dict[str, Life]:
    """Each of these customers after the batch. `stored` also has those from whom they gained something."""
    by_id = {one.id: one for one in customers}
    known = {customer_id: one.state.events for customer_id, one in stored.items()}
    sizes = {
        one.id: known.get(one.id, 0) + sum(known.get(source, 0) for source in one.gained) for one in customers
    }
    lives: dict[str, Life] = {}
    for portion in portions(sizes):
        histories = await timeline.of(connection, portion)
        chosen = [by_id[customer_id] for customer_id in portion]
        lives |= await asyncio.to_thread(_fold_again, chosen, histories, settings)
    return lives


def _fold_again(
    customers: Sequence[Affected], histories: Mapping[str, list[Event]], settings: ScoreSettings
) -> dict[str, Life]:
    return {
        one.id: begin_again(
            EMPTY if one.stored is None else one.stored.state,
            histories.get(one.id, []),
            one.events,
            settings,
            one.told,
            disturbed=one.disturbed,
        )
        for one in customers
    }
