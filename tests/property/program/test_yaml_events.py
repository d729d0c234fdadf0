"""What is done faster than by ruamel comes to what ruamel does."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shared.program import default_program_text
from shared.program.document.yaml_events import yaml_events

DEFAULT = default_program_text()
SIGNS = st.sampled_from("\n\r\t{}[]:,-?|>\"'#&*!% \x85\u2028\ufeff\0aé")


def told(events: Iterator[Any]) -> list[tuple[Any, ...]]:
    """All events with their places, and how it ended."""
    found: list[tuple[Any, ...]] = []
    try:
        for event in events:
            begin, end = event.start_mark, event.end_mark
            place = (begin.line, begin.column, end.line, end.column)
            found.append((type(event), getattr(event, "value", None), getattr(event, "style", None), place))
    except Exception as error:  # noqa: BLE001  # whatever ruamel raises on garbage
        found.append((type(error), str(error)))
    return found


@settings(max_examples=60)
@given(
    st.integers(0, len(DEFAULT) - 1),
    st.integers(1, 800),
    st.lists(st.tuples(st.integers(0, 799), SIGNS), max_size=6),
)
def test_any_text_gives_the_same_events_and_the_same_faults(
    begin: int, length: int, slips: list[tuple[int, str]]
) -> None:
    """Given a piece of a program with slips in it; when both read it; then they find the same, to the column."""
    characters = list(DEFAULT[begin : begin + length])
    for at, sign in slips:
        characters[at % len(characters)] = sign
    text = "".join(characters)
    assert told(yaml_events(text)) == told(YAML(typ="safe", pure=True).parse(text))


def test_the_program_that_ships_gives_the_same_events() -> None:
    assert told(yaml_events(DEFAULT)) == told(YAML(typ="safe", pure=True).parse(DEFAULT))
