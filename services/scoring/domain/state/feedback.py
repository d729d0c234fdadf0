"""What customers say: surveys, reviews, comments; as numbers. (Words are the business of `voice`.)"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

HUNDREDTHS = 100
"""Scores are kept in whole hundredths, so that their sums are exact."""

NPS_RANGE, NPS_HIGH, NPS_LOW = (0, 10), 9, 6
"""Promoters answer 9 or 10, detractors 0 to 6 (Reichheld 2003, "The one number you need to grow")."""

STARS_RANGE, STARS_HIGH, STARS_LOW = (1, 5), 4, 2
"""Satisfied 4 and 5 (the "top two boxes" of CSAT), dissatisfied 1 and 2; of stars the same."""

PERFECT = 5
RECOVERY_DAYS = 90
"""A five-star review so soon after a ticket was resolved says that the trouble was made good."""


class Answers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answers to one kind of survey. Scores are whole hundredths. `high` and `low` count the extremes: promoters (9
    and 10) and detractors (0 to 6) of NPS, satisfied (4, 5) and dissatisfied (1, 2) of CSAT and stars."""

    count: int = 0
    sum: int = 0
    last: int | None = None
    before: int | None = None
    last_at: datetime | None = None
    last_key: str = ""
    high: int = 0
    low: int = 0

    @property
    def mean(self) -> float | None:
        """The mean score, to the hundredth; None without an answer."""
        return round(self.sum / self.count / HUNDREDTHS, 2) if self.count else None

    @property
    def newest(self) -> float | None:
        """The last score."""
        return None if self.last is None else self.last / HUNDREDTHS

    @property
    def previous(self) -> float | None:
        """The score before the last."""
        return None if self.before is None else self.before / HUNDREDTHS

    def plus(self, score: int, at: datetime, key: str, high: int, low: int) -> "Answers":
        """With one more; `high` and `low` are where the extremes begin."""
        return Answers(
            count=self.count + 1,
            sum=self.sum + score,
            last=score,
            before=self.last,
            last_at=at,
            last_key=key,
            high=self.high + (score >= high * HUNDREDTHS),
            low=self.low + (score <= low * HUNDREDTHS),
        )


NO_ANSWERS = Answers()


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that was said. `reviews` are stars 1-5; `perfect` counts those of five. `surveys` counts answers of all
    kinds, `comments` free comments. `recoveries`: resolved tickets that a five-star review followed within
    `RECOVERY_DAYS`; `pending_at` is the newest resolution that none has followed yet."""

    nps: Answers = NO_ANSWERS
    csat: Answers = NO_ANSWERS
    reviews: Answers = NO_ANSWERS
    perfect: int = 0
    surveys: int = 0
    comments: int = 0
    last_at: datetime | None = None
    recoveries: int = 0
    last_recovery_at: datetime | None = None
    pending_at: datetime | None = None


NO_FEEDBACK = Feedback()


def answered(
    feedback: Feedback, kind: str, score: float | None, at: datetime, key: str, *, comment: bool
) -> Feedback:
    """A survey was answered, perhaps with a `comment`. A score that its kind does not have (NPS 0-10, CSAT 1-5) counts
    as an answer only."""
    feedback = replace(
        feedback, surveys=feedback.surveys + 1, comments=feedback.comments + comment, last_at=at
    )
    if kind == "nps" and _within(score, NPS_RANGE):
        return replace(feedback, nps=feedback.nps.plus(_hundredths(score), at, key, NPS_HIGH, NPS_LOW))
    if kind == "csat" and _within(score, STARS_RANGE):
        return replace(feedback, csat=feedback.csat.plus(_hundredths(score), at, key, STARS_HIGH, STARS_LOW))
    return feedback


def commented(feedback: Feedback, at: datetime) -> Feedback:
    """Something was said in free words."""
    return replace(feedback, comments=feedback.comments + 1, last_at=at)


def relieved(feedback: Feedback, at: datetime) -> Feedback:
    """A ticket was resolved: a five-star review would say that all is good again."""
    return replace(feedback, pending_at=at)


def troubled(feedback: Feedback, resolved_at: datetime | None) -> Feedback:
    """A ticket that was resolved then was not, after all."""
    return replace(feedback, pending_at=None) if feedback.pending_at == resolved_at else feedback


def reviewed(feedback: Feedback, stars: int, at: datetime, key: str) -> Feedback:
    """A review; one of five stars after trouble is a recovery."""
    reviews = feedback.reviews.plus(stars * HUNDREDTHS, at, key, STARS_HIGH, STARS_LOW)
    feedback = replace(feedback, reviews=reviews, last_at=at)
    if stars != PERFECT:
        return feedback
    feedback = replace(feedback, perfect=feedback.perfect + 1)
    pending = feedback.pending_at
    if pending is None or at - pending > timedelta(days=RECOVERY_DAYS):
        return feedback
    return replace(feedback, recoveries=feedback.recoveries + 1, last_recovery_at=at, pending_at=None)


def is_friendly(kind: str, score: float | None) -> bool:
    """Whether an answer is that of a promoter, or of somebody satisfied."""
    if kind == "nps":
        return _within(score, NPS_RANGE) and _hundredths(score) >= NPS_HIGH * HUNDREDTHS
    return kind == "csat" and _within(score, STARS_RANGE) and _hundredths(score) >= STARS_HIGH * HUNDREDTHS


def _within(score: float | None, bounds: tuple[int, int]) -> bool:
    return score is not None and bounds[0] <= score <= bounds[1]


def _hundredths(score: float | None) -> int:
    assert score is not None
    return round(score * HUNDREDTHS)
