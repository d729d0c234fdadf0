"""Offers: a code that one customer may use, and what it gives."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from hashlib import blake2b

from services.rewards.domain.changes import Changes, IssuedOffer
from services.rewards.domain.member import Member
from services.rewards.domain.redemptions import CENT
from services.rewards.domain.rulebook import Rulebook

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
    letters = "".join(c for c in typed.upper() if c.isalnum()).replace("0", "O").replace("1", "I")
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
) -> None:
    """Give the customer a code for the program's offer of that name. `rule` is the milestone that gives it."""
    program = rulebook.program
    template = program.offers[offer]
    assert template.valid_for is not None, "only codes of a customer's own are given"
    code = offer_code(rulebook.code_key, member.customer_id, offer, f"{rule}/{cause}")
    issued = IssuedOffer(
        code=code,
        customer_id=member.customer_id,
        offer=offer,
        rule=rule,
        cause=cause,
        program_version=program.version,
        issued_at=changes.now,
        valid_until=template.valid_for.after(changes.now, program.time_zone),
        uses=template.uses,
        percent=template.percent,
        amount=template.amount,
        free_shipping=template.free_shipping,
        gift=template.gift,
        currency=program.currency,
        part=member.part,
    )
    changes.touch(member)
    changes.offers.append(issued)
    changes.tell(
        member,
        "offer.issued",
        id_=f"{cause}/offer/{rule}",
        cause=cause,
        data={"offer": offer, "code": code, "rule": rule, "valid_until": issued.valid_until},
        historical=historical,
    )


class Refusal(StrEnum):
    """Why a code cannot be used."""

    UNKNOWN = "offer_unknown"
    """No such code, or not this customer's: whoever asks may not learn which."""
    USED = "offer_used"
    EXPIRED = "offer_expired"
    REVOKED = "offer_revoked"
    CURRENCY = "offer_currency_mismatch"


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

    def refusal(self, customer_id: str | None, now: datetime, currency: str | None = None) -> Refusal | None:
        """Why this customer cannot use it now; None if they can."""
        if customer_id != self.customer_id:
            return Refusal.UNKNOWN
        if self.revoked_at is not None:
            return Refusal.REVOKED
        if self.used >= self.uses:
            return Refusal.USED
        if self.valid_until <= now:
            return Refusal.EXPIRED
        if self.amount is not None and currency is not None and currency != self.currency:
            return Refusal.CURRENCY
        return None

    def discount(self, total: Decimal) -> Decimal:
        """What it takes off an order of `total`: a percentage rounded down to cents, an amount at most the total."""
        if self.percent is not None:
            return (total * self.percent / 100).quantize(CENT, ROUND_DOWN)
        return min(self.amount, total) if self.amount is not None else Decimal(0)
