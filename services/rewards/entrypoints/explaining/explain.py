"""`GET /v1/customers/{customer}/explain`: why did I get this, and why not?"""

from typing import Annotated

from fastapi import APIRouter, Query

from services.rewards.domain.spending.offers import normal_code
from services.rewards.entrypoints.explaining.base import Teller
from services.rewards.entrypoints.explaining.entries import explain_entry
from services.rewards.entrypoints.explaining.events import explain_event
from services.rewards.entrypoints.explaining.refused import explain_refusal
from services.rewards.entrypoints.explaining.schemas import Explanation
from services.rewards.entrypoints.explaining.tiers import explain_offer, explain_tier
from services.rewards.entrypoints.service import MayRead, Service
from shared.http.openapi import problem_responses
from shared.http.problems import ProblemError, invalid_request
from shared.http.types import CustomerRef, QueryText

LedgerEntry = Annotated[QueryText | None, Query(description="A ledger entry's `id`.")]
OfferCode = Annotated[QueryText | None, Query(description="An offer's code.")]
Tier = Annotated[QueryText | None, Query(description="A tier's id, or `current`.")]
EventId = Annotated[
    QueryText | None,
    Query(description="The `id` that the sender gave an event, or the `cause` of a ledger entry."),
]
Source = Annotated[QueryText | None, Query(description="With `event`: who sent it.")]
Rule = Annotated[
    QueryText | None,
    Query(description="With `event`: the earn rule, milestone or campaign that is asked about."),
]
Refusal = Annotated[
    QueryText | None,
    Query(description="The `request_id` of a problem that refused something at the checkout, or `latest`."),
]
KINDS = ("ledger_entry", "offer", "tier", "event", "refusal")


def explain_routes(service: Service) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["customers"])

    @router.get(
        "/v1/customers/{customer}/explain", summary="Why, and why not", responses=problem_responses(404, 422)
    )
    async def explain(  # noqa: PLR0917  # the parameters of a query
        customer: CustomerRef,
        _: MayRead,
        ledger_entry: LedgerEntry = None,
        offer: OfferCode = None,
        tier: Tier = None,
        event: EventId = None,
        refusal: Refusal = None,
        source: Source = None,
        rule: Rule = None,
    ) -> Explanation:
        """Why the customer has these points, this offer, or this tier; with `event`, what each rule made of an event,
        and what kept it from giving; with `rule` beside it, that rule alone; with `refusal`, why a checkout was refused
        something. Exactly one of `ledger_entry`, `offer`, `tier`, `event` and `refusal`."""
        asked = (ledger_entry, offer, tier, event, refusal)
        if sum(wanted is not None for wanted in asked) != 1:
            raise _refused("one_of", f"give exactly one of {', '.join(KINDS)}", "ledger_entry")
        if event is None and (source, rule) != (None, None):
            raise _refused("needs_event", "source and rule are asked beside event", "event")
        async with service.reading.connect() as connection:
            teller = Teller(service, connection, await service.customer(connection, customer))
            if event is not None:
                return await explain_event(teller, event, source, rule)
            if refusal is not None:
                return await explain_refusal(teller, refusal)
            if ledger_entry is not None:
                return await explain_entry(teller, ledger_entry)
            if offer is not None:
                return await explain_offer(teller, normal_code(offer)[:64])
            return await explain_tier(teller, tier or "current")

    return router


def _refused(code: str, detail: str, parameter: str) -> Exception:
    return invalid_request(ProblemError("", code, detail, parameter))
