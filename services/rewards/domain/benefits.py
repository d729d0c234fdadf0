"""What a tier brings again and again: an offer for each period, such as a code each month.

Periods are counted from the first time that a customer had the benefit, for ever: whoever loses the tier and reaches it
again within a period gets nothing twice.
"""

from datetime import datetime

from services.rewards.domain.changes import Changes
from services.rewards.domain.counting import MOMENT
from services.rewards.domain.member import BenefitRun, Member
from services.rewards.domain.offers import issue_offer
from services.rewards.domain.recurring import begins, period_of, recurring
from services.rewards.domain.rulebook import Rulebook
from shared.program.tiering import TierLevel

_CAUSE = "benefit:"


def is_benefit(cause: str | None) -> bool:
    """Whether an offer of this cause is one that a tier brings."""
    return cause is not None and cause.startswith(_CAUSE)


def give_benefits(member: Member, level: TierLevel, rulebook: Rulebook, changes: Changes) -> datetime | None:
    """Issue what the level has brought by now, or by the end of its time; when the next one is due.

    Offers that were missed, because nobody could look when they were due, are made up for while they would still be
    good.
    """
    program, zone, now = rulebook.program, rulebook.program.time_zone, changes.now
    over = member.tier_until is not None and member.tier_until <= now
    moment = member.tier_until - MOMENT if over and member.tier_until is not None else now
    since = member.tier_since or moment
    due: list[datetime] = []
    for offer, every in recurring(level):
        template = program.offers[offer]
        run = member.benefits.get((level.id, offer))
        if run is None:
            run = BenefitRun(since, max(period_of(since, every, moment, zone), 0) - 1)
            member.benefits[level.id, offer] = run
        present = period_of(run.anchor, every, moment, zone)
        if present > run.issued:
            first = run.issued + 1
            if first < present or since > moment:  # mostly it is the next one alone
                first = max(first, period_of(run.anchor, every, since, zone))
            for number in range(first, present + 1):
                if number < present:
                    begun = begins(run.anchor, every, number, zone)
                    until = template.good_until(begun, zone)
                    if begun < since or (until is not None and until <= now):
                        continue
                _issue(member, level, offer, run, number, rulebook, changes)
            run.issued, run.changed = present, True
        due.append(begins(run.anchor, every, present + 1, zone))
    return min(due, default=None)


def _issue(  # noqa: PLR0917
    member: Member,
    level: TierLevel,
    offer: str,
    run: BenefitRun,
    number: int,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Issue it for one period. The cause says which, so that the code is the same however often it is tried."""
    if changes.only_counts(offer, recurring=True):
        return
    issue_offer(
        member,
        rulebook,
        changes,
        offer=offer,
        rule=level.id,
        cause=f"{_CAUSE}{level.id}/{offer}/{run.anchor:%Y%m%dT%H%M%S%f}/{number}",
        historical=False,
    )
