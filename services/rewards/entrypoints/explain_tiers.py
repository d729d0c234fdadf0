"""Why a tier, and why an offer."""

from services.rewards.adapters import explaining
from services.rewards.domain.explain import find_rule, tier_sentence
from services.rewards.domain.tiers import current_level
from services.rewards.entrypoints.customers import offer_view
from services.rewards.entrypoints.explain_base import Teller
from services.rewards.entrypoints.explain_schemas import Explanation
from shared.http.problems import not_found
from shared.program.tiering import TierLevel


async def explain_offer(teller: Teller, code: str) -> Explanation:
    """Why the customer has the offer of this code. Raises the 404 problem."""
    service = teller.service
    offer = await service.reader.offer(teller.connection, code)
    if offer is None or offer.customer_id != teller.customer:
        raise not_found("This customer has no such offer.")
    answer = await teller.base(offer.rule, offer.program_version, offer.cause)
    because = f", because of {answer.event.type} {answer.event.id}" if answer.event else ""
    sentence = f"Offer {offer.offer} was given for reaching {offer.rule}{because}."
    return answer.model_copy(update={"sentence": sentence, "offer": offer_view(offer, service.clock())})


async def explain_tier(teller: Teller, tier: str) -> Explanation:
    """Why the customer has, or last had, this tier (`current`: the one of now). Raises the 404 problem."""
    row = await explaining.tier_change(teller.connection, teller.customer, tier)
    if row is None:
        return await _first_tier(teller, tier)
    answer = await teller.base(row.new, row.program_version, row.cause)
    program = (await teller.service.programs.version(teller.connection, row.program_version)).program
    level = find_rule(program, row.new)
    at = level.at if isinstance(level, TierLevel) else None
    sentence = tier_sentence(row.new, row.reason, row.spend, program.currency, at)
    details = {
        "tier": row.new,
        "before": row.old,
        "at": row.at,
        "until": row.until,
        "reason": row.reason,
        "spend": str(row.spend),
    }
    return answer.model_copy(update={"sentence": sentence, "tier": details})


async def _first_tier(teller: Teller, tier: str) -> Explanation:
    """The tier that everybody starts with has no change behind it."""
    service = teller.service
    program = (await service.programs.current(teller.connection, service.clock())).program
    member = await service.reader.member(teller.connection, teller.customer, None)
    if program.tiers is None:
        raise not_found("The program has no tiers.")
    level = program.tiers.levels[current_level(program.tiers, member)]
    if tier not in {"current", level.id}:
        raise not_found("The customer has not had this tier.")
    answer = await teller.base(level.id, program.version, None)
    return answer.model_copy(
        update={"sentence": f"Tier {level.id} is where everybody starts.", "tier": {"tier": level.id}}
    )
