"""What must be made anew when another version of the program comes into force."""

from enum import StrEnum

from services.scoring.domain.metrics.rollup import RollupSettings
from services.scoring.domain.settings import ScoreSettings
from shared.program.model.program import Program


class Anew(StrEnum):
    """`FOLD`: every customer's state, from all events. `LOOK`: scores and segments, of the states that are there.
    `METRICS`: the rollups and sums behind the metrics."""

    FOLD = "fold"
    LOOK = "look"
    METRICS = "metrics"


def made_anew(before: Program, after: Program) -> list[Anew]:
    """What of what is kept would be another with the other program; nothing when only rewards are concerned."""
    old, new = ScoreSettings.of(before), ScoreSettings.of(after)
    anew = []
    if old.fold_digest != new.fold_digest:
        anew.append(Anew.FOLD)
    if _looked_at_with(before, old) != _looked_at_with(after, new):
        anew.append(Anew.LOOK)
    if RollupSettings.of(old).text != RollupSettings.of(new).text:
        anew.append(Anew.METRICS)
    return anew


def _looked_at_with(program: Program, settings: ScoreSettings) -> tuple[object, ...]:
    """All that an assessment takes from the program beside the state; the order of segments is that of the facts."""
    return (
        settings.fold_digest,
        settings.good_year,
        list(settings.segments.sources.items()),
        dict(program.score.weights),
        program.score.parts,
    )
