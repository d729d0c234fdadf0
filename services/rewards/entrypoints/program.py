"""The program: read it, and put a new version live."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from msgspec import DecodeError, json
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.entrypoints.service import MayChangeProgram, MayRead, Service, as_problem
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, malformed_json
from shared.program.faults import ProgramError, ProgramFault
from shared.program.versions.store import read_version
from shared.program.versions.timeline import Activation


class ProgramView(BaseModel):
    """A program version: its YAML text, where it came from, when it was stored, and since when it is in force."""

    version: int
    source: str
    origin: str = Field(description="`file`, `api` or `command`.")
    actor: str | None = Field(description="The key, or the person, that stored it; null for the file.")
    at: datetime
    starts_at: datetime = Field(description="From then on it is in force.")


class ProgramRequest(BaseModel):
    """A program as JSON; a body of type `application/yaml` or `text/plain` is the program itself."""

    source: str = Field(description="The YAML text.")


@dataclass(frozen=True, slots=True)
class PlacedError(ProblemError):
    """A fault in the program's text, by line and column from 1."""

    line: int = 1
    column: int = 1
    field: str = ""

    def document(self) -> dict[str, str]:
        """The entry of `errors[]`, with its place in the text."""
        place = {"line": self.line, "column": self.column, "field": self.field}
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail, **place}  # type: ignore[dict-item]


def program_routes(service: Service) -> APIRouter:
    """`GET|PUT /v1/program`."""
    router = APIRouter(tags=["program"])

    @router.get("/v1/program", responses=problem_responses(503))
    async def get_program(_: MayRead) -> ProgramView:
        """The version that counts now."""
        async with service.reading.connect() as connection:
            try:
                now = service.clock()
                timeline = (await service.programs.latest(connection, now))[1]
            except Exception as error:
                raise as_problem(error) from error
            in_force = timeline.in_force(now)
            assert in_force is not None
            return await _view(connection, in_force)

    @router.put(
        "/v1/program",
        responses=problem_responses(400, 422),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/yaml": {"schema": {"type": "string"}},
                    "application/json": {"schema": ProgramRequest.model_json_schema()},
                },
            }
        },
    )
    async def put_program(request: Request, principal: MayChangeProgram) -> ProgramView:
        """Put a new version live. It counts for what is decided from now on (within seconds), never for the past. The
        text that counts already changes nothing. 422 `invalid_program` names every fault by line and column."""
        source = _source(await request.body(), request.headers.get("content-type", ""))
        async with service.engine.begin() as connection:
            try:
                put = await service.programs.put(
                    connection, source, actor=principal.key_id, now=service.clock()
                )
            except ProgramError as error:
                raise _invalid_program(error) from None
            return await _view(connection, put)

    return router


async def _view(connection: AsyncConnection, activation: Activation) -> ProgramView:
    stored = await read_version(connection, activation.version)
    return ProgramView(
        version=stored.version,
        source=stored.source,
        origin=stored.origin,
        actor=stored.actor,
        at=stored.at,
        starts_at=activation.starts_at,
    )


def _source(body: bytes, content_type: str) -> str:
    try:
        if content_type.split(";", maxsplit=1)[0].strip() == "application/json":
            source = json.decode(body, type=dict[str, object]).get("source")
            if not isinstance(source, str):
                error = ProblemError("/source", "missing", "must be the program's YAML text")
                raise Problem(422, "invalid_request", "Invalid request", None, [error])
        else:
            source = body.decode()
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed_json("The body is neither UTF-8 text nor a JSON object.") from None
    if "\x00" in source:
        error = ProblemError("", "nul_character", "must not contain NUL characters")
        raise Problem(422, "invalid_request", "Invalid request", None, [error])
    return source


def _invalid_program(error: ProgramError) -> Problem:
    return Problem(
        422,
        "invalid_program",
        "The program is not valid",
        f"{len(error.errors)} faults; nothing has changed.",
        [_placed(fault) for fault in error.errors],
    )


def _placed(fault: ProgramFault) -> PlacedError:
    detail = f"{fault.message} {fault.hint}".strip()
    return PlacedError("", "invalid_program", detail, None, fault.line, fault.column, fault.path)
