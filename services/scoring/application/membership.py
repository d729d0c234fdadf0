"""Keeps membership true while no event comes: windows move on, rules are saved, all are compared anew."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application import announce
from services.scoring.application.ports import Memberships, Stale, Stored
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.membership import Crossing, began_at, crossings
from services.scoring.domain.settings import ScoreSettings
from shared.bus.records import Outgoing
from shared.contracts.activity import Facts


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
        saved: set[str] | None = None
        facts: dict[str, Facts] = {}
        crossed: dict[str, list[Crossing]] = {}
        told: list[Outgoing] = []
        for customer_id, (stored, present) in looked_at.items():
            facts[customer_id] = present.facts
            if stored.segments == present.facts.segments:
                continue
            if saved is None:
                state = await self._memberships.the_pass(connection)
                rules = settings.segments.sources
                saved = {
                    name for name in rules.keys() | state.passed if rules.get(name) != state.passed.get(name)
                }
                begun_at = state.begun_at
            found = [
                _dated(one, stored, settings, now) if one.segment not in saved else _at(one, begun_at)
                for one in crossings(stored.segments, present.facts.segments, now)
            ]
            crossed[customer_id] = found
            told += [
                announce.of_crossing(
                    customer_id, one, present, now, historical=one.segment in saved or _past(one, stored)
                )
                for one in sorted(found, key=lambda one: one.at)
            ]
        await self._memberships.note(connection, facts, crossed)
        if crossed:
            await self._stale.note(connection, dict.fromkeys(crossed, now), now)
        return told


def _past(crossing: Crossing, stored: Stored) -> bool:
    """Whether it belongs to a history that was imported."""
    until = stored.state.history_until
    return until is not None and crossing.at <= until


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
