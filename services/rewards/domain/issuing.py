"""Offers are issued: milestones, tiers and campaigns give codes of a customer's own."""

from base64 import b32encode
from hashlib import blake2b

from services.rewards.domain.changes import Changes, IssuedOffer
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from shared.program.model.offers import code_of

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
    return code_of(b32encode(digest).decode()[:CODE_CHARACTERS])


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
        # A tier brings several customers theirs for the same cause, where they reached it at the same moment.
        id_=f"{member.customer_id}/{cause}/offer/{rule}{occasion}",
        cause=cause,
        data={"offer": offer, "code": code, "rule": rule, "valid_until": issued.valid_until},
        historical=historical,
    )
