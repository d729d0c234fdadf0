"""Requests to the operations of an OpenAPI document, such as it describes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.property.routes.schema import Schemas

Known = Mapping[str, Sequence[str]]
"""By the name of a parameter or field, texts that name something which is there."""


@dataclass(frozen=True)
class Operation:
    """One method on one path, as the document describes it."""

    method: str
    path: str
    described: dict[str, Any] = field(repr=False)
    schemas: Schemas = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> dict[str, Any]:
        """The schema of its body by media type; empty without one."""
        content = self.described.get("requestBody", {}).get("content", {})
        return {media: one.get("schema", {}) for media, one in content.items()}


@dataclass
class Request:
    """What goes over the wire."""

    operation: Operation
    path: dict[str, bytes]
    """Of each parameter in the path, the encoded text."""
    query: list[tuple[bytes, bytes]]
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""

    @property
    def target(self) -> bytes:
        """The path as it is sent."""
        target = self.operation.path.encode()
        for name, value in self.path.items():
            target = target.replace(b"{%s}" % name.encode(), value)
        return target

    @property
    def query_string(self) -> bytes:
        """The query as it is sent."""
        return b"&".join(name + b"=" + value for name, value in self.query)


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """All that the document describes."""
    schemas = Schemas(document)
    for path, calls in document["paths"].items():
        for method, described in calls.items():
            yield Operation(method.upper(), path, described, schemas)


@st.composite
def described(draw: st.DrawFn, operation: Operation, known: Known, key: str) -> Request:
    """A request such as the document describes, with a key of all scopes. What it names is there, often."""
    request = Request(
        operation, {}, [], [(b"host", b"localhost"), (b"authorization", b"Bearer " + key.encode())]
    )
    for parameter in operation.described.get("parameters", ()):
        name, place = parameter["name"], parameter["in"]
        if not parameter.get("required") and draw(st.integers(0, 2)):
            continue
        values = operation.schemas.values(parameter["schema"]).filter(lambda value: value is not None)
        if name in known:
            values = values if place == "header" else st.sampled_from(known[name]) | values
        text = _as_text(draw(values))
        match place:
            case "path":
                request.path[name] = quote(text, safe="").encode() or b"-"
            case "query":
                request.query.append((name.encode(), quote(text, safe="").encode()))
            case _:
                request.headers.append((name.lower().encode(), text.encode()))
    if operation.body:
        media = draw(st.sampled_from(sorted(operation.body)))
        value = _with_known(draw(operation.schemas.values(operation.body[media])), known, draw)
        request.headers.append((b"content-type", media.encode()))
        request.body = (
            value.encode() if media == "application/yaml" and isinstance(value, str) else as_json(value)
        )
    return request


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: the list or object that holds it, and where."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
            yield value, key
            yield from places_in(inner)


def _with_known(value: Any, known: Known, draw: st.DrawFn) -> Any:
    """The value with what is there in places of that name, often."""
    for holder, key in places_in(value):
        if key in known and isinstance(holder[key], str) and draw(st.booleans()):
            holder[key] = draw(st.sampled_from(known[key]))
    return value


def as_json(value: Any) -> bytes:
    """A value on the wire."""
    return json.dumps(value).encode()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
