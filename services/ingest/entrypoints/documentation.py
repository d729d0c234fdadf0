"""What `/openapi.json` says about `POST /v1/events`: the whole event catalogue, from its types."""

from typing import Any

import msgspec

from services.ingest.domain.envelope import CUSTOM_EVENT, EVENTS
from services.ingest.domain.limits import BODY_BYTES_MAX, EVENTS_MAX

_EXAMPLE = {
    "id": "order-1001",
    "source": "shop",
    "type": "order.completed",
    "time": "2026-11-21T10:00:00Z",
    "data": {
        "customer": {"id": "c-42", "email": "ana@example.com"},
        "order_id": "1001",
        "currency": "USD",
        "total": "49.20",
        "channel": "web",
        "lines": [{"sku": "A-1", "name": "Mug", "category": "Kitchen", "quantity": 4, "unit_price": "12.30"}],
    },
}

_ERROR = {
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
}

_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["accepted"],
    "properties": {
        "accepted": {"type": "integer", "description": "Events that are durable now."},
        "rejected": {
            "type": "array",
            "description": "With `partial=true`: the events that were not taken. Pointers lead into the event.",
            "items": {
                "type": "object",
                "required": ["index", "id", "errors"],
                "properties": {
                    "index": {"type": "integer"},
                    "id": {"type": ["string", "null"]},
                    "errors": {"type": "array", "items": _ERROR},
                },
            },
        },
        "unknown_fields": {
            "type": "object",
            "description": "Keys that the catalogue does not know, by event type. They are kept, sealed; perhaps"
            " they are misspelt.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


def _flag(name: str, description: str, *, default: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "boolean", "default": default},
    }


def _plain(schema: Any) -> Any:
    """The schema with references resolved where they stand: the route brings its whole body description along, and
    patterns in the words of JSON Schema (`$` for the end; Python's `\\Z` is unknown there)."""
    if isinstance(schema, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _plain(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    return schema


def _event_schemas() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A schema for each event type, its `type` fixed, and the components that they refer to."""
    schemas, components = msgspec.json.schema_components(
        [*EVENTS.values(), CUSTOM_EVENT], ref_template="#/components/schemas/{name}"
    )
    names = [*EVENTS, "x.*"]
    fixed = [{"const": name} for name in EVENTS] + [{"pattern": r"^x\."}]
    typed = [
        {"title": name, "allOf": [schema, {"properties": {"type": type_}}]}
        for name, schema, type_ in zip(names, schemas, fixed, strict=True)
    ]
    return typed, _plain(components)


_TYPED, EVENT_COMPONENTS = _event_schemas()
"""`EVENT_COMPONENTS` belongs under `components.schemas` of the document."""

EVENTS_OPENAPI: dict[str, Any] = {
    "security": [{"bearer": []}],
    "parameters": [
        _flag("partial", "Take the valid events and list the others in the answer, instead of taking none."),
        _flag("historical", "These events are history: they count, but nobody is written to about them."),
        _flag("rewards", "With `false` these events earn neither points nor offers.", default=True),
    ],
    "requestBody": {
        "required": True,
        "description": f"At most {EVENTS_MAX} events and {BODY_BYTES_MAX} bytes; gzip is understood.",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/Event"},
                        {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Event"},
                            "minItems": 1,
                            "maxItems": EVENTS_MAX,
                        },
                    ]
                },
                "example": _EXAMPLE,
            }
        },
    },
    "responses": {
        "202": {
            "description": "The events are durable.",
            "content": {"application/json": {"schema": _ANSWER, "example": {"accepted": 1}}},
        }
    },
}

EVENT_COMPONENTS["Event"] = {
    "title": "Event",
    "description": "A CloudEvent; `type` says what `data` holds.",
    "anyOf": _TYPED,
}
