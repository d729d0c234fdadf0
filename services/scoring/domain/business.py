"""The business account that a customer belongs to."""

from datetime import datetime

from msgspec import Struct


class Business(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As last told. `renews_on` is a day as `date.toordinal` numbers it, that of the contract signed last."""

    account_id: str | None = None
    industry: str | None = None
    size: int | None = None
    role: str | None = None
    contracts: int = 0
    renews_on: int | None = None
    reviews_held: int = 0
    reviews_missed: int = 0
    last_review_at: datetime | None = None
    missed_in_row: int = 0


NO_BUSINESS = Business()
