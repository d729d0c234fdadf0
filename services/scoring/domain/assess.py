"""What a state means at a moment: facts, score, stage, and when time alone will change the stage."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.facts import MONTH_DAYS, further_facts
from services.scoring.domain.lifecycle.stages import Standing, course_at
from services.scoring.domain.money import decimal
from services.scoring.domain.score.parts.buying import order_interval_days
from services.scoring.domain.score.parts.part import View
from services.scoring.domain.score.weighing import Score, score_of
from services.scoring.domain.segments.ranking import percentiles_of
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from shared.contracts.activity import Facts
from shared.program.values.period import day_of

NO_SCORE = Score()


class Assessment(Struct, frozen=True):
    """A customer at one moment. `next_change_at` is exact: until then, without events, the stage stays."""

    at: datetime
    facts: Facts
    score: Score
    standing: Standing
    next_change_at: datetime | None


def assess(
    state: State, now: datetime, settings: ScoreSettings, *, stage_at: datetime | None = None
) -> Assessment:
    """The customer with this state (of one event or more) at `now`, or at the newest event if that is later.

    (A sender's clock may run a few minutes ahead of ours.) `stage_at`: show the stage of this later moment, because it
    has been told already.
    """
    assert state.last_at is not None
    moment = max(now, state.last_at)
    view = view_at(state, moment, settings)
    score = score_of(view, settings.plan) if not settings.plan.own else NO_SCORE
    standing, next_change_at = course_at(state, moment if stage_at is None else max(moment, stage_at))
    percentiles = percentiles_of(state, settings.ranking)
    facts = Facts(
        currency=settings.currency,
        events=state.events,
        orders=state.orders,
        orders_12m=view.orders_12m,
        spend=decimal(state.spend),
        spend_30d=decimal(state.days.spend_since(view.today - MONTH_DAYS + 1)),
        spend_12m=decimal(view.spend_12m),
        first_event_at=state.first_at,
        last_event_at=state.last_at,
        registered_at=state.registered_at,
        first_order_at=state.first_order_at,
        last_order_at=state.last_order_at,
        order_interval_days=order_interval_days(state),
        stage=standing.stage,
        score=score.value,
        score_behavioural=score.behavioural,
        score_emotional=score.emotional,
        spend_percentile=percentiles.spend,
        orders_percentile=percentiles.orders,
        recency_percentile=percentiles.recency,
        rfm_recency=percentiles.rfm_recency,
        rfm_value=percentiles.rfm_value,
        **further_facts(state, moment, view.today),
    )
    if settings.plan.own:
        score = score_of(view, settings.plan, facts)
        facts = replace(
            facts, score=score.value, score_behavioural=score.behavioural, score_emotional=score.emotional
        )
    # The list is the facts' own and still empty: segments are asked about all the other facts.
    facts.segments.extend(settings.segments.of(facts))
    return Assessment(moment, facts, score, standing, next_change_at)


def view_at(state: State, moment: datetime, settings: ScoreSettings) -> View:
    """What the parts of the score see: sums of the last 365 whole days in the program's zone, today included."""
    today = day_of(moment, settings.zone)
    orders, spend = state.days.year(today)
    return View(state, moment, today, orders, spend, settings.good_year)


def score_at(state: State, moment: datetime, settings: ScoreSettings) -> int:
    """The score alone."""
    if settings.plan.own:
        return assess(state, moment, settings).facts.score
    return score_of(view_at(state, moment, settings), settings.plan).value
