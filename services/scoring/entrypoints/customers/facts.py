"""The facts as the API answers them: what `shared.contracts.facts` says, in JSON."""

from typing import Annotated, Any

import msgspec
from pydantic import WithJsonSchema

from shared.contracts.facts import Facts as FactsRecord

ELSEWHERE = frozenset({"stage", "score", "segments", "tags"})
"""Facts that the answers show beside the others."""

_NAMES = tuple(name for name in FactsRecord.__struct_fields__ if name not in ELSEWHERE)


def _schema() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([FactsRecord])
    described = components["Facts"]["properties"]
    properties = {
        name: {key: value for key, value in described[name].items() if key != "default"} for name in _NAMES
    }
    return {
        "title": "Facts",
        "description": "What is known of a customer at a moment; money in `currency`, as decimal strings.",
        "type": "object",
        "properties": properties,
        "required": list(_NAMES),
    }


Facts = Annotated[dict[str, Any], WithJsonSchema(_schema())]
"""What is known of a customer at a moment; money in `currency`, as decimal strings."""


def facts_of(facts: FactsRecord) -> dict[str, Any]:
    """The facts of an assessment, empty ones too."""
    shown: dict[str, Any] = msgspec.to_builtins({name: getattr(facts, name) for name in _NAMES})
    return shown
