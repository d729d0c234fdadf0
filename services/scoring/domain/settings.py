"""What the fold and the assessment take from the program: currency, zone, thresholds."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from zoneinfo import ZoneInfo

from services.scoring.domain.due.occasions import NOTHING_WATCHED, Watch
from services.scoring.domain.money import Units, units
from services.scoring.domain.score.plan import Plan
from services.scoring.domain.segments.ranking import UNRANKED, Ranking
from shared.program.conditions.condition import Condition
from shared.program.conditions.segments import NO_SEGMENTS, SegmentRules
from shared.program.model.program import Program, Stages
from shared.program.model.score import Score
from shared.program.values.period import Period

FOLD_VERSION = 5
"""Raise it with every change that gives the same events another state, or the same state another score: all customers
are folded anew."""

DEFAULT_PLAN = Plan.of(Score())

GOOD_YEAR = units("200")
"""What a good customer spends in 12 months, in units of the program's currency, where the program has no tiers."""


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """The shop's choices, as far as scoring needs them.

    `lapsed_after`, `churned_after`, `at_risk` and the numbers of orders are the thresholds of the lifecycle;
    `at_risk` is (numerator, denominator) of how many times the customer's own order interval may pass in silence.
    `good_year` is the spend in 12 months that gives half of the spend part, in `currency`. `segments` are those that
    count now, and `ranking` is how all customers compared when they last were. `plan` is what the score is made of.
    `watch` is what campaigns ask for that only time or silence brings.
    """

    currency: str
    zone: ZoneInfo
    lapsed_after: Period
    churned_after: Period
    at_risk: tuple[int, int]
    active_orders: int
    loyal_orders: int
    won_back_orders: int
    good_year: Units = GOOD_YEAR
    segments: SegmentRules = NO_SEGMENTS
    ranking: Ranking = UNRANKED
    plan: Plan = DEFAULT_PLAN
    watch: Watch = NOTHING_WATCHED

    @property
    def fold_digest(self) -> str:
        """A digest of all that takes part in the fold: as long as it is the same, a state is what it would be anew."""
        parts = (
            FOLD_VERSION,
            self.currency,
            self.zone.key,
            self.lapsed_after,
            self.churned_after,
            self.at_risk,
            self.active_orders,
            self.loyal_orders,
            self.won_back_orders,
        )
        return blake2b(repr(parts).encode(), digest_size=16).hexdigest()

    @classmethod
    def of(cls, program: Program) -> "ScoreSettings":
        """The settings of a program; the first tier above nothing is what it calls a good year."""
        reachable = [level.at for level in program.tiers.levels if level.at > 0] if program.tiers else []
        return cls.by_stages(
            program.stages,
            program.currency,
            program.time_zone,
            units(str(reachable[0])) if reachable else GOOD_YEAR,
            segments=program.segments,
            plan=Plan.of(program.score),
            watch=Watch.of(program),
        )

    @classmethod
    def by_stages(
        cls,
        stages: Stages,
        currency: str,
        zone: ZoneInfo,
        good_year: Units = GOOD_YEAR,
        *,
        segments: Mapping[str, Condition] | None = None,
        plan: Plan = DEFAULT_PLAN,
        watch: Watch = NOTHING_WATCHED,
    ) -> "ScoreSettings":
        """The settings with these thresholds of the lifecycle."""
        return cls(
            currency=currency,
            zone=zone,
            lapsed_after=stages.lapsed_after,
            churned_after=stages.churned_after,
            at_risk=stages.at_risk_at.as_integer_ratio(),
            active_orders=stages.active_orders,
            loyal_orders=stages.loyal_orders,
            won_back_orders=stages.won_back_orders,
            good_year=good_year,
            segments=SegmentRules(segments) if segments else NO_SEGMENTS,
            plan=plan,
            watch=watch,
        )
