"""The guide `docs/program.md` is true: its examples load, its tables name the fields there are."""

import re
from pathlib import Path

import pytest

from shared.contracts.catalogue import CATALOGUE
from shared.program.conditions.condition import Condition, Scope
from shared.program.model.ids import RESERVED
from shared.program.parse import KEYS, load_program
from shared.program.vocabulary.fields import COMMON, OWN_EVENTS, REWARDS_EVENTS, customer_fields, event_fields
from tests.unit.program.texts import HEAD

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "program.md").read_text(encoding="utf-8")
CAMPAIGNS = (DOCS / "campaigns.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE + CAMPAIGNS, flags=re.DOTALL)
NAMES = re.compile(r"`([^`]+)`")


def table(heading: str) -> list[list[str]]:
    """The cells of all tables under a heading, without their heads."""
    part = GUIDE.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return [row for row in rows if "`" in row[0]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str) -> None:
    load_program(example if "time_zone" in example else HEAD + example)


def test_every_section_has_a_chapter() -> None:
    chapters = set(re.findall(r"^## (\w+)$", GUIDE, flags=re.MULTILINE))
    assert set(KEYS) - {"name", "currency", "time_zone"} <= chapters


def test_the_table_of_customer_fields_is_complete() -> None:
    """When this fails: put a row for the new fact under "Fields of `customer`" in `docs/program.md`."""
    assert {row[0].strip("`") for row in table("Fields of `customer`")} == set(customer_fields())


def test_the_tables_of_event_fields_are_complete() -> None:
    """When this fails: put the fields of the event type, without personal ones, under "Fields of `event`" in
    `docs/program.md`."""
    rows = table("Fields of `event`")
    assert {row[0].strip("`") for row in rows if row[0].strip("`") in COMMON} == set(COMMON)
    documented = {
        event: set(NAMES.findall(row[1]))
        for row in rows
        for event in NAMES.findall(row[0])
        if event in CATALOGUE
    }
    actual = {event: set(event_fields(event).fields) - set(COMMON) for event in CATALOGUE}
    assert documented == {event: fields for event, fields in actual.items() if fields}


def test_the_table_of_events_that_time_brings_is_complete() -> None:
    rows = table("Events that time brings")
    documented = {row[0].strip("`"): set(NAMES.findall(row[2])) if len(row) > 2 else set() for row in rows}
    assert documented == {event: set(fields) for event, fields in OWN_EVENTS.items()}


def test_the_table_of_events_of_rewards_is_complete() -> None:
    documented = {row[0].strip("`"): set(NAMES.findall(row[2])) for row in table("Events of rewards")}
    assert documented == {event: set(fields) for event, fields in REWARDS_EVENTS.items()}


def test_the_examples_of_conditions_compile() -> None:
    scope = Scope(event=event_fields("order.completed"))
    for row in table("Conditions"):
        for source in NAMES.findall(row[1]):
            if source.startswith(("customer.", "event.", "size(", "has(", "(", "'")):
                assert Condition.compile(source, scope)


def test_the_reserved_ids_are_named() -> None:
    for name in RESERVED:
        assert f"`{name}`" in GUIDE
