"""`docs/facts.md` tells which event changes which fact, and no fact is left that nothing changes."""

from pathlib import Path

from shared.contracts.catalogue import CATALOGUE
from shared.contracts.facts import Facts
from tests.support.fact_changes import EVERY, FOLLOWING, OF_WORDS, changed_by, rows

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "facts.md"


def test_the_table_says_what_each_event_changes() -> None:
    """Given lives in which each type of event is tried; when the facts before and after are compared; then the table
    says the same. When this fails: `python -m tests.support.fact_changes`, and put its rows into the document."""
    written = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]

    assert written == list(rows())


def test_every_event_of_the_catalogue_changes_something() -> None:
    """When this fails: name the type in `EFFECTS`, make a fact of what it changes (`shared/contracts/facts.py` and
    `services/scoring/domain/facts.py`), and if it needs certain data, give it in `VARIANTS` of `fact_changes`."""
    assert [event_type for event_type in CATALOGUE if not changed_by(event_type)] == []


def test_every_fact_is_changed_by_some_event() -> None:
    """When this fails: `services/scoring/domain/facts.py` does not make the fact, or no event that `fact_changes` tries
    moves it."""
    changed = frozenset[str]().union(*map(changed_by, (*CATALOGUE, "x.anything")))

    assert set(Facts.__struct_fields__) - changed - EVERY - FOLLOWING - OF_WORDS == {"currency"}
