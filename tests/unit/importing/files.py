"""Writes and reads files of history for the tests of the import."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.importing.reading.choices import Choices
from deploy.importing.reading.ndjson import EventsFile
from deploy.importing.reading.orders import OrdersFile
from deploy.importing.reading.pieces import Piece
from deploy.importing.reading.text import TextFile

SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Currency,Total,Discount Code,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem sku,Billing Name,Cancelled at,Refunded Amount,Id,Source,Phone\n"
)


@contextmanager
def source(
    folder: Path, content: str | bytes, name: str = "orders.csv", **choices: Any
) -> Iterator[OrdersFile | EventsFile]:
    """A file with this content, open to be imported."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = Choices(**choices)
    file = TextFile(path, options.encoding)
    try:
        yield EventsFile(file, options) if name.endswith(".ndjson") else OrdersFile(file, options)
    finally:
        file.close()


def pieces(folder: Path, content: str | bytes, name: str = "orders.csv", **choices: Any) -> list[Piece]:
    """All pieces in a file with this content."""
    with source(folder, content, name, **choices) as found:
        return list(found.pieces())


def events(
    folder: Path, content: str | bytes, name: str = "orders.csv", **choices: Any
) -> list[dict[str, Any]]:
    """The events in a file of which nothing is refused."""
    found = pieces(folder, content, name, **choices)
    assert [piece.refusal for piece in found if piece.refusal] == []
    return [event for piece in found for event in piece.events]
