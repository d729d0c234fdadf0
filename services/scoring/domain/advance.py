"""One step of a customer's life, told: the state after an event, and the activity that the step amounts to."""

from msgspec import Struct

from services.scoring.domain.assess import Assessment, assess, score_at
from services.scoring.domain.event import Event
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.stages import stage_at
from services.scoring.domain.state import State
from shared.contracts.activity import Change


class Told(Struct, frozen=True):
    """What a step amounts to: the customer right after it, and what it changed."""

    assessment: Assessment
    changes: list[Change]


def tell(before: State, after: State, settings: ScoreSettings) -> Told:
    """The step from `before` to `after`, both seen at the newest event of `after`, so that time changes nothing."""
    assert after.last_at is not None
    assessment = assess(after, after.last_at, settings)
    facts = assessment.facts
    if not before.events:
        return Told(assessment, [Change(what="stage", old=None, new=facts.stage)])
    changes = []
    stage = stage_at(before, after.last_at)
    if stage != facts.stage:
        changes.append(Change(what="stage", old=stage, new=facts.stage))
    if before.orders or after.orders:
        score = score_at(before, after.last_at, settings)
        if score != facts.score:
            changes.append(Change(what="score", old=str(score), new=str(facts.score)))
    return Told(assessment, changes)


def is_late(state: State, event: Event) -> bool:
    """Whether the event comes before something that is known already."""
    return state.last_at is not None and (event.at, event.key) < (state.last_at, state.last_key)
