"""Offers: codes of single customers and codes for everybody, what they give, and who may use them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.terms import Claimant, Reason, Unmet, unmet
from shared.program.model.offers import OfferTemplate, code_letters, code_of
from shared.program.model.program import Program


def normal_code(typed: str) -> str:
    """A code as it is stored, from what a customer typed: case, spaces and dashes do not matter, 0 is O, 1 is I."""
    return code_of(code_letters(typed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An issued offer as it stands."""

    code: str
    customer_id: str
    offer: str
    rule: str
    cause: str
    program_version: int
    issued_at: datetime
    valid_until: datetime
    uses: int
    used: int
    revoked_at: datetime | None
    percent: Decimal | None
    amount: Decimal | None
    free_shipping: bool
    gift: str | None
    currency: str

    def ended(self, now: datetime) -> Reason | None:
        """Why nobody can use it any more; None while its customer can, terms of the order aside."""
        if self.revoked_at is not None:
            return Reason.REVOKED
        if self.used >= self.uses:
            return Reason.USED
        return Reason.EXPIRED if self.valid_until <= now else None

    def template(self, program: Program) -> OfferTemplate:
        """What it gives and on which terms, as the program said when it was issued: `program` is of that version."""
        found = program.offers.get(self.offer)
        return found or OfferTemplate(
            id=self.offer,
            valid_for=None,
            uses=self.uses,
            percent=self.percent,
            amount=self.amount,
            free_shipping=self.free_shipping,
            gift=self.gift,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code that there is, and its offer: a customer's own (`issued`), or, without, one for everybody."""

    code: str
    offer: OfferTemplate
    issued: Offer | None = None

    def may_be_tried_by(self, customer_id: str | None) -> bool:
        """Whether this customer may learn anything of it; None is one of whom nothing is known."""
        return self.issued is None or self.issued.customer_id == customer_id

    def refusal(
        self, cart: Cart, claimant: Claimant, beside: Collection[bool], program: Program, now: datetime
    ) -> Unmet | None:
        """Why it cannot be used for this order now; None if it can. `beside` tells of each other code on the order
        whether it is combinable; `program` is the version of now, which says what a tier is."""
        ended = self.issued.ended(now) if self.issued is not None else None
        if ended is not None:
            return Unmet(ended, DETAILS[ended])
        missing = unmet(self.offer, cart, claimant, program, now)
        if missing is None and beside and not (self.offer.combinable and all(beside)):
            return Unmet(Reason.NOT_COMBINABLE, DETAILS[Reason.NOT_COMBINABLE])
        return missing

    def uses_left(self, uses: int, used_now: int) -> int | None:
        """How often its customer may use it still, after `used_now` more; `uses` of the offer were theirs until now.
        None without end, and where a limit counts anew with time."""
        limit = self.offer.terms.limit
        left = [limit.times - uses - used_now] if limit is not None and limit.per is None else []
        if self.issued is not None:
            left.append(self.issued.uses - self.issued.used - used_now)
        return max(min(left), 0) if left else None


def shared_codes(program: Program) -> dict[str, OfferTemplate]:
    """The offers with a code for everybody, by what tells one code from another."""
    return {code_letters(offer.code): offer for offer in program.offers.values() if offer.code is not None}


DETAILS = {
    Reason.UNKNOWN: "There is no such code for this customer.",
    Reason.USED: "The code has been used as often as it may be.",
    Reason.EXPIRED: "The code has expired.",
    Reason.REVOKED: "The code is no longer valid.",
    Reason.NOT_COMBINABLE: "The code does not go together with the other codes of this order.",
    Reason.ORDER_CANCELLED: "The order was cancelled, or refunded in full.",
}
