"""Shapes of bodies: a field that one does not have is refused, and the name that was probably meant is told."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.program.faults import suggestion

NAME_MAX = 100
"""What is longer is nobody's slip of the pen: it gets no hint."""

Schema = dict[str, Any]


class Shape(BaseModel):
    """The body of a request. Fields that it does not have are refused with `unknown_field`: one in the wrong place
    would be passed over in silence."""

    model_config = ConfigDict(extra="forbid")


def unknown_field(name: str, known: Sequence[str], elsewhere: Sequence[str] = ()) -> str:
    """What to say of a field that is not known: where else one of that name belongs, or the nearest of those `known`
    where it stood."""
    said = "is not a field here"
    if len(name) > NAME_MAX:
        return f"{said}."
    same = [place for place in elsewhere if place.rpartition(".")[2] == name]
    return f"{said}; it belongs at {same[0]}." if same else f"{said}. {suggestion(name, known)}".rstrip()


def with_hints(errors: Sequence[Any], shape: Any) -> list[dict[str, Any]]:
    """The errors that pydantic found in a body of this shape, with words of ours for fields that are not known."""
    if all(each["type"] != "extra_forbidden" for each in errors):
        return list(errors)
    schema, places = _described(shape)
    return [
        {**each, "msg": _hint(schema, places, each["loc"])}
        if each["type"] == "extra_forbidden" and each["loc"][0] == "body"
        else each
        for each in errors
    ]


@lru_cache(maxsize=64)
def _described(shape: Any) -> tuple[Schema, tuple[str, ...]]:
    """The schema of a shape, and where its fields are."""
    schema = TypeAdapter(shape).json_schema()
    return schema, tuple(_places(schema, schema))


def _hint(schema: Schema, places: Sequence[str], loc: Sequence[str | int]) -> str:
    """`loc` leads from "body" to the field."""
    node = schema
    for part in loc[1:-1]:
        found = _resolve(schema, node)
        node = found.get("items", {}) if isinstance(part, int) else found.get("properties", {}).get(part, {})
    return unknown_field(str(loc[-1]), list(_resolve(schema, node).get("properties", ())), places)


def _places(schema: Schema, node: Schema, place: str = "", within: tuple[Schema, ...] = ()) -> Iterator[str]:
    """Every field of the shape with those it lies in: `order.lines[].sku`. A shape that lies in itself is not gone into
    once more."""
    shape = _resolve(schema, node)
    if any(one is shape for one in within):
        return
    within = (*within, shape)
    if "items" in shape:
        yield from _places(schema, shape["items"], f"{place}[]", within)
    for name, field in shape.get("properties", {}).items():
        inner = f"{place}.{name}" if place else name
        yield inner
        yield from _places(schema, field, inner, within)


def _resolve(schema: Schema, node: Schema) -> Schema:
    """The node itself, behind what may also be null, and behind its name."""
    for one in node.get("anyOf", ()):
        if one.get("type") != "null":
            return _resolve(schema, one)
    if "$ref" in node:
        return _resolve(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    return node
