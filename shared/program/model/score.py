"""The loyalty score as frozen types: how much each of its parts weighs, and the shop's own parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shared.program.conditions.formula import Formula

BEHAVIOURAL = "behavioural"
EMOTIONAL = "emotional"

DEFAULT_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "recency": 20,
        "frequency": 20,
        "spend": 15,
        "regularity": 8,
        "diversity": 5,
        "unprompted": 6,
        "renewals": 6,
        "tenure": 5,
        "sentiment": 10,
        "satisfaction": 10,
        "reviews": 8,
        "referrals": 8,
        "recovery": 5,
        "resilience": 4,
        "complaints": 8,
        "drop_off": 8,
    }
)
"""What each part of the loyalty score weighs where the program does not say; the first eight are behaviour, the others
emotion. What the parts are, `services/scoring/domain/score/parts` says."""


@dataclass(frozen=True, slots=True)
class OwnPart:
    """The shop's own part of the score, in one of the halves: a number of 0 to 100 over the facts (what is beyond is
    cut off), or a condition with its `points` when true and `otherwise` when not. It says nothing where its value is
    not known, nor where the condition is false and `otherwise` is None."""

    id: str
    value: Formula
    weight: int
    half: str = BEHAVIOURAL
    points: int | None = None
    otherwise: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How much each standard part of the loyalty score weighs (0: not at all), and the shop's own parts."""

    weights: Mapping[str, int] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    parts: tuple[OwnPart, ...] = ()
