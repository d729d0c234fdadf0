"""The accounts of the ledger and the entries between them.

An entry is one transfer: it debits one account and credits another by the same points, so every entry balances by
construction and the ledger as a whole always sums to zero. A customer's balance in an account is what was
credited there less what was debited. `docs/ledger.md` draws the whole picture.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Account(StrEnum):
    """Where points are. `CUSTOMER_*` belong to the entry's customer, the others to the program."""

    ISSUED = "program:issued"
    REDEEMED = "program:redeemed"
    EXPIRED = "program:expired"
    ADJUSTED = "program:adjusted"
    MERGED = "program:merged"
    PENDING = "customer:pending"
    AVAILABLE = "customer:available"
    RESERVED = "customer:reserved"
    DEBT = "customer:debt"


class Kind(StrEnum):
    """Why points moved."""

    EARN = "earn"
    RELEASE_PENDING = "release_pending"
    RESERVE = "reserve"
    CONFIRM = "confirm"
    RELEASE = "release"
    RETURN = "return"
    EXPIRE = "expire"
    REVERSE = "reverse"
    SETTLE = "settle"
    ADJUST = "adjust"
    MERGE = "merge"
    RESTORE = "restore"
    RENEW = "renew"


class Entry(NamedTuple):
    """One row of the ledger, its fields in the order of the table's columns.

    `number` counts a customer's entries from 1 without gaps. `at` is when it happened by the shop's clock,
    `recorded_at` when it was written. `lot` is the lot the points belong to. `key` says in words what the entry is
    for; a customer has each key once, for ever.
    """

    customer_id: str
    number: int
    at: datetime
    recorded_at: datetime
    kind: Kind
    debit: Account
    credit: Account
    points: int
    lot: int | None
    rule: str | None
    cause: str
    program_version: int
    key: str


_ISSUED, _PENDING, _AVAILABLE = Account.ISSUED, Account.PENDING, Account.AVAILABLE
_OWN = (Account.PENDING, Account.AVAILABLE, Account.RESERVED, Account.DEBT)

MOVES: dict[Kind, frozenset[tuple[Account, Account]]] = {
    Kind.EARN: frozenset({(_ISSUED, _PENDING), (_ISSUED, _AVAILABLE)}),
    Kind.RELEASE_PENDING: frozenset({(_PENDING, _AVAILABLE)}),
    Kind.RESERVE: frozenset({(_AVAILABLE, Account.RESERVED)}),
    Kind.CONFIRM: frozenset({(Account.RESERVED, Account.REDEEMED)}),
    Kind.RELEASE: frozenset({(Account.RESERVED, _AVAILABLE)}),
    Kind.RETURN: frozenset({(Account.REDEEMED, _AVAILABLE)}),
    Kind.EXPIRE: frozenset({(_AVAILABLE, Account.EXPIRED)}),
    Kind.REVERSE: frozenset(
        (debit, _ISSUED) for debit in (_PENDING, _AVAILABLE, Account.DEBT, Account.EXPIRED)
    ),
    Kind.SETTLE: frozenset({(_AVAILABLE, Account.DEBT)}),
    Kind.ADJUST: frozenset({(Account.ADJUSTED, _AVAILABLE), (_AVAILABLE, Account.ADJUSTED)}),
    Kind.MERGE: frozenset(pair for own in _OWN for pair in ((own, Account.MERGED), (Account.MERGED, own))),
    Kind.RESTORE: frozenset({(_ISSUED, _PENDING), (_ISSUED, _AVAILABLE)}),
    Kind.RENEW: frozenset({(Account.EXPIRED, _AVAILABLE)}),
}
"""From which account to which each kind of entry moves points."""

OWNED = frozenset({Account.AVAILABLE, Account.PENDING, Account.DEBT})
"""The accounts whose sum a customer sees as points available and pending."""


def signed_points(debit: str, credit: str, points: int) -> int:
    """What a transfer does to available and pending points together: the `points` that the API shows.

    Summed over all of a customer's entries this is exactly `available + pending`.
    """
    return points * ((credit in OWNED) - (debit in OWNED))
