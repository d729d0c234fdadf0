"""A customer's rollup: what the customer contributes to the metrics, month by month, and when time alone changes that.

It follows from the order book, from the happenings and from the time alone. Happenings of months before a change
need not be read again: their counts are taken over from the rollup before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.scoring.domain.metrics.measures import NOTHING, Measures
from services.scoring.domain.metrics.months import NO_MONTH, Month, begin_of, month_of
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state.feedback import NPS_HIGH, NPS_LOW, STARS_HIGH
from services.scoring.domain.state.orders import Order
from shared.program.values.period import Period, day_of

COUNTED_LIKE = 2
"""To be raised whenever a measure or the fields of completeness mean something else: everybody is counted anew then."""

ENGAGEMENTS = frozenset(
    {
        "email.opened",
        "email.clicked",
        "push.opened",
        "page.viewed",
        "login.recorded",
        "product.used",
        "social.followed",
        "social.liked",
        "social.mentioned",
        "review.posted",
        "referral.made",
        "survey.answered",
        "feedback.given",
    }
)
"""What a customer does of their own accord beside buying and complaining."""

SURVEY = "survey.answered"
ORDER = "order.completed"
COUNTED = ENGAGEMENTS | {ORDER}
"""The types of events that are read as happenings."""

_FROM_HAPPENINGS = (
    "engagements", "engaged", "products", "product_buyers", "nps_answers", "promoters", "detractors",
    "csat_answers", "satisfied",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RollupSettings:
    """What the metrics take from the program."""

    currency: str
    zone: ZoneInfo
    churned_after: Period

    @classmethod
    def of(cls, settings: ScoreSettings) -> "RollupSettings":
        """The same as the score's."""
        return cls(settings.currency, settings.zone, settings.churned_after)

    @property
    def text(self) -> str:
        """Says whether a rollup was made with the same settings."""
        return f"{COUNTED_LIKE} {self.currency} {self.zone} {self.churned_after}"


class Happening(Struct, frozen=True):
    """An event as far as it is counted: `skus` of an order, `survey` and `score` of an answer."""

    at: datetime
    key: str
    type: str
    skus: tuple[str, ...] = ()
    survey: str = ""
    score: float | None = None


class Rollup(Struct, frozen=True, omit_defaults=True):
    """One customer's contribution. `cohort` is the month of the first order; `due_at` when time alone adds to it.

    `segments` and `known_fields` are those under which it is counted.
    """

    cohort: Month = NO_MONTH
    months: dict[Month, Measures] = {}
    due_at: datetime | None = None
    segments: tuple[str, ...] = ()
    known_fields: tuple[str, ...] = ()


EMPTY_ROLLUP = Rollup()
MonthCounts = defaultdict[Month, Counter[str]]


@dataclass(slots=True)
class _Customership:
    """The spans between a first order, or a return, and the moment at which silence ends it (None: never)."""

    spans: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def stood(self, moment: datetime) -> bool:
        """Whether the customer had ordered before and was not given up yet."""
        return any(begin < moment and (end is None or end >= moment) for begin, end in self.spans)


def roll_up(
    first_at: datetime,
    orders: Iterable[Order],
    happenings: Sequence[Happening],
    settings: RollupSettings,
    now: datetime,
    *,
    before: Rollup = EMPTY_ROLLUP,
    since: Month = NO_MONTH,
) -> Rollup:
    """The rollup at `now` of a customer with this first event and whole order book.

    `happenings` are all from the month `since` on; months before it are as in `before`.
    """
    tally: MonthCounts = defaultdict(Counter)
    for month, measures in before.months.items():
        if month < since:
            tally[month].update({name: getattr(measures, name) for name in _FROM_HAPPENINGS})
    standing = sorted((one for one in orders if one.counts), key=_place)
    tally[month_of(first_at, settings.zone)]["known"] = 1
    due_at, customership = _count_orders(tally, standing, settings, now)
    _count_happenings(tally, happenings, {one.event_key for one in standing}, settings.zone)
    _count_engaged_customers(tally, customership, settings.zone)
    months = {month: Measures(**counts) for month, counts in sorted(tally.items())}
    return Rollup(
        cohort=_month_of_first(standing, settings.zone),
        months={month: measures for month, measures in months.items() if measures != NOTHING},
        due_at=due_at,
    )


def _place(order: Order) -> tuple[datetime, str]:
    assert order.placed_at is not None
    assert order.event_key is not None
    return order.placed_at, order.event_key


def _month_of_first(standing: Sequence[Order], zone: ZoneInfo) -> Month:
    if not standing:
        return NO_MONTH
    assert standing[0].placed_at is not None
    return month_of(standing[0].placed_at, zone)


def _count_orders(
    tally: MonthCounts, standing: Sequence[Order], settings: RollupSettings, now: datetime
) -> tuple[datetime | None, _Customership]:
    """Count the orders, sorted, and the churns between and after them; also when the next churn is due."""
    zone = settings.zone
    shortest = timedelta(days=28 * settings.churned_after.months - 1) + settings.churned_after.rest
    customership = _Customership()
    began = last_at = None
    last_month, last_day = NO_MONTH, 0
    for number, order in enumerate(standing, 1):
        at = order.placed_at
        assert at is not None
        month, day = month_of(at, zone), day_of(at, zone)
        counts = tally[month]
        counts["orders"] += 1
        if order.currency == settings.currency:
            counts["priced_orders"] += 1
            counts["revenue"] += order.net
        if number <= 2:
            counts["new_buyers" if number == 1 else "second_buyers"] = 1
        if month != last_month:
            counts["buyers"] = 1
            counts["retained_buyers"] = int(month == last_month + 1)
        if last_at is not None and day != last_day:
            counts["gaps"] += 1
            counts["gap_days"] += day - last_day
        if last_at is not None and began is not None and at - last_at > shortest:
            churn_at = _churn(last_at, settings)
            if churn_at is not None and churn_at <= at:
                customership.spans.append((began, churn_at))
                tally[month_of(churn_at, zone)]["churned"] += 1
                counts["won_back"] += 1
                began = at
        began = began or at
        last_at, last_month, last_day = at, month, day
    if last_at is None or began is None:
        return None, customership
    churn_at = _churn(last_at, settings)
    customership.spans.append((began, churn_at))
    if churn_at is None or churn_at > now:
        return churn_at, customership
    tally[month_of(churn_at, zone)]["churned"] += 1
    return None, customership


def _churn(last_at: datetime, settings: RollupSettings) -> datetime | None:
    """When silence since an order makes the customer churned; None beyond the end of the calendar."""
    try:
        return settings.churned_after.after(last_at, settings.zone)
    except OverflowError:
        return None


def _count_happenings(
    tally: MonthCounts, happenings: Iterable[Happening], orders: set[str | None], zone: ZoneInfo
) -> None:
    products: defaultdict[Month, set[str]] = defaultdict(set)
    for one in happenings:
        month = month_of(one.at, zone)
        if one.type == ORDER:
            if one.key in orders:
                products[month].update(one.skus)
            continue
        counts = tally[month]
        counts["engagements"] += 1
        counts["engaged"] = 1
        if one.type == SURVEY and one.score is not None:
            _count_answer(counts, one.survey, one.score)
    for month, skus in products.items():
        if skus:
            tally[month]["products"] = len(skus)
            tally[month]["product_buyers"] = 1


def _count_answer(counts: Counter[str], survey: str, score: float) -> None:
    if survey == "nps":
        counts["nps_answers"] += 1
        counts["promoters"] += score >= NPS_HIGH
        counts["detractors"] += score <= NPS_LOW
    elif survey == "csat":
        counts["csat_answers"] += 1
        counts["satisfied"] += score >= STARS_HIGH


def _count_engaged_customers(tally: MonthCounts, customership: _Customership, zone: ZoneInfo) -> None:
    for month in [month for month, counts in tally.items() if counts["engaged"]]:
        if customership.stood(begin_of(month + 1, zone)):
            after = tally[month + 1]
            after["engaged_before"] = 1
            after["churned_engaged"] = int(after["churned"] > 0)


Place = tuple[str, Month, Month]
"""Where a sum stands: segment (empty for all customers), cohort, month. Cohorts are told apart among all customers
only: by segment too, the sums would be a hundred times as many, and the answers slower than they may be."""


def difference(before: Rollup, after: Rollup) -> dict[Place, Measures]:
    """What to add to the sums, by place, when a customer's rollup changes."""
    if before.segments == after.segments and before.cohort == after.cohort:
        changed = _changed(before.months, after.months)
        return {place: changed[place[2]] for place in _places(after, changed)}
    sums = {place: -before.months[place[2]] for place in _places(before, before.months)}
    for place in _places(after, after.months):
        sums[place] = sums.get(place, NOTHING) + after.months[place[2]]
    return {place: measures for place, measures in sums.items() if measures != NOTHING}


def _places(rollup: Rollup, months: Iterable[Month]) -> Iterator[Place]:
    """Where a rollup is counted."""
    for month in months:
        yield "", rollup.cohort, month
        for segment in rollup.segments:
            yield segment, NO_MONTH, month


def _changed(before: Mapping[Month, Measures], after: Mapping[Month, Measures]) -> dict[Month, Measures]:
    changed = {}
    for month in before.keys() | after.keys():
        was, becomes = before.get(month, NOTHING), after.get(month, NOTHING)
        if was != becomes:
            changed[month] = becomes + -was
    return changed
