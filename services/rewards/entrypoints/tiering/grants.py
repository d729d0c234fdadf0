"""Tiers given by hand, and taken back."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.tiering import rows as tier_rows
from services.rewards.application.granting import check_grant, decide_with_grants
from services.rewards.domain.refusals import RefusedError, unknown_customer
from services.rewards.domain.state.member import Member, TierGrant
from services.rewards.entrypoints.service import MayRead, MayWrite, Service, problem
from services.rewards.entrypoints.tiering.schemas import GrantRequest, GrantView, grant_view
from shared.http.openapi import problem_responses
from shared.http.problems import not_found
from shared.http.types import CustomerRef
from shared.http.types import IdempotencyKey as Key

GrantId = Annotated[str, Path(pattern=r"^tgr_[0-9a-f]{24}$")]


def tier_grant_routes(service: Service) -> APIRouter:
    """The routes under `/v1/customers/{customer}/tier/grants`."""
    router = APIRouter(tags=["tiers"], responses=problem_responses(404, 422))
    where = "POST /v1/customers/{customer}/tier/grants"

    @router.get("/v1/customers/{customer}/tier/grants", summary="Tiers given by hand")
    async def get_grants(customer: CustomerRef, _: MayRead) -> list[GrantView]:
        """Every tier that was granted to the customer by hand, the newest first, also those that are over."""
        async with service.reading.connect() as connection:
            customer_id = await service.customer(connection, customer)
            return [grant_view(grant) for grant in await tier_rows.read_grants(connection, customer_id)]

    @router.post(
        "/v1/customers/{customer}/tier/grants",
        summary="Give a tier by hand",
        status_code=201,
        response_class=Response,
        responses={201: {"model": GrantView}, **problem_responses(409)},
    )
    async def grant(
        customer: CustomerRef, body: GrantRequest, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Give the customer a tier until `until`, whatever they have reached. A higher tier stays. Afterwards they have
        what they have reached by then."""
        now, scope = service.clock(), f"{principal.key_id} {where}"
        body_hash = service.keys.hash_body(f"{customer}\n{body.model_dump_json()}".encode())
        async with service.engine.begin() as connection:
            before = await service.keys.begin(connection, idempotency_key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            member = await _locked(service, connection, customer)
            rulebook = await service.programs.current(connection, now)
            try:
                check_grant(rulebook.program, body.tier, body.until, now)
            except RefusedError as refusal:
                raise problem(refusal) from None
            given = TierGrant(f"tgr_{secrets.token_hex(12)}", body.tier, now, body.until)
            await tier_rows.add_grant(
                connection, member.customer_id, given, reason=body.reason, actor=principal.key_id
            )
            await decide_with_grants(connection, service.campaigns, member, rulebook, given.id, now, given)
            view = GrantView(
                id=given.id,
                tier=given.tier,
                at=now,
                until=given.until,
                reason=body.reason,
                actor=principal.key_id,
                revoked_at=None,
            )
            answer = view.model_dump_json().encode()
            await service.keys.finish(
                connection, idempotency_key, scope, body_hash, status=201, body=answer, now=now
            )
        return Response(answer, 201, media_type="application/json")

    @router.delete(
        "/v1/customers/{customer}/tier/grants/{grant}", summary="Take a given tier back", status_code=204
    )
    async def revoke(customer: CustomerRef, grant: GrantId, principal: MayWrite) -> None:
        """Take a grant back. The customer keeps what they have reached. Done twice, it answers the same."""
        now = service.clock()
        async with service.engine.begin() as connection:
            member = await _locked(service, connection, customer)
            known = {each.id for each in await tier_rows.read_grants(connection, member.customer_id)}
            if grant not in known:
                raise not_found("This customer has no such grant.")
            if await tier_rows.revoke_grant(
                connection, member.customer_id, grant, actor=principal.key_id, now=now
            ):
                rulebook = await service.programs.current(connection, now)
                await decide_with_grants(connection, service.campaigns, member, rulebook, grant, now)

    return router


async def _locked(service: Service, connection: AsyncConnection, customer: str) -> Member:
    """The member who goes by this name, locked. Raises the 404 problem."""
    customers = await service.store.customers(connection, {customer})
    locked = await service.members.lock(connection, customers.values(), create=False)
    if not locked:
        raise problem(unknown_customer())
    return next(iter(locked.values()))
