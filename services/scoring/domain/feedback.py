"""What customers say: surveys, reviews, comments; as numbers. (Words are the business of `voice`.)"""

from datetime import datetime

from msgspec import Struct


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


NO_ANSWERS = Answers()


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that was said. `reviews` are stars 1-5; `perfect` counts those of five. `surveys` counts answers of all
    kinds, `comments` free comments. `recoveries`: tickets that were resolved and followed by a five-star review within
    `RECOVERY_DAYS`; `pending_at` is the newest resolution that none has followed yet."""

    nps: Answers = NO_ANSWERS
    csat: Answers = NO_ANSWERS
    reviews: Answers = NO_ANSWERS
    perfect: int = 0
    surveys: int = 0
    comments: int = 0
    last_at: datetime | None = None
    recoveries: int = 0
    pending_at: datetime | None = None


NO_FEEDBACK = Feedback()
