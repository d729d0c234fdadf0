"""The program's versions: what there were, how they differ, and which one is in force when."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.entrypoints.programs.schemas import (
    VERSION_MAX,
    ActivationRequest,
    ActivationView,
    ChangeView,
    DecisionView,
    DifferenceView,
    Version,
    VersionView,
    VersionWithSource,
    impossible_activation,
    invalid_program,
    unknown_version,
)
from services.rewards.entrypoints.service import MayChangeProgram, MayRead, Service, as_problem
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.types import IdempotencyKey as Key
from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.versions.reading import (
    NoProgramError,
    StoredProgram,
    read_decisions,
    read_version,
    read_versions,
)
from shared.program.versions.store import ActivationError, activate, cancel

OfVersion = Annotated[int, Path(ge=1, le=VERSION_MAX)]
ActivationId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def program_version_routes(service: Service) -> APIRouter:
    """`/v1/program/versions`, `/v1/program/difference`, `/v1/program/activations`."""
    router = APIRouter(tags=["program"], responses=problem_responses(401, 403, 422, 503))
    where = "POST /v1/program/activations"

    @router.get("/v1/program/versions", summary="All versions, and when each counted")
    async def list_versions(
        _: MayRead, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = None
    ) -> Page[VersionView]:
        """All versions, the newest first, each with the moments it is or was in force from."""
        before = VERSION_MAX if cursor is None else min(decode_cursor(cursor, int), VERSION_MAX)
        async with service.reading.connect() as connection:
            found = await read_versions(connection, before, limit + 1)
            views = await _views(service, connection, found[:limit])
        following = encode_cursor(found[limit - 1].version) if len(found) > limit else None
        return Page(items=views, next=following)

    @router.get("/v1/program/versions/{version}", summary="One version", responses=problem_responses(404))
    async def get_version(_: MayRead, version: OfVersion) -> VersionWithSource:
        """One version with its text."""
        async with service.reading.connect() as connection:
            stored = await _stored(connection, version)
            (view,) = await _views(service, connection, [stored])
        return VersionWithSource(**dict(view), source=stored.source)

    @router.get(
        "/v1/program/difference",
        summary="What one version makes another, in plain words",
        responses=problem_responses(404),
    )
    async def get_difference(
        _: MayRead,
        after: Annotated[Version, Query(alias="to")],
        before: Annotated[
            Version | None, Query(alias="from", description="Left out: the version in force.")
        ] = None,
    ) -> DifferenceView:
        """What is another in one version than in another, in sentences for a marketer and as data."""
        async with service.reading.connect() as connection:
            old = (
                await _program(service, connection, before)
                if before is not None
                else (await _current(service, connection))
            )
            new = await _program(service, connection, after)
        return DifferenceView(before=old.version, after=new.version, difference=ChangeView.all_of(old, new))

    @router.post(
        "/v1/program/activations",
        summary="Put a stored version in force",
        status_code=201,
        response_class=Response,
        responses={201: {"model": ActivationView}, **problem_responses(404, 409)},
    )
    async def activate_version(
        body: ActivationRequest, principal: MayChangeProgram, idempotency_key: Key
    ) -> Response:
        """Put a stored version in force, at once (within a second everywhere) or at a moment to come; an earlier
        version is a rollback. The version that is in force then anyway changes nothing."""
        scope = f"{principal.key_id} {where}"
        body_hash = service.keys.hash_body(body.model_dump_json().encode())
        async with service.engine.begin() as connection:
            now = await service.deciding.now(connection)
            before = await service.keys.begin(connection, idempotency_key, scope, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            try:
                activation = await activate(
                    connection, body.version, actor=principal.key_id, now=now, starts_at=body.at
                )
            except NoProgramError:
                raise unknown_version() from None
            except ProgramError as error:
                raise invalid_program(error) from None
            except ActivationError as error:
                raise impossible_activation(error) from None
            answer = ActivationView.of(activation).model_dump_json().encode()
            await service.keys.finish(
                connection, idempotency_key, scope, body_hash, status=201, body=answer, now=now
            )
        service.programs.look_again()
        return Response(answer, 201, media_type="application/json")

    @router.delete(
        "/v1/program/activations/{activation_id}",
        summary="Let a scheduled activation not happen",
        status_code=204,
        response_class=Response,
        responses=problem_responses(404, 409),
    )
    async def cancel_activation(activation_id: ActivationId, principal: MayChangeProgram) -> Response:
        """Let a scheduled activation not happen. 409 `activation_has_begun` once it has, or some seconds before."""
        async with service.engine.begin() as connection:
            try:
                now = await service.deciding.now(connection)
                await cancel(connection, activation_id, actor=principal.key_id, now=now)
            except ActivationError as error:
                raise impossible_activation(error) from None
        service.programs.look_again()
        return Response(status_code=204)

    return router


async def _views(
    service: Service, connection: AsyncConnection, found: list[StoredProgram]
) -> list[VersionView]:
    current = (await _current(service, connection)).version
    decisions = await read_decisions(connection, [one.version for one in found])
    return [
        VersionView(
            version=one.version,
            origin=one.origin,
            actor=one.actor,
            at=one.at,
            in_force=one.version == current,
            activations=[DecisionView.of_decision(each) for each in decisions[one.version]],
        )
        for one in found
    ]


async def _current(service: Service, connection: AsyncConnection) -> Program:
    try:
        return (await service.programs.latest(connection, service.clock()))[0].program
    except Exception as error:
        raise as_problem(error) from error


async def _program(service: Service, connection: AsyncConnection, version: int) -> Program:
    try:
        return (await service.programs.version(connection, version)).program
    except NoProgramError:
        raise unknown_version() from None
    except ProgramError as error:
        raise invalid_program(error) from None


async def _stored(connection: AsyncConnection, version: int) -> StoredProgram:
    try:
        return await read_version(connection, version)
    except NoProgramError:
        raise unknown_version() from None
