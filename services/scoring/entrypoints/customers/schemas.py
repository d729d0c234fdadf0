"""What the API of scoring answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.scoring.application.customers.portray import Portrait
from services.scoring.domain.lifecycle.stages import Passage, Standing
from services.scoring.entrypoints.customers.completeness import Completeness
from services.scoring.entrypoints.customers.details import Details
from services.scoring.entrypoints.customers.facts import Facts, facts_of
from shared.contracts.lifecycle import Stage

HIDDEN = "Personal fields are shown to keys with the scope personal:read."


class StageDetail(BaseModel):
    """The lifecycle stage: since when, why, and when time alone will change it."""

    since: datetime
    cause: Literal["event", "time"]
    event: str | None = Field(
        description="The key of the event that brought it; null when it was time alone."
    )
    next_change_at: datetime | None = Field(description="If no event comes before; null if never.")

    @classmethod
    def of(cls, standing: Standing, next_change_at: datetime | None) -> "StageDetail":
        """The detail of a standing."""
        by_event = bool(standing.cause)
        return cls(
            since=standing.since,
            cause="event" if by_event else "time",
            event=standing.cause or None,
            next_change_at=next_change_at,
        )


class StageChange(BaseModel):
    """One change of stage. `at` is when it happened, which may be before anybody noticed."""

    at: datetime
    from_: Stage | None = Field(alias="from", description="Null for the first stage.")
    to: Stage
    cause: Literal["event", "time"]
    event: str | None = Field(description="The key of the event that caused it; null when it was time alone.")

    @classmethod
    def of(cls, passage: Passage) -> "StageChange":
        """The answer for a change."""
        return cls.model_validate(
            {
                "at": passage.at,
                "from": passage.old,
                "to": passage.new,
                "cause": "event" if passage.cause else "time",
                "event": passage.cause or None,
            }
        )


class CustomerSummary(BaseModel):
    """A customer at `at`."""

    id: str
    at: datetime
    facts: Facts
    stage: Stage
    stage_detail: StageDetail
    score: int = Field(ge=0, le=100)
    segments: list[str]
    tags: list[str]

    @classmethod
    def of(cls, portrait: Portrait, **more: Any) -> Any:
        """The summary of a portrait; `more` are the fields of a class that adds some."""
        assessment = portrait.assessment
        facts = assessment.facts
        return cls(
            id=portrait.id,
            at=assessment.at,
            facts=facts_of(facts),
            stage=facts.stage,
            stage_detail=StageDetail.of(assessment.standing, assessment.next_change_at),
            score=facts.score,
            segments=facts.segments,
            tags=facts.tags,
            **more,
        )


class Contact(BaseModel):
    """The person, as last told. Personal fields are null when unknown, erased, or hidden (see `note`)."""

    id: str | None = None
    email: str | None = None
    phone: str | None = None
    anonymous_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    birthday: str | None = None
    address: dict[str, Any] | None = None
    preferences: dict[str, Any] | None = None
    locale: str | None = None
    time_zone: str | None = None
    consent: dict[str, bool] = {}
    known: list[str] = Field(description="The personal fields that somebody told, whether shown or not.")
    note: str | None = Field(None, description="Why fields are hidden, if they are.")


class CustomerProfile(CustomerSummary):
    """A customer with the person behind, and what the facts add up, one by one."""

    profile: Contact
    completeness: Completeness
    details: Details


class TimelineItem(BaseModel):
    """One interaction. `hidden` names fields of `data` that are null because they are personal or erased."""

    key: str
    id: str
    source: str
    type: str
    time: datetime
    received: datetime
    data: dict[str, Any]
    hidden: list[str]


class StageCount(BaseModel):
    """The customers in one stage."""

    stage: Stage
    customers: int
    orders: int
    spend: str


class Summary(BaseModel):
    """All customers together."""

    customers: int
    orders: int
    spend: str
    stages: list[StageCount]
