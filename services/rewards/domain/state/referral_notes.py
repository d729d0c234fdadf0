"""What activities tell of referrals, as it is noted until it is decided (see `referrals`)."""

from datetime import datetime
from typing import NamedTuple


class Bringing(NamedTuple):
    """A row of `referral_ids`: who brings friends under this id; told several times, the earliest counts."""

    referral_id: str
    customer_id: str
    at: datetime
    cause: str
    part: str | None = None


class Coming(NamedTuple):
    """A row of `referrals`: a friend who came by the referral of this id; told several times, the earliest counts.
    `due_at`: when it is decided."""

    customer_id: str
    referral_id: str
    at: datetime
    cause: str
    due_at: datetime | None
    part: str | None = None
