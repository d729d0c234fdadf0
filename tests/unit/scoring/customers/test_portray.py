"""Portraits of a customer: the score and its why come from the same settings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.scoring.application.customers.portray import Portray
from services.scoring.application.ports import Known
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.score.plan import Plan
from shared.program.model.score import DEFAULT_WEIGHTS, Score
from tests.support.life import SETTINGS, event, moment, order
from tests.support.rules import FixedRules

EVENTS = [
    order(moment(0), "1"),
    event("review.posted", moment(1), {"rating": 5}),
    order(moment(2), "2"),
    order(moment(50), "3"),
]
NO_CONNECTION: Any = None


class Archive:
    """All events of the customer."""

    async def events_until(self, connection: object, customer_id: str, at: datetime) -> Sequence[Event]:
        """Up to a moment."""
        return [one for one in EVENTS if one.at <= at]


async def test_a_score_of_the_past_and_its_why_go_by_the_same_weights():
    """Given a process that has shown somebody; when the program weighs reviews only since, and the score of a moment in
    the past is asked for with its why; then both go by the new weights."""
    rules = FixedRules(SETTINGS)
    archive: Any = Archive()
    portray = Portray(archive, rules)
    ana = Known("cus_ana", fold(EVENTS, SETTINGS).state)
    before = await portray.now(NO_CONNECTION, ana, moment(60))

    rules.settings = replace(
        SETTINGS, plan=Plan.of(Score({**dict.fromkeys(DEFAULT_WEIGHTS, 0), "reviews": 1}))
    )
    portrait = await portray.at(NO_CONNECTION, ana, moment(10))
    assert portrait is not None
    story = await portray.story(NO_CONNECTION, portrait)

    assert [part.name for part in story.parts] == ["reviews"]
    assert story.assessment.facts.score == portrait.assessment.facts.score == 100
    assert before.assessment.facts.score != 100
