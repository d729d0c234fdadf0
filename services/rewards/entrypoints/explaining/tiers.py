"""Why a tier, and why not; and why an offer."""

from typing import Any

from services.rewards.adapters import explaining
from services.rewards.adapters.tiering.standings import load_counted
from services.rewards.domain.explaining.tier_words import TierStory, missing_sentence, tier_sentence
from services.rewards.domain.tiering.benefits import is_benefit
from services.rewards.domain.tiering.tiers import amount_now, current_level, start_of_window
from services.rewards.entrypoints.customers import offer_view
from services.rewards.entrypoints.explaining.base import Teller
from services.rewards.entrypoints.explaining.schemas import Explanation
from shared.http.problems import not_found
from shared.program.model.program import Program
from shared.program.model.tiers import TierLevel

STATUS_WORDS = {"used": "it has been used up", "expired": "it has expired", "revoked": "it was revoked"}
"""What is said beside an offer that can no longer be used."""


async def explain_offer(teller: Teller, code: str) -> Explanation:
    """Why the customer has the offer of this code, and why not any more. Raises the 404 problem."""
    service = teller.service
    offer = await service.reader.offer(teller.connection, code)
    if offer is None or offer.customer_id != teller.customer:
        raise not_found("This customer has no such offer.")
    answer = await teller.base(offer.rule, offer.program_version, offer.cause)
    because = f", because of {answer.event.type} {answer.event.id}" if answer.event else ""
    shown = offer_view(offer, service.clock())
    now = f"; {STATUS_WORDS[shown.status]}" if shown.status in STATUS_WORDS else ""
    given = f"as a benefit of tier {offer.rule}" if is_benefit(offer.cause) else f"for reaching {offer.rule}"
    sentence = f"Offer {offer.offer} was given {given}{because}{now}."
    return answer.model_copy(update={"sentence": sentence, "offer": shown})


async def explain_tier(teller: Teller, tier: str) -> Explanation:
    """Why the customer has, or last had, this tier (`current`: the one of now), or what is missing to it. Raises the
    404 problem."""
    row = await explaining.tier_change(teller.connection, teller.customer, tier)
    if row is None:
        return await _unchanged(teller, tier)
    answer = await teller.base(row.new, row.program_version, row.cause)
    program = (await teller.service.programs.version(teller.connection, row.program_version)).program
    event = f"{answer.event.type} {answer.event.id}" if answer.event is not None else None
    given = await explaining.tier_grant(teller.connection, row.cause)
    details = {
        "tier": row.new,
        "before": row.old,
        "at": row.at,
        "until": row.until,
        "reason": row.reason,
        "spend": str(row.spend),
    }
    sentence = _sentence(row, program, event, given)
    return answer.model_copy(update={"sentence": sentence, "tier": details})


def _sentence(row: Any, program: Program, event: str | None, given: Any | None) -> str:
    level = _level(program, row.new)
    if program.tiers is None or level is None:
        return f"Tier {row.new}, by {row.reason}."
    story = TierStory(
        new=row.new,
        old=row.old,
        reason=row.reason,
        amount=row.spend,
        at=level.at,
        basis=program.tiers.basis,
        currency=program.currency,
        until=row.until,
        event=event,
        given=f"by {given.actor}: {given.reason}" if given is not None else None,
    )
    return tier_sentence(story)


def _level(program: Program, tier: str) -> TierLevel | None:
    levels = program.tiers.levels if program.tiers is not None else ()
    return next((level for level in levels if level.id == tier), None)


async def _unchanged(teller: Teller, tier: str) -> Explanation:
    """The tier that everybody starts with has no change behind it; one that was never reached has something missing."""
    service, now = teller.service, teller.service.clock()
    program = (await service.programs.current(teller.connection, now)).program
    if program.tiers is None:
        raise not_found("The program has no tiers.")
    member = await service.reader.member(teller.connection, teller.customer, start_of_window(program, now))
    has = program.tiers.levels[current_level(program.tiers, member)]
    level = has if tier == "current" else _level(program, tier)
    if level is None:
        raise not_found("The program has no such tier, and the customer has not had it.")
    answer = await teller.base(level.id, program.version, None)
    if level is has:
        told = {"sentence": f"Tier {level.id} is where everybody starts.", "tier": {"tier": level.id}}
        return answer.model_copy(update=told)
    measure = program.tiers.basis.measure
    await load_counted(teller.connection, {teller.customer: member}, [teller.customer], measure)
    amount = amount_now(member, program, now)
    missing = max(level.at - amount, type(amount)(0))
    details = {"tier": level.id, "reason": "not_reached", "at": None, "counts": str(amount)}
    details |= {"begins_at": str(level.at), "missing": str(missing)}
    sentence = missing_sentence(level.id, amount, level.at, program.tiers.basis, program.currency)
    return answer.model_copy(update={"sentence": sentence, "tier": details})
