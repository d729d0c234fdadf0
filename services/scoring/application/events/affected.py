"""Whom a batch of events, or a decision about who is who, changes, and what the activity stream is told of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.scoring.application.events import announce
from services.scoring.application.events.announce import Parting
from services.scoring.application.ports import Stored
from services.scoring.domain.due.coming_days import same_roots
from services.scoring.domain.due.occasions import Watch, to_look_at
from services.scoring.domain.event import Event, place
from services.scoring.domain.fold.advance import NOTHING_TOLD, Life, Told, is_late
from services.scoring.domain.fold.evolve import needs_history
from services.scoring.domain.identity.cause import Cause
from services.scoring.domain.identity.resolution import Resolution
from services.scoring.domain.state import EMPTY
from shared.bus.records import Outgoing
from shared.contracts.customer import own_id


@dataclass(slots=True)
class Affected:
    """A customer who is touched: the new events, sorted, and what else happens to the history.

    `gained` maps customers to the identifiers that came from them; `lost` says that some went to others.
    """

    id: str
    events: list[Event] = field(default_factory=list)
    stored: Stored | None = None
    gained: dict[str, list[str]] = field(default_factory=dict)
    lost: bool = False

    @property
    def told(self) -> Told:
        """What was told last."""
        stored = self.stored
        return NOTHING_TOLD if stored is None else Told(stored.stage, stored.segments, stored.score)

    @property
    def disturbed(self) -> bool:
        """Whether the history is not what the stored state was made of."""
        return self.lost or bool(self.gained)

    @property
    def begins_again(self) -> bool:
        """Whether all must be folded again."""
        if self.disturbed or self.stored is None or not self.events:
            return self.disturbed
        return is_late(self.stored.state, self.events[0]) or any(
            needs_history(event.record.type) for event in self.events
        )


def affected_by(events: Iterable[Event], resolution: Resolution) -> dict[str, Affected]:
    """The customers of new events and of a resolution, each with what happens to them; events sorted."""
    affected: dict[str, Affected] = {}

    def the(customer_id: str) -> Affected:
        one = affected.get(customer_id)
        if one is None:
            one = affected[customer_id] = Affected(customer_id)
        return one

    for event in events:
        the(resolution.owners[event.key]).events.append(event)
    for one in affected.values():
        if len(one.events) > 1:
            one.events.sort(key=place)
    gone = {merge.loser for merge in resolution.merges}
    for move in resolution.moves:
        the(move.target).gained.setdefault(move.source, []).append(move.pseudonym)
        if move.source not in gone:
            the(move.source).lost = True
    return affected


def told_of(
    one: Affected, life: Life, identifiers: Mapping[str, list[str]], cause: Cause, resolution: Resolution
) -> list[Outgoing]:
    """The activity: first what changed about who the customer is, then the events."""
    told: list[Outgoing] = []
    known = dict(identifiers)
    steps = life.steps
    if steps[0].event is None:
        step, steps = steps[0], steps[1:]
        for parting in _partings(one, cause, resolution):
            told.append(announce.of_parting(one.id, parting, step, known))
    for step in steps:
        told.append(announce.of_event(one.id, step, {} if told else known))
    return told


def coming_anew(
    affected: Mapping[str, Affected], lives: Mapping[str, Life], watch: Watch, now: datetime
) -> list[str]:
    """Customers whose birthday, anniversaries or silences are to be looked at: they are new, or these changed."""
    before = {one.id: one.stored.state if one.stored is not None else EMPTY for one in affected.values()}
    return [
        id_
        for id_, state in before.items()
        if not same_roots(state, lives[id_].state) or to_look_at(state, lives[id_].state, watch, now)
    ]


def _partings(one: Affected, cause: Cause, resolution: Resolution) -> list[Parting]:
    merged = {merge.loser for merge in resolution.merges if merge.winner == one.id}
    partings = []
    for source, pseudonyms in sorted(one.gained.items()):
        if source in merged:
            kind = "customer.merged"
        elif one.id in resolution.created and not one.events:
            kind = "customer.unmerged"
        else:
            kind = "facts.corrected"
        parts = sorted(own_id(name) for name in pseudonyms)
        partings.append(Parting(kind, cause, resolution.epoch, source, parts))
    if not partings:
        partings.append(Parting("facts.corrected", cause, resolution.epoch))
    return partings
