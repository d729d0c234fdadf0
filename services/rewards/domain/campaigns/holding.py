"""Whether what a campaign began on still holds, when it has waited: nobody who is back is told that they are missed."""

from services.rewards.domain.campaigns.occasions import ASKED, ENTERED, LEFT, STAGE, Occasion
from services.rewards.domain.changes import Changes
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run, State
from services.rewards.domain.tiering import tiers
from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionContext
from shared.program.model.campaigns import Campaign

TIER = "tier.changed"


def holds_still(campaign: Campaign, occasion: Occasion, member: Member, rulebook: Rulebook) -> bool:
    """Whether a campaign that has waited is still meant: its condition holds by the facts of now (`occasion.facts`),
    and the customer still is in the stage, segment or tier whose change it began on. Of whom no facts are known any
    more, nothing has changed as far as is known."""
    if not campaign.recheck:
        return True
    if occasion.type == TIER and not _still_there(occasion, member, rulebook):
        return False
    facts = occasion.facts
    if facts is None:
        return True
    if not _unchanged(occasion, facts):
        return False
    if campaign.when is None or _asks_what_was_not_kept(campaign.when, occasion):
        return True
    return ConditionContext(facts, occasion.event).holds(campaign.when)


def end_unmet(member: Member, run: Run, changes: Changes) -> None:
    """End a run whose occasion does not hold any more: nothing is done."""
    run.state, run.event, run.changed = State.UNMET, None, True
    changes.keep_run(member, run)


def _asks_what_was_not_kept(when: Condition, occasion: Occasion) -> bool:
    """Whether it asks of the event what was not kept: of runs that began before anything was asked again."""
    asked = {one.key for one in (*when.variables, *(when.flags or ())) if one.root == "event"}
    return isinstance(occasion.event, dict) and not asked.isdisjoint(set(ASKED) - occasion.event.keys())


def _unchanged(occasion: Occasion, facts: Facts) -> bool:
    if occasion.type == STAGE:
        return occasion.told.get("to") == facts.stage
    if occasion.type in {ENTERED, LEFT}:
        return (occasion.told.get("segment") in facts.segments) == (occasion.type == ENTERED)
    return True


def _still_there(occasion: Occasion, member: Member, rulebook: Rulebook) -> bool:
    rules = rulebook.program.tiers
    return rules is not None and rules.levels[tiers.current_level(rules, member)].id == occasion.told.get(
        "to"
    )
