"""Ids: each names one thing for ever, since the ledger names the rule behind every point.

Rules (earning, milestones, campaigns, tiers), offers, rewards and segments each have ids of their own. A rule and an
offer may share a name, as the milestone `birthday` and its offer do; two rules may not, wherever they stand.
"""

import re

from shared.program.model.program import Program

RULE = "rule"
OFFER = "offer"
REWARD = "reward"
SEGMENT = "segment"
PART = "part"
TEMPLATE = "template"

LENGTH_MAX = 64
_ID = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*\Z", re.ASCII)

RESERVED = frozenset(
    {
        "adjustment",
        "cancellation",
        "expiry",
        "import",
        "merge",
        "opening-balance",
        "redemption",
        "refund",
        "release",
        "reversal",
    }
)
"""What the ledger calls its own entries; no rule may be named so."""


def is_id(name: str) -> bool:
    """Whether this can be an id: small letters and digits, with hyphens, dots or underscores between."""
    return len(name) <= LENGTH_MAX and _ID.match(name) is not None


def ids_of(program: Program) -> frozenset[str]:
    """All ids of a program as `kind:id`."""
    rules = [
        *(rule.id for rule in program.points.earn),
        *(level.id for level in (program.tiers.levels if program.tiers else ())),
        *(milestone.id for milestone in program.milestones),
        *(campaign.id for campaign in program.campaigns),
        *([program.points.referral.id] if program.points.referral else ()),
    ]
    named = {RULE: rules, OFFER: list(program.offers), REWARD: list(program.rewards)}
    named[SEGMENT] = list(program.segments)
    return frozenset(f"{kind}:{name}" for kind, names in named.items() for name in names)


def retired_after(previous: Program, following: Program) -> frozenset[str]:
    """The ids (`kind:id`, or `id` of any kind) that no version after `following` may use: all that were ever used up to
    it, and are not any more. After a rollback `following` may use again what `previous` had given up."""
    used = ids_of(following)
    names = {one.partition(":")[2] for one in used}
    retired = previous.removed_ids | following.removed_ids | ids_of(previous)
    return frozenset(one for one in retired if one not in used and one not in names)
