"""Says on the activity stream what happened to a customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from services.scoring.domain.assess import Assessment
from services.scoring.domain.due.coming_days import ComingDay
from services.scoring.domain.due.occasions import Begun, Due
from services.scoring.domain.event import Event
from services.scoring.domain.fold.advance import Step
from services.scoring.domain.fold.person import person_of
from services.scoring.domain.identity.cause import Cause
from services.scoring.domain.lifecycle.stages import Passage
from services.scoring.domain.segments.membership import Crossing
from services.scoring.domain.state import State
from shared.bus.records import Outgoing
from shared.contracts.activity import ACTIVITY_TOPIC, Activity, Change, Facts
from shared.contracts.codec import encode
from shared.contracts.customer import own_id

Identifiers = dict[str, list[str]]


def derived_id(*parts: str) -> str:
    """The id of a record that no event of its own caused: the same for the same cause."""
    digest = blake2b("\0".join(parts).encode(), digest_size=16, person=b"regulars.activ")
    return digest.hexdigest()


def of_event(customer_id: str, step: Step, identifiers: Identifiers) -> Outgoing:
    """An event, with the customer's facts right after it."""
    event = step.event
    assert event is not None
    record = event.record
    data = record.data
    if "customer" in data:
        data = {name: value for name, value in data.items() if name != "customer"}
    part = own_id(record.subject)
    return _outgoing(
        Activity(
            id=event.key,
            customer_id=customer_id,
            part="" if part == customer_id else part,
            person=step.person,
            type=record.type,
            time=record.time,
            received=record.received,
            facts=step.assessment.facts,
            source=record.source,
            event_id=record.id,
            data=data,
            changes=step.changes,
            identifiers=identifiers,
            late=step.late,
            historical=record.historical,
            unrewarded=record.unrewarded,
        )
    )


@dataclass(frozen=True, slots=True)
class Parting:
    """A change in who is who, as one customer is told of it: `parts` (own ids of identifiers) came from `source`, or,
    with neither, some left. `epoch` is the number of the change."""

    type: str
    cause: Cause
    epoch: int
    source: str = ""
    parts: Sequence[str] = ()


def of_parting(customer_id: str, parting: Parting, step: Step, identifiers: Identifiers) -> Outgoing:
    """Identifiers proved to be another customer's, with the events under them: these are the facts after it."""
    cause = parting.cause
    data: dict[str, Any] = {"epoch": parting.epoch}
    if parting.source:
        data |= {"from": parting.source, "parts": list(parting.parts)}
    return _outgoing(
        Activity(
            id=derived_id(parting.type, parting.source, customer_id, str(parting.epoch), cause.name),
            customer_id=customer_id,
            type=parting.type,
            time=cause.at,
            received=cause.received,
            facts=step.assessment.facts,
            data=data,
            changes=step.changes,
            identifiers=identifiers,
            person=step.person,
            historical=cause.historical,
        )
    )


def of_rebuild(customer_id: str, rebuild_id: int, step: Step, now: datetime) -> Outgoing:
    """The same events amount to something else now, because the program or the code has changed."""
    return _outgoing(
        Activity(
            id=derived_id("facts.corrected", customer_id, f"rebuild {rebuild_id}"),
            customer_id=customer_id,
            type="facts.corrected",
            time=step.assessment.at,
            received=now,
            facts=step.assessment.facts,
            data={"reason": "rebuild"},
            changes=step.changes,
            person=step.person,
            historical=True,
        )
    )


def of_person(customer_id: str, event: Event, state: State, step: Step, now: datetime) -> Outgoing:
    """A person whom an event told of, long ago: after a rebuild that first knows what of it matters."""
    part = own_id(event.record.subject)
    return _outgoing(
        Activity(
            id=derived_id("facts.corrected", customer_id, f"person {event.key}"),
            customer_id=customer_id,
            part="" if part == customer_id else part,
            type="facts.corrected",
            time=event.at,
            received=now,
            facts=step.assessment.facts,
            data={"reason": "rebuild"},
            person=replace(person_of(state, event), event=event.key),
            historical=True,
        )
    )


def of_time(
    customer_id: str, passage: Passage, then: Assessment, now: datetime, *, historical: bool
) -> Outgoing:
    """Time alone moved the customer; `then` is the customer at that moment. `historical`: that was
    before the history that shows it was imported."""
    return _outgoing(
        Activity(
            id=derived_id("stage.changed", customer_id, passage.new, passage.at.isoformat()),
            customer_id=customer_id,
            type="stage.changed",
            time=passage.at,
            received=now,
            facts=then.facts,
            data={"from": passage.old, "to": passage.new},
            changes=[Change(what="stage", old=passage.old, new=passage.new)],
            historical=historical,
        )
    )


def of_coming_day(
    customer_id: str, day: ComingDay, then: Assessment, now: datetime, *, historical: bool
) -> Outgoing:
    """A birthday or an anniversary has begun. Each is told once, whatever is learnt of its day afterwards."""
    return _outgoing(
        Activity(
            id=derived_id(day.type, customer_id, str(day.number)),
            customer_id=customer_id,
            type=day.type,
            time=day.at,
            received=now,
            facts=then.facts,
            data=day.data,
            historical=historical,
        )
    )


def of_occasion(
    customer_id: str, due: Due, begun_by: Begun | None, then: Assessment, now: datetime
) -> Outgoing:
    """Silence, or a date ahead, for which a campaign waits. `begun_by`: the event since which it is so.

    The same silence has the same identity whichever customer it is found at: told of somebody before a merge, it is
    not told again after it, nor when the two part.
    """
    occasion = due.occasion
    named = due.identity or ((begun_by.key,) if begun_by is not None else (customer_id, due.mark))
    part = "" if begun_by is None else own_id(begun_by.subject)
    return _outgoing(
        Activity(
            id=derived_id(occasion.on, str(occasion.after), *named),
            customer_id=customer_id,
            part="" if part == customer_id else part,
            type=occasion.on,
            time=due.at,
            received=now,
            facts=then.facts,
            data=due.data,
        )
    )


def of_crossing(
    customer_id: str, crossing: Crossing, present: Assessment, now: datetime, *, historical: bool
) -> Outgoing:
    """Time alone moved the customer into or out of a segment, or (`historical`) a rule that was saved did.

    The number of events belongs to the identity: an event that comes late may undo what time did, and time do it again.
    """
    kind = "segment.entered" if crossing.entered else "segment.left"
    at, events = crossing.at, present.facts.events
    return _outgoing(
        Activity(
            id=derived_id(kind, customer_id, crossing.segment, at.isoformat(), str(events)),
            customer_id=customer_id,
            type=kind,
            time=at,
            received=now,
            facts=present.facts,
            data={"segment": crossing.segment},
            changes=[crossing.change],
            historical=historical,
        )
    )


def of_closed_alert(
    customer_id: str, part: str, data: dict[str, Any], facts: Facts, now: datetime
) -> Outgoing:
    """Somebody closed an alert about the customer, who is to hear of it."""
    return _outgoing(
        Activity(
            id=derived_id("alert.closed", data["alert_id"]),
            customer_id=customer_id,
            part="" if part == customer_id else part,
            type="alert.closed",
            time=now,
            received=now,
            facts=facts,
            data=data,
        )
    )


def _outgoing(activity: Activity) -> Outgoing:
    return Outgoing(ACTIVITY_TOPIC, activity.customer_id, encode(activity))
