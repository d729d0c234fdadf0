"""`/v1/customers/{customer}/tags`: what a customer's texts say, with the words, and tags that were given."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.customers.portray import Portrait, Portray
from services.scoring.domain.event import Event
from services.scoring.domain.state.labels import Label
from services.scoring.domain.state.voice import stands
from services.scoring.entrypoints.customers.lookup import Lookup
from services.scoring.entrypoints.customers.people import record_look
from services.scoring.entrypoints.customers.schemas import HIDDEN
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.moments import At
from shared.http.openapi import problem_responses
from shared.http.types import CustomerRef

GIVEN = "customer.tagged"

_Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]


class TagEvidence(BaseModel):
    """One event that gave the tag."""

    key: str
    type: str
    at: datetime
    field: str = Field(
        description="The field of the event's data with the words, or with the tag that was given."
    )
    sentiment: int | None = Field(description="How the event's texts sound, -100 to 100.")
    words: list[str] | None = Field(
        description="The words that gave the tag; null when hidden or erased, and when it was given."
    )
    by: str | None = Field(
        None, description="Who gave it, such as the campaign we-miss-you; null when words did."
    )


class Tag(BaseModel):
    """A tag that stands."""

    name: str
    count: int = Field(description="In how many events it was ever seen.")
    first_at: datetime
    last_at: datetime
    evidence: list[TagEvidence] = Field(description="The newest events that gave it, newest first.")


class Tags(BaseModel):
    """What a customer's texts say at `at`, and the tags that were given and not taken away."""

    id: str
    at: datetime
    texts: int = Field(description="Texts whose sentiment could be read.")
    sentiment: int | None = Field(description="How the newest of them sound, -100 to 100.")
    tags: list[Tag]
    note: str | None = Field(None, description="Why words are hidden, if they are.")


def tags_routes(profiles: Profiles, personal: PersonalData, portray: Portray, clock: Clock) -> APIRouter:
    """The route by which tags are read."""
    router = APIRouter(tags=["customers"], responses=problem_responses(401, 403, 422, 503))
    lookup = Lookup(profiles, portray, clock)

    @router.get(
        "/v1/customers/{customer}/tags",
        summary="What a customer's texts say, with the words",
        responses=problem_responses(404),
    )
    async def tags(principal: _Reader, customer: CustomerRef, at: At = None) -> Tags:
        """Tags that stand, with their events. The words need the scope personal:read."""
        async with profiles.engine.connect() as connection:
            portrait = await lookup.portrait(connection, customer, at)
            return await _answer(connection, profiles, personal, principal, portrait)

    return router


async def _answer(
    connection: AsyncConnection,
    profiles: Profiles,
    personal: PersonalData,
    principal: Principal,
    portrait: Portrait,
) -> Tags:
    moment, facts = portrait.assessment.at, portrait.assessment.facts
    standing = {name: tag for name, tag in portrait.state.voice.tags.items() if stands(name, tag, moment)}
    keys = {key for tag in standing.values() for key in tag.keys}
    events = await profiles.events_named(connection, portrait.id, keys) if keys else []
    may_see = principal.may(Scope.PERSONAL_READ)
    opened: Mapping[str, dict[str, Any]] = {}
    if may_see and events:
        opened = await personal.of(connection, events)
        record_look(principal, portrait.id)
    return Tags(
        id=portrait.id,
        at=moment,
        texts=facts.texts,
        sentiment=facts.sentiment,
        tags=_with_given(
            [
                Tag(
                    name=name,
                    count=tag.count,
                    first_at=tag.first_at,
                    last_at=tag.last_at,
                    evidence=_evidence(name, [event for event in events if event.key in tag.keys], opened),
                )
                for name, tag in standing.items()
            ],
            portrait.state.labels,
        ),
        note=None if may_see or not standing else HIDDEN,
    )


def _with_given(said: Sequence[Tag], labels: Mapping[str, Label]) -> list[Tag]:
    """What texts say, and the tags that were given, sorted; one of both kinds has the evidence of both."""
    tags = {tag.name: tag for tag in said}
    for name, label in labels.items():
        given = TagEvidence(
            key=label.key, type=GIVEN, at=label.at, field="tag", sentiment=None, words=None, by=label.by
        )
        known = tags.get(name)
        tags[name] = Tag(
            name=name,
            count=1 if known is None else known.count + 1,
            first_at=label.at if known is None else min(known.first_at, label.at),
            last_at=label.at if known is None else max(known.last_at, label.at),
            evidence=[given, *([] if known is None else known.evidence)],
        )
    return [tags[name] for name in sorted(tags)]


def _evidence(name: str, events: Sequence[Event], opened: Mapping[str, dict[str, Any]]) -> list[TagEvidence]:
    evidence = []
    for event in sorted(events, key=lambda one: (one.at, one.key), reverse=True):
        reading = event.reading
        places = [mention for mention in reading.mentions if mention.tag == name] if reading else []
        for field in dict.fromkeys(mention.field for mention in places):
            text = opened.get(event.key, {}).get(field)
            words = [text[one.start : one.end] for one in places if one.field == field] if text else None
            evidence.append(
                TagEvidence(
                    key=event.key,
                    type=event.record.type,
                    at=event.at,
                    field=field,
                    sentiment=reading.sentiment if reading else None,
                    words=words,
                )
            )
    return evidence
