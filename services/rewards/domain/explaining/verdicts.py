"""What each rule made of one event, and why not, if nothing: the decision made again on what was known before it.

No rule is judged here by a logic of its own: conditions are asked part by part (`shared.program.conditions.trace`),
and all else by `decide`, which says through `Changes.skip` what kept a rule from giving.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.rewards.domain.changes import Changes
from services.rewards.domain.concerns import Match
from services.rewards.domain.decide import decide
from services.rewards.domain.matching import match
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Skip, Why
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member
from shared.contracts.activity import Activity
from shared.program.conditions.condition import ConditionContext
from shared.program.conditions.trace import Trace, trace
from shared.program.model.campaigns import Campaign
from shared.program.model.earn import EarnRule, Referral
from shared.program.model.program import Milestone

Rule = EarnRule | Milestone | Referral | Campaign


@dataclass(frozen=True, slots=True)
class Given:
    """What the ledger and the list of codes say that a rule gave for an event: points in all, the numbers of the
    entries that posted them, and the codes."""

    points: int = 0
    entries: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


NOTHING = Given()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule made of one event. `why` is None where it gave what it gives; `rule` None where there is no rule
    of that id. `condition` is the rule's own, traced on the facts right after the event."""

    id: str
    rule: Rule | None
    given: Given
    why: Why | None
    condition: Trace | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def as_before(member: Member, activity: Activity, tier: str | None, later: Collection[str] = ()) -> Member:
    """The member as if neither the activity nor those that were decided `later` had happened: without what they used
    up, reached and ordered, and in the `tier` of then. What no rule asks for stays as it is."""
    undone = {activity.id, *later}
    member.uses = {
        rule: [use for use in uses if use.cause not in undone] for rule, uses in member.uses.items()
    }
    member.milestones = {name: use for name, use in member.milestones.items() if use.cause not in undone}
    lots = {lot_number(cause) for cause in undone}
    member.purchases = {
        order: purchase for order, purchase in member.purchases.items() if purchase.lot not in lots
    }
    member.tier = tier
    return member


def verdicts(
    activity: Activity,
    before: Member,
    rulebook: Rulebook,
    given: Mapping[str, Given],
    *,
    now: datetime,
    rule: str | None = None,
) -> list[Verdict]:
    """What every rule and milestone that waits for such an event made of it, or what `rule` did.

    `before` holds the state that `needs` of the activity asks for, as before it; it is used up. `given` says, by rule,
    what was really given; `now` is when it was decided.
    """
    matched = match(activity, rulebook)
    skips = _skips(activity, matched, before, rulebook, given, now)
    context = ConditionContext.of(activity)
    asked = [one for one in _concerned(activity, rulebook) if rule in {None, one.id}]
    found = [_verdict(one, before, matched, context, skips, given) for one in asked]
    others = [id_ for id_ in given if rule is None and id_ not in {one.id for one in asked}]
    if rule is not None and not found:
        others.append(rule)
    return [*found, *(_elsewhere(id_, rulebook, given) for id_ in others)]


def _concerned(activity: Activity, rulebook: Rulebook) -> Iterator[Rule]:
    yield from rulebook.rules.get(activity.type, ())
    yield from rulebook.milestones.get(activity.type, ())
    yield from rulebook.open_milestones


def _skips(  # noqa: PLR0917
    activity: Activity,
    matched: Match,
    before: Member,
    rulebook: Rulebook,
    given: Mapping[str, Given],
    now: datetime,
) -> dict[str, Skip]:
    changes = Changes(now, rulebook.program.version, skips=[])
    # How much was left for all customers together is not kept: if a rule gave nothing, nothing was left for it.
    changes.budgets = {
        rule.id: Budget(0)
        for rule in matched.rules
        if rule.cap is not None and rule.cap.program is not None and not given.get(rule.id, NOTHING).points
    }
    decide(activity, matched, before, rulebook, changes)
    return {skip.rule: skip for skip in changes.skips or ()}


def _verdict(  # noqa: PLR0917
    rule: Rule,
    before: Member,
    matched: Match,
    context: ConditionContext,
    skips: Mapping[str, Skip],
    given: Mapping[str, Given],
) -> Verdict:
    got = given.get(rule.id, Given())
    when = None if isinstance(rule, Referral) else rule.when
    condition = trace(when, context) if when is not None else None
    why, figures = None, {}
    if not (got.points or got.offers):
        skip = skips.get(rule.id)
        if skip is not None:
            why, figures = skip.why, {**skip.figures, **_memory(rule, skip.why, before)}
        elif rule not in (*matched.rules, *matched.milestones):
            why = Why.CONDITION if condition is not None and condition.holds is not True else Why.UNREWARDED
        else:
            why = Why.STATE_CHANGED
    return Verdict(id=rule.id, rule=rule, given=got, why=why, condition=condition, figures=figures)


def _memory(rule: Rule, why: Why, before: Member) -> dict[str, Any]:
    """What the member remembers that stood in the rule's way, the oldest first."""
    if why is Why.LIMIT:
        uses = before.uses.get(rule.id, [])
    elif why is Why.REACHED_BEFORE:
        uses = [use for name, use in before.milestones.items() if name.split("/", 1)[0] == rule.id]
    else:
        return {}
    return {
        "given_before": sorted(
            ({"at": use.at, "cause": use.cause, "points": use.points} for use in uses),
            key=lambda use: use["at"],
        )
    }


def _elsewhere(id_: str, rulebook: Rulebook, given: Mapping[str, Given]) -> Verdict:
    """A rule that waits for something else, or that there is not."""
    program = rulebook.program
    rules: list[Rule] = [*program.points.earn, *program.milestones]
    rules += [program.points.referral] if program.points.referral is not None else []
    rule = next((one for one in rules if one.id == id_), None)
    why: Why | None = Why.NOT_IN_PROGRAM if rule is None else Why.OTHER_EVENT
    return Verdict(id=id_, rule=rule, given=given.get(id_, Given()), why=None if id_ in given else why)
