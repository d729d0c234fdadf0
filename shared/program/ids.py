"""Ids: each names one thing for ever, since the ledger names the rule behind every point.

Rules (earning, milestones, campaigns, tiers), offers, rewards and segments each have ids of their own. A rule and an
offer may share a name, as the milestone `birthday` and its offer do; two rules may not, wherever they stand.
"""

import re
from collections.abc import Set
from dataclasses import dataclass, field

from shared.program.faults import Faults, Place, suggestion
from shared.program.model import Program

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


@dataclass(slots=True)
class Ids:
    """The ids that a file defines and uses. `retired` are those of earlier versions: `kind:id`, or `id` of any kind."""

    faults: Faults
    retired: Set[str] = frozenset()
    _defined: dict[tuple[str, str], Place] = field(default_factory=dict)
    _used: list[tuple[str, str, Place, str]] = field(default_factory=list)
    _shared: set[tuple[str, str]] = field(default_factory=set)

    def define(self, kind: str, name: str, place: Place, path: str) -> None:
        """Notes that the file defines this id here; a fault when it may not."""
        first = self._defined.setdefault((kind, name), place)
        if not is_id(name):
            hint = "Use small letters, digits and hyphens, such as gold-15."
            self.faults.add(place, path, f"{name!r} cannot be an id.", hint)
        elif first != place:
            message = f"The id {name} is used twice (see line {first.line})."
            self.faults.add(place, path, message, "Each id names one thing for ever.")
        elif kind == RULE and name in RESERVED:
            message = f"The id {name} is reserved for entries that the ledger makes itself."
            self.faults.add(place, path, message, "Choose another one.")
        elif name in self.retired or f"{kind}:{name}" in self.retired:
            message = f"The id {name} was used and removed before; the ledger still names it."
            self.faults.add(place, path, message, f"Choose a new one, such as {name}-2.")

    def use(self, kind: str, name: str, place: Place, path: str) -> None:
        """Notes that the file relies on this id, which may be defined further down."""
        self._used.append((kind, name, place, path))

    def share(self, kind: str, name: str) -> None:
        """Notes that this is everybody's, and so cannot be given to single customers."""
        self._shared.add((kind, name))

    def check_uses(self) -> None:
        """Notes a fault for each id that is used but nowhere defined, or everybody's anyway."""
        for kind, name, place, path in self._used:
            if self.faults.full:
                return
            if (kind, name) in self._shared:
                message = f"The {kind} {name} has a code for everybody, and is not given to single customers."
                self.faults.add(place, path, message, f"Give a {kind} without code.")
            elif (kind, name) not in self._defined:
                known = [found for other, found in self._defined if other == kind]
                hint = suggestion(name, known) or f"Define it under {kind}s."
                self.faults.add(place, path, f"There is no {kind} {name}.", hint)


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
