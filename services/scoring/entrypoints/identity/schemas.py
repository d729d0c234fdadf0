"""What merges look like in requests and answers."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.scoring.adapters.identity.decisions import SuggestedMerge
from services.scoring.application.ports import MergeRecord
from shared.http.shapes import Shape
from shared.http.types import CustomerName, ShortText


class MergeRequest(Shape):
    """Which customer becomes part of which, and why. The id of `into` stays; the other leads there."""

    model_config = ConfigDict(populate_by_name=True)

    from_: CustomerName = Field(alias="from")
    into: CustomerName
    reason: ShortText


class DecisionRequest(Shape):
    """Why somebody decided so."""

    reason: ShortText


class MergeView(BaseModel):
    """One merge. `from` and `into` are the ids that the customers had then."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    at: datetime
    by: Literal["rule", "person"]
    from_: str = Field(alias="from")
    into: str
    reason: str | None
    undone_at: datetime | None = None
    undone_reason: str | None = None

    @classmethod
    def of(cls, record: MergeRecord, at: datetime | None = None) -> "MergeView":
        """A merge as it is stored; with `at`, as it stood at that moment."""
        undone = record.undone_at is not None and (at is None or record.undone_at <= at)
        return cls(
            id=record.id,
            at=record.at,
            by="rule" if record.by_rule else "person",
            from_=record.from_id,
            into=record.into_id,
            reason=record.reason,
            undone_at=record.undone_at if undone else None,
            undone_reason=record.undone_reason if undone else None,
        )


class UndoneView(BaseModel):
    """An undone merge: the ids of the two customers now. They are one all the same where another merge joins them."""

    id: str
    customers: list[str]
    separate: bool


class SuggestionView(BaseModel):
    """Two customers who may be one. `via` is the kind of identifier that was seen with both, if it is one."""

    id: str
    at: datetime
    customers: list[str]
    known_by: list[str] = Field(description="The kind of identifier that each of the two was seen with.")
    via: str | None

    @classmethod
    def of(cls, found: SuggestedMerge) -> "SuggestionView":
        """A suggestion as it is stored."""
        return cls(
            id=found.id,
            at=found.at,
            customers=[found.one, found.other],
            known_by=[found.one_kind, found.other_kind],
            via=found.via,
        )
