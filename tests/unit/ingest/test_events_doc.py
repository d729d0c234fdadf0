"""`docs/events.md` tells what the catalogue says."""

from pathlib import Path

from tests.support.event_table import rows

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "events.md"


def test_the_table_is_the_catalogue() -> None:
    """Given the catalogue; when its table is made; then exactly these rows are in the document.

    When this fails: `python -m tests.support.event_table`, and put its rows into the document.
    """
    written = [
        line
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("| `") and "." in line.split("|")[1]
    ]

    assert written == list(rows())
