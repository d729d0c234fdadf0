"""What time alone does to a tier: it ends or goes on, its end is told ahead, it brings what it brings each period."""

from datetime import datetime

from services.rewards.domain import counting, tiers
from services.rewards.domain.benefits import give_benefits
from services.rewards.domain.changes import Changes
from services.rewards.domain.counting import Calendar
from services.rewards.domain.member import Member
from services.rewards.domain.purchases import ZERO
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.standing import GRACE, GRANTED, earned, level_for, with_grants
from shared.program.calendar import last_day
from shared.program.model import Program
from shared.program.tiering import TierLevel


def pass_time(member: Member, rulebook: Rulebook, changes: Changes, *, same_program: bool = False) -> None:
    """Do what is due by now, each once: benefits, the end of the tier, word of an end that comes; and note what is due
    next. All that counts, grants and benefits must be loaded. With `same_program` the tier was last decided under this
    very program: before its end there is nothing to decide."""
    program, now = rulebook.program, changes.now
    if program.tiers is None:
        return  # what is due stays so until there are tiers again
    if member.merged_into is not None:
        member.tier_due = None
        changes.stand(member)
        return
    next_one = None
    if member.tier is not None:
        next_one = give_benefits(member, _level(member, program), rulebook, changes)
    if same_program and (member.tier_until is None or member.tier_until > now):
        due = [next_one, member.tier_until, _notice(member, program, changes)]
        member.tier_due = min((moment for moment in due if moment is not None), default=None)
        changes.stand(member)
        return
    standing = tiers.present(member, program, now)
    ended = member.tier_until or now
    reason = "grant_ended" if member.tier_status == GRANTED else "review"
    tiers.settle(member, standing, program, changes, cause=f"{reason}:{ended.isoformat()}", reason=reason)
    due = [] if member.tier is None else [give_benefits(member, _level(member, program), rulebook, changes)]
    due += [member.tier_until, _notice(member, program, changes)]
    member.tier_due = min((moment for moment in due if moment is not None), default=None)
    changes.stand(member)


def _level(member: Member, program: Program) -> TierLevel:
    assert program.tiers is not None
    return program.tiers.levels[tiers.current_level(program.tiers, member)]


def _notice(member: Member, program: Program, changes: Changes) -> datetime | None:
    """Tell, once for each end, that the tier is about to be lost, if it is by what counts so far; when to look, if that
    is still to come."""
    if not changes.tells:
        return None
    rules, end = program.tiers, member.tier_until
    if rules is None or rules.notice_before is None or end is None or member.tier_noticed == end:
        return None
    at = rules.notice_before.before(end, program.time_zone)
    if at > changes.now:
        return at
    coming = foresee(member, program, end)
    if coming is None:
        return None
    member.tier_noticed = end
    level, missing = coming
    changes.tell(
        member,
        "tier.expiring",
        id_=f"{member.customer_id}/tier-expiring/{end.isoformat()}",
        cause=f"notice:{end.isoformat()}",
        data={
            "tier": member.tier,
            "to": level,
            "until": end,
            "on": last_day(end, program.time_zone).isoformat(),
            "missing": missing,
        },
    )
    return None


def foresee(member: Member, program: Program, end: datetime) -> tuple[str, str] | None:
    """The tier that the member falls to when the present one's time is over, unless more comes to count, and how much
    more that is; None if the tier stays. A time of grace that follows is left out."""
    rules = program.tiers
    assert rules is not None
    calendar = Calendar.of(rules.basis, program.time_zone, member)
    items = counting.counted(member, rules.basis.measure)
    then = with_grants(earned(items, rules, calendar, end), member.grants, rules, end)
    current = tiers.current_level(rules, member)
    if then.level >= current and then.status != GRACE:
        return None
    counts = counting.total(items, calendar.start_for_review(end), end)
    missing = max(rules.levels[current].at - counts, ZERO)
    level = level_for(rules, counts)
    if rules.downgrade == "one_step":
        level = max(level, current - 1)
    return rules.levels[min(level, max(current - 1, 0))].id, str(missing)
