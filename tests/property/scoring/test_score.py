"""The score: what must hold of any life of a customer."""

from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.scoring.domain.assess import assess
from services.scoring.domain.explaining.explain import weights_of
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.score.plan import Plan
from services.scoring.domain.settings import ScoreSettings
from shared.program.model.score import DEFAULT_WEIGHTS, Score
from tests.property.scoring.test_fold import AMOUNTS, lives
from tests.support.life import NEW_YORK, SETTINGS, STAGES, event, order
from tests.support.mixed_life import mixed_lives

_ids = count()

GOOD = {
    "referral.made": {},
    "referral.converted": {},
    "review.posted": {"rating": 5},
    "survey.answered": {"kind": "nps", "score": 10},
    "login.recorded": {},
    "email.opened": {"message_id": "unheard of"},
    "subscription.renewed": {"subscription_id": "s", "automatic": True},
    "social.followed": {"network": "mastodon"},
}
BAD = {
    "ticket.opened": {"ticket_id": "unheard of"},
    "ticket.reopened": {"ticket_id": "unheard of"},
    "review.posted": {"rating": 1},
    "survey.answered": {"kind": "nps", "score": 0},
    "email.unsubscribed": {},
    "subscription.cancelled": {"subscription_id": "s"},
}


def weighings():
    """Settings with any weights."""
    weights = st.fixed_dictionaries({name: st.integers(0, 30) for name in DEFAULT_WEIGHTS})
    return weights.map(
        lambda given: ScoreSettings.by_stages(STAGES, "USD", NEW_YORK, plan=Plan.of(Score(given)))
    )


def after(life, kind, data, settings):
    """The score before and after one more event, both right after it."""
    state = fold(life, settings).state
    at = state.last_at + timedelta(hours=1)
    more = fold([*life, event(kind, at, data, id=f"more-{next(_ids)}")], settings).state
    return assess(state, at, settings).facts.score, assess(more, at, settings).facts.score


@given(mixed_lives(), st.sampled_from(list(GOOD.items())), weighings())
def test_good_news_never_lowers_the_score(life, news, settings):
    before, now = after(life, *news, settings)
    assert now >= before


@given(mixed_lives(), st.sampled_from(list(BAD.items())), weighings())
def test_bad_news_never_raises_the_score(life, news, settings):
    before, now = after(life, *news, settings)
    assert now <= before


@given(mixed_lives(), st.integers(0, 700), st.integers(0, 700), weighings())
def test_silence_never_raises_the_score_or_any_part(life, sooner, later, settings):
    """(But for words: they are forgotten after a year, the bad ones too.)"""
    state = fold([replace(one, reading=None) for one in life], settings).state
    first, second = sorted((sooner, later))

    before = assess(state, state.last_at + timedelta(days=first), settings)
    now = assess(state, state.last_at + timedelta(days=second), settings)

    assert now.facts.score <= before.facts.score
    for (part, old, _), (same, new, _) in zip(before.score.measured, now.score.measured, strict=True):
        assert part is same
        assert new <= old


@given(lives(), st.integers(0, 700), st.integers(0, 700))
def test_silence_never_raises_the_behavioural_half_whatever_was_said(life, sooner, later):
    state = fold(life, SETTINGS).state
    first, second = sorted((sooner, later))

    before = assess(state, state.last_at + timedelta(days=first), SETTINGS)
    now = assess(state, state.last_at + timedelta(days=second), SETTINGS)

    assert now.facts.score_behavioural <= before.facts.score_behavioural


@given(mixed_lives(), AMOUNTS)
def test_another_order_never_lowers_recency_frequency_spend_or_tenure(life, total):
    state = fold(life, SETTINGS).state
    now = state.last_at + timedelta(hours=1)

    more = fold([*life, order(now, "one-more", total, id="one-more")], SETTINGS).state

    before, then = _values(state, now), _values(more, now)
    assert then["recency"] == 100
    assert all(then[name] >= before[name] for name in ("frequency", "spend", "tenure"))


@given(mixed_lives() | lives(), st.integers(0, 500), weighings())
def test_every_part_and_the_whole_stay_within_0_and_100_and_the_weights_add_up(life, days, settings):
    state = fold(life, settings).state
    assessment = assess(state, state.last_at + timedelta(days=days), settings)
    facts, measured = assessment.facts, assessment.score.measured

    for value in (*(value for _, value, _ in measured), facts.score):
        assert 0 <= value <= 100
    for half in (facts.score_behavioural, facts.score_emotional):
        assert half is None or 0 <= half <= 100
    weights = weights_of(assessment.score, settings)
    if any(part.both for part, _, _ in measured):
        assert abs(sum(weights.values()) - 1) < 1e-9
    whole = sum(value * weights[part.name] for part, value, _ in measured if weights)
    assert abs(facts.score - whole) <= 0.5 + 1e-9


def _values(state, at):
    return {part.name: value for part, value, _ in assess(state, at, SETTINGS).score.measured}
