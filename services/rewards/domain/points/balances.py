"""What a customer has in points, at a moment: now, or before entries that were recorded since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from services.rewards.domain.points.accounts import Account, Kind


@dataclass(frozen=True, slots=True)
class Balances:
    """A customer's points at one moment. `expiring` lists (moment, points), soonest first."""

    available: int
    pending: int
    reserved: int
    lifetime_earned: int
    expiring: list[tuple[datetime, int]]


class Held(NamedTuple):
    """Points of one lot, by account. They wait until `available_at`, and are there until `expires_at`."""

    pending: int
    available: int
    available_at: datetime | None
    expires_at: datetime | None


class Moved(NamedTuple):
    """Entries of one kind between two accounts, and of one lot if they have any: their sum."""

    kind: Kind
    debit: Account
    credit: Account
    lot: int | None
    points: int


class LotGoneError(Exception):
    """Points moved in a lot that is another customer's now."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that a customer has, as the ledger says; `debt` is what is owed."""

    lots: Mapping[int, Held]
    reserved: int
    debt: int
    lifetime_earned: int

    def at(self, now: datetime) -> Balances:
        """The balances at `now`, whether or not the timed jobs have come by."""
        available = pending = 0
        expiring: dict[datetime, int] = defaultdict(int)
        for held in self.lots.values():
            points = held.pending + held.available
            if not points or (held.expires_at is not None and held.expires_at <= now):
                continue
            waiting = held.pending if held.available_at is not None and held.available_at > now else 0
            pending += waiting
            available += points - waiting
            if held.expires_at is not None:
                expiring[held.expires_at] += points
        return Balances(
            available - self.debt, pending, self.reserved, self.lifetime_earned, sorted(expiring.items())
        )

    def before(self, moved: Iterable[Moved]) -> "Holdings":
        """What there was before these entries, which are all that were recorded since. Raises `LotGoneError`."""
        lots = dict(self.lots)
        reserved, debt, lifetime = self.reserved, self.debt, self.lifetime_earned
        for one in moved:
            lifetime += one.points * _TAKEN_FROM_LIFETIME.get(one.kind, 0)
            for account, change in ((one.debit, one.points), (one.credit, -one.points)):
                if account is Account.RESERVED:
                    reserved += change
                elif account is Account.DEBT:
                    debt -= change
                elif account in {Account.PENDING, Account.AVAILABLE}:
                    held = lots.get(one.lot) if one.lot is not None else None
                    if one.lot is None or held is None:
                        raise LotGoneError
                    waits = account is Account.PENDING
                    lots[one.lot] = held._replace(
                        pending=held.pending + change * waits, available=held.available + change * (not waits)
                    )
        return replace(self, lots=lots, reserved=reserved, debt=debt, lifetime_earned=lifetime)


_TAKEN_FROM_LIFETIME = {Kind.EARN: -1, Kind.RESTORE: -1, Kind.REVERSE: 1}
"""Which kinds count as ever earned, and with what sign they are undone."""
