"""The table of `docs/events.md`, made from the catalogue: `python -m tests.support.event_table` prints it."""

from collections.abc import Iterator

import msgspec

from services.ingest.domain.shapes import SHAPES, Field, Shape, Treatment
from shared.contracts.catalogue import CATALOGUE

SEALED = {Treatment.SEALED, Treatment.SEALED_FREE}


def rows() -> Iterator[str]:
    """One row an event type: what is required, what may be there, what is sealed; `customer` is everywhere."""
    for kind, data in CATALOGUE.items():
        fields = [field for field in msgspec.structs.fields(data) if field.encode_name != "customer"]
        required = _names(field.encode_name for field in fields if field.required)
        optional = _names(field.encode_name for field in fields if not field.required)
        sealed = _names(sorted(_sealed(SHAPES[kind])))
        yield f"| `{kind}` | {required} | {optional} | {sealed} |"


def _names(names: Iterator[str] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _sealed(shape: Shape) -> Iterator[str]:
    for key, field in shape.fields.items():
        if key != "customer":
            yield from _sealed_in(field)


def _sealed_in(field: Field) -> Iterator[str]:
    if field.treatment in SEALED:
        yield field.name
    for inner in field.inner.fields.values() if field.inner else ():
        yield from _sealed_in(inner)


if __name__ == "__main__":
    print("\n".join(rows()))
