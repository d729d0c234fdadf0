"""A rule of the program as its file states it."""

import pytest

from shared.program.describing.stated import rule_text
from tests.unit.rewards.building import PROGRAM


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("welcome", "{id: welcome, on: customer.registered, points: 100}"),
        ("gold", "{at: 200.01, id: gold, keep_for: P12M, name: Gold}"),
        ("nothing", None),
    ],
)
def test_a_rule_is_told_in_the_words_of_the_file(rule: str, text: str | None) -> None:
    """Given a program; when a rule of it is asked for; then it is shown on one line."""
    assert rule_text(PROGRAM, rule) == text
