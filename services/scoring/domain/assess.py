"""What a state means at a moment: facts, score, stage, and when time alone will change the stage."""

from datetime import datetime

from msgspec import Struct

from services.scoring.domain.money import decimal
from services.scoring.domain.purchases import day_of
from services.scoring.domain.ranking import percentiles_of
from services.scoring.domain.score import Parts, Windows, order_interval_days, parts_of
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.stages import Standing, course_at
from services.scoring.domain.state import State
from services.scoring.domain.voice import sentiment_at, tags_at
from shared.contracts.activity import Facts

MONTH_DAYS = 30


class Assessment(Struct, frozen=True):
    """A customer at one moment. `next_change_at` is exact: until then, without events, the stage stays."""

    at: datetime
    facts: Facts
    parts: Parts
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
    windows = windows_at(state, moment, settings)
    parts = parts_of(state, windows, settings)
    standing, next_change_at = course_at(state, moment if stage_at is None else max(moment, stage_at))
    voice = state.voice
    percentiles = percentiles_of(state, settings.ranking)
    facts = Facts(
        currency=settings.currency,
        events=state.events,
        orders=state.orders,
        orders_12m=windows.orders_12m,
        spend=decimal(state.spend),
        spend_30d=decimal(windows.spend_30d),
        spend_12m=decimal(windows.spend_12m),
        first_event_at=state.first_at,
        last_event_at=state.last_at,
        registered_at=state.registered_at,
        first_order_at=state.first_order_at,
        last_order_at=state.last_order_at,
        order_interval_days=order_interval_days(state),
        stage=standing.stage,
        score=parts.score,
        spend_percentile=percentiles.spend,
        orders_percentile=percentiles.orders,
        recency_percentile=percentiles.recency,
        texts=voice.texts,
        sentiment=sentiment_at(voice, moment) if voice.texts else None,
        tags=tags_at(voice, moment) if voice.tags else [],
    )
    # The list is the facts' own and still empty: segments are asked about all the other facts.
    facts.segments.extend(settings.segments.of(facts))
    return Assessment(moment, facts, parts, standing, next_change_at)


def windows_at(state: State, moment: datetime, settings: ScoreSettings) -> Windows:
    """The sums of the last 30 and 365 whole days in the program's zone, the day of `moment` included."""
    today = day_of(moment, settings.zone)
    orders, spend = state.days.year(today)
    return Windows(today, orders, spend, state.days.spend_since(today - MONTH_DAYS + 1))


def score_at(state: State, moment: datetime, settings: ScoreSettings) -> int:
    """The score alone."""
    if not state.orders:
        return 0
    today = day_of(moment, settings.zone)
    return parts_of(state, Windows(today, *state.days.year(today), 0), settings).score
