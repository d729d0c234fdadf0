"""What a movement of points does to what a customer sees, for each that there is."""

import pytest

from services.rewards.domain.state.accounts import MOVES, Account, Kind, signed_points
from tests.unit.rewards.points.posting import EARLIER, start


@pytest.mark.parametrize(
    ("kind", "debit", "credit"),
    [(kind, debit, credit) for kind, pairs in MOVES.items() for debit, credit in sorted(pairs)],
)
def test_an_entry_shows_what_it_does_to_available_and_pending_points(
    kind: Kind, debit: Account, credit: Account
) -> None:
    """Given a member with points everywhere; when some are moved; then the entry shows by how many more or fewer
    points the customer has than before, available, pending and owed together."""
    member, changes = start(available=50, pending=50, reserved=50, debt=50)

    changes.post(member, kind, debit, credit, 7, lot=None, rule=None, cause="c", at=EARLIER, key="k")

    assert signed_points(debit, credit, 7) == member.available + member.pending - member.debt - 50


@pytest.mark.parametrize(
    ("kind", "credit", "shown"),
    [(Kind.EARN, Account.PENDING, 7), (Kind.SETTLE, Account.DEBT, 0), (Kind.EXPIRE, Account.EXPIRED, -7)],
)
def test_points_are_shown_with_their_sign(kind: Kind, credit: Account, shown: int) -> None:
    debit = Account.ISSUED if kind is Kind.EARN else Account.AVAILABLE
    assert signed_points(debit, credit, 7) == shown
