"""Offers: codes of single customers and codes for everybody, what they give, and who may use them."""

from base64 import b32encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b

from services.rewards.domain.changes import Changes, IssuedOffer
from services.rewards.domain.member import Member
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.terms import Claimant, Reason, Unmet, unmet
from shared.program.model.offers import OfferTemplate, code_letters
from shared.program.model.program import Program

CODE_CHARACTERS = 12
"""60 bits under a secret key: nobody guesses one, and two customers never share one."""


def offer_code(key: bytes, customer_id: str, offer: str, cause: str) -> str:
    """The code of an offer, such as `K7QD-2M4X-WP3A`: the same for the same cause, unguessable without the key."""
    digest = blake2b(
        f"{len(customer_id)}:{customer_id}{len(offer)}:{offer}{cause}".encode(),
        key=key,
        digest_size=10,
        person=b"regulars.offer",
    ).digest()
    letters = b32encode(digest).decode()[:CODE_CHARACTERS]
    return "-".join(letters[start : start + 4] for start in range(0, CODE_CHARACTERS, 4))


def normal_code(typed: str) -> str:
    """A code as it is stored, from what a customer typed: case, spaces and dashes do not matter, 0 is O, 1 is I."""
    letters = code_letters(typed)
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def issue_offer(
    member: Member,
    rulebook: Rulebook,
    changes: Changes,
    *,
    offer: str,
    rule: str,
    cause: str,
    historical: bool,
    occasion: str = "",
) -> None:
    """Give the customer a code for the program's offer of that name. `rule` is the milestone or tier that gives it,
    `occasion` tells apart several that one rule gives for one cause."""
    changes.touch(member)
    if changes.only_counts(offer):
        return
    program = rulebook.program
    template = program.offers[offer]
    until = template.good_until(changes.now, program.time_zone)
    assert until is not None, "only codes of a customer's own are given"
    code = offer_code(rulebook.code_key, member.customer_id, offer, f"{rule}/{cause}{occasion}")
    issued = IssuedOffer(
        code=code,
        customer_id=member.customer_id,
        offer=offer,
        rule=rule,
        cause=cause,
        program_version=program.version,
        issued_at=changes.now,
        valid_until=until,
        uses=template.uses,
        percent=template.percent,
        amount=template.amount,
        free_shipping=template.free_shipping,
        gift=template.gift,
        currency=program.currency,
        part=member.part,
    )
    changes.offers.append(issued)
    changes.tell(
        member,
        "offer.issued",
        id_=f"{cause}/offer/{rule}{occasion}",
        cause=cause,
        data={"offer": offer, "code": code, "rule": rule, "valid_until": issued.valid_until},
        historical=historical,
    )


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
