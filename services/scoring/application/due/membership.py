"""Keeps membership true while no event comes: windows move on, rules are saved, all are compared anew."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events import announce
from services.scoring.application.ports import Memberships, Stale, Stored
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.segments.membership import Crossing, began_at, crossings
from services.scoring.domain.settings import ScoreSettings
from shared.bus.records import Outgoing


class Membership:
    """The part that the sweep and the daily pass share: they look at customers, whom they have locked."""

    def __init__(self, memberships: Memberships, stale: Stale) -> None:
        self._memberships = memberships
        self._stale = stale

    async def follow(
        self,
        connection: AsyncConnection,
        looked_at: Mapping[str, tuple[Stored, Assessment]],
        settings: ScoreSettings,
        now: datetime,
    ) -> list[Outgoing]:
        """Store the facts of these customers, and the segments they have come into and out of; tell each once."""
        facts = {customer_id: present.facts for customer_id, (_, present) in looked_at.items()}
        moved = {
            customer_id: (stored, present)
            for customer_id, (stored, present) in looked_at.items()
            if stored.segments != present.facts.segments
        }
        crossed: dict[str, list[Crossing]] = {}
        told: list[Outgoing] = []
        if moved:
            state = await self._memberships.the_pass(connection)
            rules = settings.segments.sources
            saved = {
                name for name in rules.keys() | state.passed if rules.get(name) != state.passed.get(name)
            }
            # In a thread: to date one crossing, a customer may be looked at on hundreds of days.
            crossed = await asyncio.to_thread(_crossed, moved, saved, state.begun_at, settings, now)
            for customer_id, (stored, present) in moved.items():
                told += [
                    announce.of_crossing(
                        customer_id,
                        one,
                        present,
                        now,
                        historical=one.segment in saved or stored.state.is_history(one.at),
                    )
                    for one in sorted(crossed[customer_id], key=lambda one: one.at)
                ]
        await self._memberships.note(connection, facts, crossed)
        if crossed:
            await self._stale.note(connection, dict.fromkeys(crossed, now), now)
        return told


def _crossed(
    moved: Mapping[str, tuple[Stored, Assessment]],
    saved: Collection[str],
    begun_at: datetime,
    settings: ScoreSettings,
    now: datetime,
) -> dict[str, list[Crossing]]:
    """The crossings of each customer, dated: of segments whose rules were `saved`, when the pass began."""
    return {
        customer_id: [
            _at(one, begun_at) if one.segment in saved else _dated(one, stored, settings, now)
            for one in crossings(stored.segments, present.facts.segments, now)
        ]
        for customer_id, (stored, present) in moved.items()
    }


def _at(crossing: Crossing, at: datetime) -> Crossing:
    return Crossing(crossing.segment, crossing.entered, at)


def _dated(crossing: Crossing, stored: Stored, settings: ScoreSettings, now: datetime) -> Crossing:
    """The crossing, at the moment at which time alone brought it."""
    name, state, ranking = crossing.segment, stored.state, settings.ranking
    assert state.last_at is not None
    after = state.last_at
    if ranking.at is not None and ranking.at > after and settings.segments.ranked(name):
        after = ranking.at

    def holds(moment: datetime) -> bool:
        return (name in assess(state, moment, settings).facts.segments) is crossing.entered

    return _at(crossing, began_at(holds, min(after, now), now, settings.zone))
