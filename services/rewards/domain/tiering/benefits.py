"""What a tier brings again and again: an offer for each period, such as a code each month.

Periods are counted from the first time that a customer had the benefit, for ever: whoever loses the tier and reaches it
again within a period gets nothing twice. Where the program comes to say another period, they are counted anew from the
beginning of the last one for which there was an offer. So a period is named once, by that beginning and its number.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from services.rewards.domain.changes import Changes
from services.rewards.domain.issuing import issue_offer
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import BenefitRun, Member
from services.rewards.domain.tiering.counting import MOMENT
from services.rewards.domain.tiering.recurring import begins, period_of
from shared.program.model.offers import OfferTemplate
from shared.program.model.tiers import TierLevel, Tiers
from shared.program.values.period import Period

_CAUSE = "benefit:"


def is_benefit(cause: str | None) -> bool:
    """Whether an offer of this cause is one that a tier brings."""
    return cause is not None and cause.startswith(_CAUSE)


def give_benefits(
    member: Member, level: TierLevel, rulebook: Rulebook, changes: Changes, *, had: bool = False
) -> datetime | None:
    """Issue what the level has brought by now, or by the end of its time; when the next one is due. What the customer
    is taken to have `had` by now, over or not, is only noted.

    Offers that were missed, because nobody could look when they were due, are made up for while they would still be
    good; not those of a time in which the program did not promise them. Who has the tier already when it is promised
    counts periods from then on.
    """
    program, zone, now = rulebook.program, rulebook.program.time_zone, changes.now
    until = None if had else member.tier_until
    moment = until - MOMENT if until is not None and until <= now else now
    since = member.tier_since or moment
    due: list[datetime] = []
    for offer, every in level.recurring:
        run = member.benefits.get((level.id, offer))
        begun = max(since, rulebook.promised.get((level.id, offer), since))
        if run is None and begun > moment:
            due.append(begun)
            continue
        if run is None:
            run = BenefitRun(begun, every, period_of(begun, every, moment, zone) - 1)
            member.benefits[level.id, offer] = run
        else:
            _recount(run, every, zone, now)
        present = period_of(run.anchor, every, moment, zone, about=run.issued + 1)
        # What was missed before a change of the period came by nobody knows which: there is one for now, or none.
        if present > run.issued and not (run.recounted and moment < now):
            numbers: Iterable[int] = (present,)
            several = run.issued + 1 < present or begun > moment  # mostly it is the next one alone
            if several and not run.recounted:
                numbers = _still_good(run, every, begun, present, program.offers[offer], zone, now)
            for number in numbers:
                if not had and not changes.only_counts(offer, recurring=True):
                    _issue(member, run, rulebook, changes, level=level.id, offer=offer, number=number)
            run.issued, run.changed = present, True
        due.append(begins(run.anchor, every, present + 1, zone))
    return min(due, default=None)


def _issue(
    member: Member,
    run: BenefitRun,
    rulebook: Rulebook,
    changes: Changes,
    *,
    level: str,
    offer: str,
    number: int,
) -> None:
    """The code of one period. It is of the part of the customer whose periods they are, and leaves with it. The cause
    names both, so that the code is the same however often it is tried, and another one than that of the customer's own
    periods, which may come to begin at the same moment."""
    member.part = run.part
    cause = member.key(f"{_CAUSE}{level}/{offer}/{run.anchor:%Y%m%dT%H%M%S%f}/{number}")
    issue_offer(member, rulebook, changes, offer=offer, rule=level, cause=cause, historical=False)
    member.part = None


def recount(member: Member, tiers: Tiers, zone: ZoneInfo, now: datetime) -> None:
    """Count periods anew wherever the program has come to say others, whether or not the member has that tier now. What
    tiers have brought must be loaded."""
    for level in tiers.levels:
        for offer, every in level.recurring:
            run = member.benefits.get((level.id, offer))
            if run is not None:
                _recount(run, every, zone, now)


def _recount(run: BenefitRun, every: Period, zone: ZoneInfo, now: datetime) -> None:
    """From the beginning of the last period that had its offer: the next is due one period of `every` after it."""
    if run.every == every:
        return
    last = begins(run.anchor, run.every or every, max(run.issued, 0), zone)
    # One that was given and is still to come was counted by other periods, by an earlier release.
    miscounted = run.issued > 0 and last > now
    if miscounted or run.every is not None:
        run.anchor = now if miscounted else last
        run.issued, run.recounted = min(run.issued, 0), True
    run.every, run.changed = every, True


def _still_good(  # noqa: PLR0917
    run: BenefitRun,
    every: Period,
    since: datetime,
    present: int,
    template: OfferTemplate,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[int]:
    """Of the periods that began from `since` on up to the `present` one, which may have begun before that, those for
    which there is none yet, and whose offers would still be good."""
    first = max(run.issued + 1, period_of(run.anchor, every, since, zone))
    good = list[int]()
    for number in range(present, first - 1, -1):  # before one that is void, all are
        begun = begins(run.anchor, every, number, zone)
        until = template.good_until(begun, zone)
        assert until is not None, "only codes of a customer's own are given"
        if number < present and (begun < since or until <= now):
            break
        good.append(number)
    return reversed(good)
