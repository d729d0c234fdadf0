"""Remembers what the checkout was refused, so that somebody can be told why; and tells it."""

from collections.abc import Mapping
from typing import Any

import structlog

from services.rewards.adapters import explaining
from services.rewards.adapters.spending import refused as store
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.refused import UNREMEMBERED, Asked, refusal_sentence
from services.rewards.entrypoints.explaining.base import Teller
from services.rewards.entrypoints.explaining.schemas import Explanation, RefusalView, plain
from services.rewards.entrypoints.service import Service
from shared.http.problems import not_found
from shared.telemetry.context import current_request_id

log = structlog.get_logger()


async def note_refusal(
    service: Service, what: Asked, refusal: RefusedError, asked: Mapping[str, Any], *, customer: str | None
) -> None:
    """Remember a refusal of `customer` (any of its ids; None: whoever has the redemption that was asked about).

    It is answered whatever becomes of the note: it changes nothing that a repeat would not tell again.
    """
    request_id, now = current_request_id(), service.clock()
    if request_id is None or refusal.code in UNREMEMBERED:
        return
    try:
        async with service.engine.begin() as connection:
            owner = await _owner(service, connection, customer, asked)
            if owner is not None:
                version = (await service.programs.current(connection, now)).program.version
                await store.note(connection, owner, request_id, what, refusal, asked, version, now)
    except Exception as error:  # noqa: BLE001  # see above
        log.warning("refusal_not_noted", code=refusal.code, reason=type(error).__name__)


async def explain_refusal(teller: Teller, request_id: str) -> Explanation:
    """Why a request was refused. Raises the 404 problem."""
    customers = await explaining.family(teller.connection, teller.customer)
    found = await store.find(teller.connection, customers, request_id)
    if found is None:
        raise not_found("No refusal of this customer's goes by this request id, or it is no longer kept.")
    reward = found.asked.get("reward")
    answer = await teller.base(str(reward) if reward else None, found.program_version, None)
    shown = RefusalView(
        request_id=found.request_id,
        at=found.at,
        what=found.what,
        code=found.code,
        detail=found.detail,
        asked=plain(found.asked),
        figures=plain(found.figures),
        available=found.available,
        pending=found.pending,
        reserved=found.reserved,
        tier=found.tier,
    )
    return answer.model_copy(update={"sentence": refusal_sentence(found), "refusal": shown})


async def _owner(
    service: Service, connection: Any, customer: str | None, asked: Mapping[str, Any]
) -> str | None:
    if customer is not None:
        return await service.reader.customer(connection, customer)
    id_ = str(asked.get("redemption"))
    return (await service.store.owners(connection, {id_})).get(id_)
