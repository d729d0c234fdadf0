"""What the routes of webhooks share: who may call them, answers with secrets, and their problems."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.webhooks.client import SafeClient
from services.deliveries.adapters.webhooks.endpoints import ENDPOINTS_MAX, PostgresEndpoints
from services.deliveries.domain.webhooks.addresses import Network, parse_networks
from services.deliveries.domain.webhooks.catalogue import unknown
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.targets import BadTargetError, parse_target
from services.deliveries.entrypoints.service import Service
from services.deliveries.entrypoints.webhooks.schemas import EndpointWithSecret
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.http.problems import Problem, ProblemError, invalid_request, not_found

MayRead = Annotated[Principal, Depends(require(Scope.ADMIN_READ))]
MayWrite = Annotated[Principal, Depends(require(Scope.ADMIN_WRITE))]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The parts that these routes work with."""

    service: Service
    endpoints: PostgresEndpoints
    client: SafeClient
    allowed: Sequence[Network]

    @classmethod
    def of(cls, service: Service) -> "Webhooks":
        """Made from what the service was told. Raises `SecretError`."""
        allowed = parse_networks(service.settings.webhook_private_networks)
        return cls(service, PostgresEndpoints(service.settings.secret), SafeClient(allowed), allowed)

    async def locked(self, connection: AsyncConnection, id_: str) -> Endpoint:
        """An endpoint, locked. Raises the 404 problem."""
        found = await self.endpoints.locked(connection, id_)
        if found is None:
            raise unknown_endpoint()
        return found

    async def once(
        self,
        key: str,
        where: str,
        body: str,
        work: Callable[[AsyncConnection], Awaitable[EndpointWithSecret]],
        *,
        status: int,
    ) -> Response:
        """Do something once for an idempotency key. The answer has a secret in it, and so is kept sealed."""
        body_hash, keys = self.service.keys.hash_body(body.encode()), self.service.keys
        async with self.service.engine.begin() as connection:
            before = await keys.begin(connection, key, where, body_hash)
            if before is not None:
                answer = self.endpoints.unseal_answer(before.body)
                return Response(answer, before.status, media_type="application/json")
            answer = (await work(connection)).model_dump_json().encode()
            sealed, now = self.endpoints.seal_answer(answer), self.service.clock()
            await keys.finish(connection, key, where, body_hash, status=status, body=sealed, now=now)
        return Response(answer, status, media_type="application/json")

    async def check_url(self, url: str) -> None:
        """Raises the 422 problem for an address that webhooks may not be sent to."""
        try:
            fit = await self.client.check(parse_target(url, self.allowed))
        except BadTargetError as error:
            raise invalid_request(ProblemError("/url", "invalid_url", str(error))) from None
        if not fit:
            detail = (
                "leads to an address that is private or reserved (or, with http, not to one that is allowed); "
                "the operator allows networks with REGULARS_WEBHOOK_PRIVATE_NETWORKS"
            )
            raise invalid_request(ProblemError("/url", "address_refused", detail))


def check_events(events: Sequence[str]) -> None:
    """Raises the 422 problem that names every subscription to what there is not."""
    wrong = [(number, unknown(each)) for number, each in enumerate(events)]
    errors = [ProblemError(f"/events/{number}", "unknown_event_type", why) for number, why in wrong if why]
    if errors:
        raise invalid_request(*errors)


def unknown_endpoint() -> Problem:
    """404."""
    return not_found("There is no such endpoint. GET /v1/webhooks lists them.")


def taken_name() -> Problem:
    """409: a name is one endpoint's."""
    detail = "Another endpoint has this name. Choose another one, or take the name from that one first."
    return Problem(409, "name_taken", "Name taken", detail, [ProblemError("/name", "name_taken", detail)])


def too_many() -> Problem:
    """409."""
    detail = f"There are {ENDPOINTS_MAX} endpoints already. Delete some that are not needed any more."
    return Problem(409, "too_many_webhooks", "Too many endpoints", detail)


def rotating(until: datetime | None) -> Problem:
    """409: a third secret would leave receivers behind that still have the first one."""
    assert until is not None
    detail = (
        f"The secret was rotated within the last day: until {until.isoformat()} the one before is signed with too. "
        "Wait until then, or rotate with immediately: true, which ends both older ones at once."
    )
    return Problem(409, "rotation_under_way", "Rotation under way", detail)
