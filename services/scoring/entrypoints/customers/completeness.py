"""How complete one profile is, as the API shows it."""

from pydantic import BaseModel, Field

from services.scoring.domain.completeness import FIELDS, REMEDIES, completeness, known_fields
from services.scoring.domain.state import State


class MissingField(BaseModel):
    """A field that nobody told yet, and how to learn it."""

    field: str
    remedy: str


class Completeness(BaseModel):
    """What of a profile is known, and what is missing."""

    percent: int = Field(ge=0, le=100, description="Known fields, of those that count.")
    missing: list[MissingField]

    @classmethod
    def of(cls, state: State) -> "Completeness":
        """The completeness of a state."""
        known = known_fields(state)
        return cls(
            percent=completeness(known),
            missing=[MissingField(field=name, remedy=REMEDIES[name]) for name in FIELDS if name not in known],
        )
