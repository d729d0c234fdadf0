"""What time alone does to a tier: it ends or goes on, its end is told ahead, it brings what it brings each period."""

from datetime import datetime

from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import ZERO
from services.rewards.domain.tiering import counting, tiers
from services.rewards.domain.tiering.benefits import give_benefits
from services.rewards.domain.tiering.counting import Calendar
from services.rewards.domain.tiering.standing import GRACE, GRANTED, earned, level_for, with_grants
from shared.program.model.program import Program
from shared.program.model.tiers import Tiers
from shared.program.values.calendar import last_day


def pass_time(member: Member, rulebook: Rulebook, changes: Changes, *, same_program: bool) -> None:
    """Do what is due by now, each once: benefits, the end of the tier, word of an end that comes; and note what is due
    next. All that counts, grants and benefits must be loaded. With `same_program` the tier was last decided under this
    very program: before its end there is nothing to decide."""
    rules = rulebook.program.tiers
    if rules is None:
        return  # what is due stays so until there are tiers again
    changes.stand(member)
    if member.merged_into is not None:
        _note_due(member, rules, None)
        return
    next_one = _give(member, rules, rulebook, changes)
    over = _is_over(member, changes.now)
    if over or not same_program:
        _decide(member, rules, rulebook.program, changes, over=over)
        next_one = _give(member, rules, rulebook, changes)
    notice = _notice(member, rules, rulebook.program, changes)
    _note_due(member, rules, _earlier(_earlier(next_one, member.tier_until), notice))


def arrived(changes: Changes) -> dict[str, Member]:
    """The members who have just come to a tier, under the program in force, that has something for them by now and is
    not over already, by id; and all whom history brought to theirs."""
    members = {change.customer_id: changes.standings[change.customer_id] for change in changes.tiers}
    return {
        id_: member
        for id_, member in members.items()
        if id_ in changes.by_history or _is_due(member, changes.now)
    }


def _is_due(member: Member, now: datetime) -> bool:
    return not _is_over(member, now) and member.tier_due is not None and member.tier_due <= now


def _is_over(member: Member, now: datetime) -> bool:
    return member.tier_until is not None and member.tier_until <= now


def bring_at_once(member: Member, rulebook: Rulebook, changes: Changes) -> None:
    """What the tier brings a member who has `arrived`; and note what is due next. Benefits must be loaded, and nothing
    else: a notice that is due as well needs all that counts, and stays due. Whom history brought there is taken to have
    had it: else it would come as soon as time has anything to do about the tier, such as word of its end."""
    rules = rulebook.program.tiers
    assert rules is not None
    member.part = None  # a tier is the whole member's
    next_one = _give(member, rules, rulebook, changes, had=member.customer_id in changes.by_history)
    notice = _notice_at(member, rules, rulebook.program, changes)
    _note_due(member, rules, _earlier(_earlier(next_one, member.tier_until), notice))


def _note_due(member: Member, rules: Tiers, due: datetime | None) -> None:
    """When time next has something to do about the tier, by what these rules promise."""
    member.tier_due = due
    member.tier_promise = rules.levels[tiers.current_level(rules, member)].promise


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _give(
    member: Member, rules: Tiers, rulebook: Rulebook, changes: Changes, *, had: bool = False
) -> datetime | None:
    """What the tier brings by now; when the next of it is due."""
    if member.tier is None:
        return None
    level = rules.levels[tiers.current_level(rules, member)]
    return give_benefits(member, level, rulebook, changes, had=had)


def _decide(member: Member, rules: Tiers, program: Program, changes: Changes, *, over: bool) -> None:
    """Look at the tier anew. Before it is over it can only rise, though the program may ask for more by now."""
    now = changes.now
    standing = tiers.present(member, program, now)
    if not over and standing.level <= tiers.current_level(rules, member):
        return
    reason = "grant_ended" if over and member.tier_status == GRANTED else "review"
    cause = f"{reason}:{min(member.tier_until or now, now).isoformat()}"
    tiers.apply(member, standing, program, changes, cause=cause, reason=reason)


def _notice(member: Member, rules: Tiers, program: Program, changes: Changes) -> datetime | None:
    """Tell, once for each end, that the tier is about to be lost, if it is by what counts so far; when to look, if that
    is still to come."""
    at, end = _notice_at(member, rules, program, changes), member.tier_until
    if at is None or at > changes.now:
        return at
    assert end is not None
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


def _notice_at(member: Member, rules: Tiers, program: Program, changes: Changes) -> datetime | None:
    """When to tell that the tier's end comes; None where there is nothing to tell, or it has been told."""
    end = member.tier_until
    if not changes.tells or rules.notice_before is None or end is None or member.tier_noticed == end:
        return None
    return rules.notice_before.before(end, program.time_zone)


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
    counts = counting.total(items, calendar.start_for_review(end))
    missing = max(rules.levels[current].at - counts, ZERO)
    level = max(current - 1, 0)
    if rules.downgrade == "earned":
        level = min(level, level_for(rules, counts))
    return rules.levels[level].id, str(missing)
