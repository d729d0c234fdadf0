"""The books: what is owed to customers and how it changed, day by day. Every figure is a sum of ledger entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.rewards.domain.state.accounts import Account

_CUSTOMER = frozenset({Account.AVAILABLE, Account.PENDING, Account.RESERVED, Account.DEBT})


@dataclass(slots=True, kw_only=True)
class Day:
    """Points that moved on one day. `earned` less `taken_back`, `spent` less `returned`, `expired` less what came back,
    `adjusted` (by hand, with its sign) change what is owed; `owed` is what customers had when the day ended: available,
    pending and reserved, less debt. `breakage` is what expired for good: less what came back, and less what refunds
    took of it."""

    day: date
    earned: int = 0
    taken_back: int = 0
    spent: int = 0
    returned: int = 0
    expired: int = 0
    renewed: int = 0
    adjusted: int = 0
    breakage: int = 0
    owed: int = 0

    def change(self) -> int:
        """By how much what is owed changed."""
        return (
            self.earned
            - self.taken_back
            - self.spent
            + self.returned
            - self.expired
            + self.renewed
            + self.adjusted
        )

    def add(self, debit: Account, credit: Account, points: int) -> None:
        """Count entries from one account to another."""
        into = credit in _CUSTOMER
        if debit is Account.ISSUED:
            self.earned += points
        elif credit is Account.ISSUED and debit is Account.EXPIRED:
            self.breakage -= points
        elif credit is Account.ISSUED:
            self.taken_back += points
        elif credit is Account.REDEEMED:
            self.spent += points
        elif debit is Account.REDEEMED:
            self.returned += points
        elif credit is Account.EXPIRED:
            self.expired += points
            self.breakage += points
        elif debit is Account.EXPIRED:
            self.renewed += points
            self.breakage -= points
        elif Account.ADJUSTED in {debit, credit}:
            self.adjusted += points if into else -points


def books(first: date, last: date, moved: Iterable[tuple[date, Account, Account, int]]) -> list[Day]:
    """Every day from `first` to `last`. `moved` has the sums of all entries that there ever were, by day and accounts;
    those of all days before `first` may be of any of them."""
    days: dict[date, Day] = {}
    for day, debit, credit, points in moved:
        days.setdefault(day, Day(day=day)).add(debit, credit, points)
    owed = sum(day.change() for name, day in days.items() if name < first)
    told = []
    for number in range((last - first).days + 1):
        name = first + timedelta(number)
        one = days.get(name) or Day(day=name)
        owed += one.change()
        one.owed = owed
        told.append(one)
    return told


def balances_before(
    now: Mapping[Account, int], moved: Iterable[tuple[Account, Account, int]]
) -> dict[Account, int]:
    """A customer's balances before these entries, from those after them; debt counts below zero."""
    before = dict(now)
    for debit, credit, points in moved:
        for account, change in ((debit, points), (credit, -points)):
            if account in before:
                before[account] += change
    return before
