"""The business account that a customer belongs to."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Business(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The account as last told. `renews_on` is the day on which the contract signed last, `contract_id`, renews, as
    `date.toordinal` numbers it. `missed_in_row` counts reviews missed since one was held."""

    account_id: str | None = None
    industry: str | None = None
    size: int | None = None
    role: str | None = None
    contracts: int = 0
    renews_on: int | None = None
    contract_id: str | None = None
    reviews_held: int = 0
    reviews_missed: int = 0
    last_review_at: datetime | None = None
    missed_in_row: int = 0


NO_BUSINESS = Business()


def told(business: Business, type_: str, data: Mapping[str, Any], at: datetime) -> Business:
    """After an event about the account."""
    business = replace(business, account_id=data.get("account_id", business.account_id))
    match type_:
        case "account.updated":
            industry, size = data.get("industry"), data.get("size")
            return replace(
                business,
                industry=business.industry if industry is None else industry,
                size=business.size if size is None else size,
            )
        case "stakeholder.added":
            return replace(business, role=data.get("role", business.role))
        case "contract.signed":
            day = data.get("renews_on")
            renews_on = date.fromisoformat(day).toordinal() if isinstance(day, str) else business.renews_on
            return replace(
                business,
                contracts=business.contracts + 1,
                renews_on=renews_on,
                contract_id=data.get("contract_id"),
            )
        case "review.held":
            held = business.reviews_held + 1
            return replace(business, reviews_held=held, last_review_at=at, missed_in_row=0)
        case _:
            missed = business.reviews_missed + 1
            return replace(business, reviews_missed=missed, missed_in_row=business.missed_in_row + 1)
