"""The program, indexed for the way it is used: which rules and milestones an event type may concern."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.rewards.domain.concerns import Concern
from shared.program.model.campaigns import Campaign, Goal
from shared.program.model.earn import EarnRule
from shared.program.model.program import Milestone, Program
from shared.program.vocabulary.fields import REWARDS_EVENTS

CHANGES = frozenset({"stage.changed", "segment.entered", "segment.left"})
"""Occasions that an activity of any type may carry among its changes."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A program version ready to decide with. `code_key` is the secret from which offer codes derive.

    `concerns` by the type of event, `other_concern` for all others. `campaigns` by the type of their occasion,
    `campaign_order` by their place in the file, `goals` by the type of the event that reaches them, then by campaign.
    `promised`: since when the versions in force have said, without a break, that a tier brings an offer, by tier and
    offer. Missing: for longer than any of its codes is good, or it does not matter which version follows which.
    """

    program: Program
    code_key: bytes = field(repr=False)
    rules: dict[str, tuple[EarnRule, ...]]
    milestones: dict[str, tuple[Milestone, ...]]
    open_milestones: tuple[Milestone, ...]
    concerns: Mapping[str, Concern]
    other_concern: Concern
    campaigns: Mapping[str, tuple[Campaign, ...]] = field(default_factory=dict)
    campaign_order: Mapping[str, int] = field(default_factory=dict)
    campaigns_on_changes: bool = False
    campaigns_on_outcomes: frozenset[str] = frozenset()
    goals: Mapping[str, Mapping[str, Goal]] = field(default_factory=dict)
    promised: Mapping[tuple[str, str], datetime] = field(default_factory=dict)

    def concerning(self, type_: str) -> Concern:
        """What events of the type may concern."""
        return self.concerns.get(type_, self.other_concern)

    @property
    def arm_salt(self) -> bytes:
        """What makes the arms of one installation differ from those of another."""
        return self.code_key

    @classmethod
    def of(cls, program: Program, code_key: bytes) -> "Rulebook":
        """Index a program. Rules that multiply come after those that they multiply."""
        rules: dict[str, list[EarnRule]] = defaultdict(list)
        for rule in sorted(program.points.earn, key=lambda rule: rule.multiply is not None):
            rules[rule.on].append(rule)
        milestones: dict[str, list[Milestone]] = defaultdict(list)
        for milestone in program.milestones:
            if milestone.on is not None:
                milestones[milestone.on].append(milestone)
        campaigns: dict[str, list[Campaign]] = defaultdict(list)
        goals: dict[str, dict[str, Goal]] = defaultdict(dict)
        for campaign in program.campaigns:
            campaigns[campaign.on].append(campaign)
            if campaign.success is not None:
                goals[campaign.success.on][campaign.id] = campaign.success
        always = tuple(m for m in program.milestones if m.on is None)
        return cls(
            program=program,
            code_key=code_key,
            rules={on: tuple(found) for on, found in rules.items()},
            milestones={on: tuple(found) for on, found in milestones.items()},
            open_milestones=always,
            concerns={
                on: Concern.of(rules.get(on, ()), (*milestones.get(on, ()), *always))
                for on in rules.keys() | milestones.keys()
            },
            other_concern=Concern.of((), always),
            campaigns={on: tuple(found) for on, found in campaigns.items()},
            campaign_order={campaign.id: place for place, campaign in enumerate(program.campaigns)},
            campaigns_on_changes=not CHANGES.isdisjoint(campaigns),
            campaigns_on_outcomes=frozenset(campaigns) & REWARDS_EVENTS.keys(),
            goals=dict(goals),
        )
