"""What a customer has in points, at a moment: now, or before entries that were recorded since."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.rewards.domain.state.accounts import Account, Kind


@dataclass(frozen=True, slots=True)
class Balances:
    """A customer's points at one moment. `expiring` lists (moment, points), soonest first."""

    available: int
    pending: int
    reserved: int
    lifetime_earned: int
    expiring: list[tuple[datetime, int]]


class Held(NamedTuple):
    """Points of lots that are alike: whether they wait until they can be spent, and when they end (None: never, or
    after all that is asked about)."""

    waits: bool
    ends_at: datetime | None
    points: int


class Moved(NamedTuple):
    """Entries of one kind between two accounts: their sum."""

    kind: Kind
    debit: Account
    credit: Account
    points: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that a customer has, as the ledger says; `debt` is what is owed."""

    held: Collection[Held]
    reserved: int
    debt: int
    lifetime_earned: int

    def at(self, now: datetime) -> Balances:
        """The balances at `now`, whether or not the timed jobs have come by."""
        lasting = [each for each in self.held if each.ends_at is None or each.ends_at > now]
        expiring: dict[datetime, int] = defaultdict(int)
        for each in lasting:
            if each.points and each.ends_at is not None:
                expiring[each.ends_at] += each.points
        return Balances(
            sum(each.points for each in lasting if not each.waits) - self.debt,
            sum(each.points for each in lasting if each.waits),
            self.reserved,
            self.lifetime_earned,
            sorted(expiring.items()),
        )

    def before(self, moved: Iterable[Moved]) -> "Holdings":
        """With what was reserved, owed and ever earned before these entries, which are all that were recorded since."""
        reserved, debt, lifetime = self.reserved, self.debt, self.lifetime_earned
        for one in moved:
            lifetime += one.points * _TAKEN_FROM_LIFETIME.get(one.kind, 0)
            for account, change in ((one.debit, one.points), (one.credit, -one.points)):
                if account is Account.RESERVED:
                    reserved += change
                elif account is Account.DEBT:
                    debt -= change
        return replace(self, reserved=reserved, debt=debt, lifetime_earned=lifetime)


_TAKEN_FROM_LIFETIME = {Kind.EARN: -1, Kind.RESTORE: -1, Kind.REVERSE: 1}
"""Which kinds count as ever earned, and with what sign they are undone."""
