"""What the API answers about the loyalty score."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.scoring.domain.explaining.explain import Evidence, ExplainedPart
from services.scoring.domain.explaining.story import Changes, Story
from services.scoring.domain.explaining.suggest import Suggestion
from services.scoring.domain.score.parts.part import FactValue
from shared.program.model.score import BEHAVIOURAL, EMOTIONAL


class EventRef(BaseModel):
    """An event of the timeline, by its key; `order_id` when it tells of an order."""

    key: str
    type: str
    at: datetime
    order_id: str | None

    @classmethod
    def of(cls, event: Evidence) -> "EventRef":
        """The reference to an event."""
        return cls(key=event.event_key, type=event.type, at=event.at, order_id=event.order_id)


class Half(BaseModel):
    """One half of the score."""

    value: int | None = Field(
        description="0-100: the mean of its parts by their weights; null when nothing is known."
    )
    weight: float = Field(description="How much of the score it makes up, 0 to 1.")


class ScorePart(BaseModel):
    """One part. The score is the sum of `value` times `weight` over all parts, rounded half up."""

    name: str
    half: Literal["behavioural", "emotional"]
    value: int | None = Field(description="0-100; null when nothing is known.")
    weight: float = Field(
        description="How much it counts for this customer, 0 to 1: parts that do not count leave theirs to the others."
    )
    program_weight: int = Field(description="Its weight in the program, beside those of the other parts.")
    note: str | None = Field(description="Why it does not count, if so.")
    facts: dict[str, FactValue]
    events: list[EventRef] = Field(description="What it rests on: the newest ones, 50 at most.")

    @classmethod
    def of(cls, part: ExplainedPart) -> "ScorePart":
        """One explained part."""
        return cls.model_validate(
            {
                "name": part.name,
                "half": part.half,
                "value": part.value,
                "weight": part.weight,
                "program_weight": part.program_weight,
                "note": part.note,
                "facts": part.facts,
                "events": [EventRef.of(one) for one in part.events],
            }
        )


class PartMoved(BaseModel):
    """A part that is not what it was, and by how many points that moved the score."""

    name: str
    old: int | None
    new: int | None
    points: float


class EventMoved(BaseModel):
    """An event that moved the score by so many points."""

    event: EventRef
    points: int


class ScoreChanges(BaseModel):
    """What changed the score since a moment. The points of all events and those of time sum to the difference."""

    since: datetime
    score: int | None = Field(
        description="The score at that moment; null when the customer was not known yet."
    )
    parts: list[PartMoved] = Field(description="Those first that moved it most.")
    events: list[EventMoved] = Field(description="Those that moved it most, 10 at most.")
    time: int = Field(description="The points of time alone: silence, and what is long ago.")

    @classmethod
    def of(cls, changes: Changes) -> "ScoreChanges":
        """The changes."""
        return cls(
            since=changes.since,
            score=changes.old,
            parts=[
                PartMoved(name=one.name, old=one.old, new=one.new, points=one.points) for one in changes.parts
            ],
            events=[EventMoved(event=EventRef.of(one.event), points=one.points) for one in changes.events],
            time=changes.time,
        )


class WouldRaise(BaseModel):
    """Something that would raise the score if it happened now, and which parts it would move."""

    act: str
    text: str
    score: int
    points: int
    parts: list[str]

    @classmethod
    def of(cls, one: Suggestion) -> "WouldRaise":
        """One suggestion."""
        return cls(act=one.act, text=one.text, score=one.score, points=one.points, parts=list(one.parts))


class Score(BaseModel):
    """The score with its why."""

    id: str
    at: datetime
    score: int = Field(ge=0, le=100)
    behavioural: Half
    emotional: Half
    parts: list[ScorePart]
    changed: ScoreChanges = Field(description="What changed it in the 30 days before.")
    would_raise: list[WouldRaise] = Field(description="What would raise it, the most first.")

    @classmethod
    def of(cls, customer_id: str, story: Story) -> "Score":
        """The story of a customer's score."""
        facts = story.assessment.facts
        return cls(
            id=customer_id,
            at=story.assessment.at,
            score=facts.score,
            behavioural=Half(value=facts.score_behavioural, weight=_weight(story, BEHAVIOURAL)),
            emotional=Half(value=facts.score_emotional, weight=_weight(story, EMOTIONAL)),
            parts=[ScorePart.of(part) for part in story.parts],
            changed=ScoreChanges.of(story.changes),
            would_raise=[WouldRaise.of(one) for one in story.suggestions],
        )


def _weight(story: Story, half: str) -> float:
    return round(sum(part.weight for part in story.parts if part.half == half), 6)
