"""The lifecycle in the documentation is the one in the code."""

import re
from pathlib import Path

from services.scoring.domain.lifecycle.transitions import TRANSITIONS, By
from shared.contracts.lifecycle import STAGES
from shared.program.sections.customers import DEFAULT_STAGES, STAGE_KEYS

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "lifecycle.md").read_text()

Row = tuple[tuple[str, ...], str, str]


def tables() -> list[list[Row]]:
    """The tables of transitions on the page, each a list of rows: sources, target, condition."""
    found = []
    for table in re.findall(r"\| from \| to \| when \|\n\|---\|---\|---\|\n((?:\|.*\n)+)", PAGE):
        cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
        found.append(
            [
                (tuple(re.findall(r"`(\w+)`", old)), new.strip("`"), when.rstrip(" |"))
                for old, new, when in cells
            ]
        )
    return found


def drawn() -> set[tuple[str, str]]:
    """The arrows of the drawing; those of a group are its members'."""
    (drawing,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    ((group, body),) = re.findall(r"state (\w+) \{\n(.*?)\n    \}", drawing, re.DOTALL)
    members = set(re.findall(r"\b(\w+)\b(?= -->)|--> (\w+)", body))
    inside = {name for pair in members for name in pair if name}
    arrows = set()
    for old, new in re.findall(r"(\S+) --> (\w+)", drawing):
        arrows |= {(one, new) for one in (inside if old == group else {old})}
    return arrows - {("[*]", "onboarding")}


def test_the_tables_of_transitions_are_those_that_run():
    expected = [
        [(row.sources, row.target, row.when.value) for row in TRANSITIONS if row.by is by]
        for by in (By.ORDER, By.TIME, By.CANCELLATION)
    ]

    assert [[(set(old), new, when) for old, new, when in table] for table in tables()] == [
        [(set(old), new, when) for old, new, when in table] for table in expected
    ]


def test_the_drawing_shows_what_orders_and_time_do():
    moves = {
        (source, row.target)
        for row in TRANSITIONS
        for source in row.sources
        if row.by is not By.CANCELLATION and source != row.target
    }

    assert drawn() == moves


def test_every_stage_and_every_threshold_is_explained():
    explained = re.findall(r"^\| `(\w+)` \| (?:is|has|had)", PAGE, re.MULTILINE)
    assert tuple(explained) == STAGES

    settings = re.findall(r"^stages: \{(.*)\}$", PAGE, re.MULTILINE)[0]
    written = dict(pair.split(": ") for pair in settings.split(", "))
    assert tuple(written) == STAGE_KEYS
    assert {name: int(written[name]) for name in STAGE_KEYS if name.endswith("_orders")} == {
        name: getattr(DEFAULT_STAGES, name) for name in STAGE_KEYS if name.endswith("_orders")
    }
    assert written["at_risk_at"] == str(DEFAULT_STAGES.at_risk_at)


def test_every_stage_can_be_reached_and_left():
    reached = {row.target for row in TRANSITIONS} | {"onboarding"}
    left = {source for row in TRANSITIONS for source in row.sources if source != row.target}

    assert reached == left == set(STAGES)
