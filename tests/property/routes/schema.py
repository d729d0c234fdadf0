"""JSON Schema, as far as our documents use it: values that fit a schema, and what is wrong with one that does not."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

_ANY: Schema = {"type": ["string", "boolean", "null", "integer", "number"]}
_DEPTH_MAX = 5
_FORMATS: dict[str, Values] = {
    "date-time": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
        lambda time: time.replace(tzinfo=UTC).isoformat()
    ),
    "date": st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(str),
    "uuid": st.uuids().map(str),
    "uri": st.sampled_from(["https://shop.example/", "http://203.0.113.7:8443/a?b=c"]),
    "email": st.sampled_from(["ana@example.com"]),
}
_KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


class Schemas:
    """The schemas of one OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._named: dict[str, Schema] = document.get("components", {}).get("schemas", {})
        self._made: dict[tuple[int, int], Values] = {}

    def values(self, schema: Schema, depth: int = 0) -> Values:
        """Values that fit the schema."""
        found = self._made.get((id(schema), depth))
        if found is None:
            found = self._made[id(schema), depth] = self._values(schema, depth)
        return found

    def _values(self, schema: Schema, depth: int) -> Values:
        schema = self._resolved(schema)
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return st.one_of([self.values(one, depth) for one in schema[choice]])
        kinds = schema.get("type", "object" if "properties" in schema else _ANY["type"])
        if isinstance(kinds, list):
            return st.one_of([self._of_kind(kind, schema, depth) for kind in kinds])
        return self._of_kind(kinds, schema, depth)

    def _of_kind(self, kind: str, schema: Schema, depth: int) -> Values:
        low, high = _low(schema, -1e6), _high(schema, 1e6)
        match kind:
            case "object":
                return self._objects(schema, depth)
            case "array":
                return self._arrays(schema, depth)
            case "string":
                return self._strings(schema)
            case "integer":
                return st.integers(int(low) + ("exclusiveMinimum" in schema), int(high))
            case "number":
                return st.floats(low, high, exclude_min="exclusiveMinimum" in schema)
            case _:
                return st.booleans() if kind == "boolean" else st.none()

    def _arrays(self, schema: Schema, depth: int) -> Values:
        if depth > _DEPTH_MAX:
            return st.just([])
        items, fewest = self.values(schema.get("items", _ANY), depth + 1), schema.get("minItems", 0)
        return st.lists(items, min_size=fewest, max_size=max(fewest, min(schema.get("maxItems", 3), 3)))

    def _objects(self, schema: Schema, depth: int) -> Values:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        fields = {
            name: st.deferred(lambda one=one: self.values(one, depth + 1)) for name, one in properties.items()
        }  # type: ignore[misc]
        needed = {name: each for name, each in fields.items() if name in required}
        optional = {name: each for name, each in fields.items() if name not in required}
        if depth > _DEPTH_MAX:
            return st.fixed_dictionaries(needed)
        objects = st.fixed_dictionaries(needed, optional=optional)
        free = schema.get("additionalProperties", False)
        if properties or not free:
            return objects
        names = st.text("abc_", min_size=1, max_size=3)
        return st.dictionaries(
            names, self.values(free if isinstance(free, dict) else _ANY, depth + 1), max_size=2
        )

    def _strings(self, schema: Schema) -> Values:
        if "format" in schema and schema["format"] in _FORMATS:
            return _FORMATS[schema["format"]]
        if "pattern" in schema:
            pattern = re.compile(schema["pattern"].replace("$", r"\Z"), re.ASCII)
            return st.from_regex(
                pattern, alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])
            ).filter(lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 10**6))
        fewest = schema.get("minLength", 0)
        return st.text(
            st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]),
            min_size=fewest,
            max_size=max(fewest, min(schema.get("maxLength", 20), 20)),
        )

    def faults(self, value: Any, schema: Schema, place: str = "") -> Iterator[str]:
        """What does not fit, by its place."""
        schema = self._resolved(schema)
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                tried = [list(self.faults(value, one, place)) for one in schema[choice]]
                if all(tried):
                    yield f"{place}: fits none: {min(tried, key=len)}"
                return
        kinds = schema.get("type", list(_KINDS))
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if not any(_is(value, kind) for kind in kinds):
            yield f"{place}: {value!r} is not {kinds}"
            return
        if "const" in schema and value != schema["const"]:
            yield f"{place}: {value!r} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        match value:
            case dict():
                yield from self._faults_of_object(value, schema, place)
            case list():
                for index, item in enumerate(value):
                    yield from self.faults(item, schema.get("items", {}), f"{place}/{index}")
            case str():
                yield from _faults_of_string(value, schema, place)
            case int() | float() if not isinstance(value, bool):
                if not _low(schema, value) <= value <= _high(schema, value):
                    yield f"{place}: {value} is out of bounds"

    def _faults_of_object(self, value: dict[str, Any], schema: Schema, place: str) -> Iterator[str]:
        properties, free = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place}: {name} is missing"
        for name, inner in value.items():
            if name in properties:
                yield from self.faults(inner, properties[name], f"{place}/{name}")
            elif free is False:
                yield f"{place}: {name} is not described"
            elif isinstance(free, dict):
                yield from self.faults(inner, free, f"{place}/{name}")

    def _resolved(self, schema: Schema) -> Schema:
        """The schema behind a name, and with what all of `allOf` ask."""
        while "$ref" in schema:
            schema = self._named[schema["$ref"].rpartition("/")[2]]
        if "allOf" not in schema:
            return schema
        whole = {key: value for key, value in schema.items() if key != "allOf"}
        for part in map(self._resolved, schema["allOf"]):
            properties = {**whole.get("properties", {}), **part.get("properties", {})}
            whole = {**whole, **part, "properties": properties}
        return whole


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _low(schema: Schema, default: float) -> float:
    return float(schema.get("minimum", schema.get("exclusiveMinimum", default)))


def _high(schema: Schema, default: float) -> float:
    return float(schema.get("maximum", schema.get("exclusiveMaximum", default)))


def _faults_of_string(value: str, schema: Schema, place: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place}: {value!r} is too short or too long"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} does not match {schema['pattern']}"
    reads = {"date-time": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal}
    try:
        reads.get(schema.get("format", ""), str)(value)
    except (ValueError, ArithmeticError):
        yield f"{place}: {value!r} is no {schema['format']}"
