"""What is said and answered about the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import DecodeError, json
from pydantic import BaseModel, Field

from shared.http.edge.bodies import pointer_part
from shared.http.edge.handlers import ERRORS_MAX
from shared.http.problems import Problem, ProblemError, invalid_request, malformed_json
from shared.http.shapes import Shape, unknown_field
from shared.http.types import Instant
from shared.program.describing.difference import Change, difference
from shared.program.faults import ProgramError, ProgramFault
from shared.program.model.program import Program
from shared.program.versions.reading import Decision, StoredProgram
from shared.program.versions.store import ActivationError
from shared.program.versions.timeline import Activation

VERSION_MAX = 2**31 - 1
Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]


class ChangeView(BaseModel):
    """One change, in a sentence and as data: `kind` is `added`, `removed` or `changed`; `before` and `after` are the
    values in words."""

    kind: str
    path: str = Field(description="Where it stands in the file, such as `tiers.gold.at`.")
    before: str | None
    after: str | None
    sentence: str = Field(examples=["Gold now begins at 250 USD instead of 200.01 USD."])

    @classmethod
    def all_of(cls, before: Program | None, after: Program) -> list["ChangeView"]:
        """The difference between two programs; none where there was none before."""
        changes: Sequence[Change] = difference(before, after) if before is not None else ()
        return [
            cls(kind=one.kind, path=one.path, before=one.before, after=one.after, sentence=one.sentence)
            for one in changes
        ]


class ActivationView(BaseModel):
    """From `starts_at` on, the version is in force, until another activation starts."""

    id: int
    version: int
    starts_at: datetime

    @classmethod
    def of(cls, one: Activation) -> "ActivationView":
        """The view of one."""
        return cls(id=one.id, version=one.version, starts_at=one.starts_at)


class ProgramView(BaseModel):
    """A program version: its YAML text, where it came from, when it was stored, and since when it is in force."""

    version: int
    source: str
    origin: str = Field(description="`file`, `api` or `command`.")
    actor: str | None = Field(description="The key, or the person, that stored it; null for the file.")
    at: datetime
    starts_at: datetime = Field(description="From then on it is in force.")
    scheduled: list[ActivationView] = Field(description="What comes in force later, the next one first.")

    @classmethod
    def of(
        cls, stored: StoredProgram, activation: Activation, scheduled: Sequence[Activation]
    ) -> "ProgramView":
        """The view of a version by one of its activations."""
        return cls(
            version=stored.version,
            source=stored.source,
            origin=stored.origin,
            actor=stored.actor,
            at=stored.at,
            starts_at=activation.starts_at,
            scheduled=[ActivationView.of(one) for one in scheduled],
        )


class PutView(ProgramView):
    """The version that was put in force, and what is another with it than before."""

    difference: list[ChangeView]


class CheckView(BaseModel):
    """A program that is fit to go live, and what would be another with it."""

    name: str
    difference: list[ChangeView]


class DifferenceView(BaseModel):
    """What is another in version `to` than in version `from`."""

    before: int = Field(serialization_alias="from")
    after: int = Field(serialization_alias="to")
    difference: list[ChangeView]


class DecisionView(ActivationView):
    """An activation as it was decided."""

    decided_at: datetime
    actor: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None = Field(
        description="The key or the person; `clock put right`: it had been put in force at once by a clock that was"
        " ahead, and the same version follows as an activation of its own."
    )

    @classmethod
    def of_decision(cls, one: Decision) -> "DecisionView":
        """The view of one."""
        return cls(
            id=one.id,
            version=one.version,
            starts_at=one.starts_at,
            decided_at=one.decided_at,
            actor=one.actor,
            cancelled_at=one.cancelled_at,
            cancelled_by=one.cancelled_by,
        )


class VersionView(BaseModel):
    """A stored version without its text, and when it is or was in force from."""

    version: int
    origin: str
    actor: str | None
    at: datetime
    in_force: bool
    activations: list[DecisionView]


class VersionWithSource(VersionView):
    """The same with its text."""

    source: str


class ActivationRequest(Shape):
    """Which version to put in force, and when; without `at`, at once. An earlier version is a rollback."""

    version: Version
    at: Instant | None = None


class ProgramRequest(Shape):
    """A program as JSON; a body of type `application/yaml` or `text/plain` is the program itself."""

    source: str = Field(description="The YAML text.")


PROGRAM_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": ProgramRequest.model_json_schema()},
        },
    }
}
"""How OpenAPI describes the body of a route that takes a program."""


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


def source_of(body: bytes, content_type: str) -> str:
    """The program's text in a body. Raises the problem of one that is none."""
    try:
        if content_type.split(";", maxsplit=1)[0].strip() == "application/json":
            told = json.decode(body, type=dict[str, object])
            source = told.pop("source", None)
            if not isinstance(source, str):
                raise invalid_request(ProblemError("/source", "missing", "must be the program's YAML text"))
            unknown = [
                ProblemError(pointer_part(name), "unknown_field", unknown_field(name, ["source"]))
                for name in told
            ]
            if unknown:
                raise invalid_request(*unknown[:ERRORS_MAX])
        else:
            source = body.decode()
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed_json("The body is neither UTF-8 text nor a JSON object.") from None
    if "\x00" in source:
        raise invalid_request(ProblemError("", "nul_character", "must not contain NUL characters"))
    return source


def invalid_program(error: ProgramError) -> Problem:
    """422: the text is not fit to go live; every fault by its place."""
    return Problem(
        422,
        "invalid_program",
        "The program is not valid",
        f"{len(error.errors)} fault{'s' if len(error.errors) > 1 else ''}; nothing has changed.",
        [_placed(fault) for fault in error.errors],
    )


def impossible_activation(error: ActivationError) -> Problem:
    """404 for one that is not there, 409 for what cannot be now, 422 for a moment that has passed."""
    status = {"unknown_activation": 404, "activation_too_soon": 422}.get(error.code, 409)
    return Problem(status, error.code, "The activation is not possible", str(error))


def unknown_version() -> Problem:
    """404: no version has this number."""
    return Problem(404, "unknown_version", "Unknown version", "The program has no version of this number.")


def _placed(fault: ProgramFault) -> PlacedError:
    detail = f"{fault.message} {fault.hint}".strip()
    return PlacedError("", "invalid_program", detail, None, fault.line, fault.column, fault.path)
