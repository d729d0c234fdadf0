"""Letters that wait, and what people do with those that came: a town whose program has, beside what ships, a campaign
that writes at once, and one in two variants; and that can send SMS."""

from pathlib import Path

import pytest

from shared.program import default_program_text
from tests.end_to_end.stories.answering import ANSWERING
from tests.end_to_end.stories.holding import HOLDING
from tests.end_to_end.stories.together import Story, outcomes
from tests.support.database import TestDatabases

STORIES = [*ANSWERING, *HOLDING]

CAMPAIGNS = """
  - {id: your-wish, on: x.wish.noted, do: [{message: your-wish}], success: {on: order.completed, within: P3D}}
  - id: left-cart
    on: x.cart.left
    after: PT1H
    variants:
      short: {share: 50%, do: [{message: cart-short}]}
      long: {share: 50%, do: [{message: cart-long}]}
    success: {on: order.completed, within: P3D}
"""
TEMPLATES = """
  your-wish:
    subject: Your wish
    text: "It is here: https://shop.example/wish"
    sms: "Your wish is here. Stop: {{ unsubscribe_url }}"
  cart-short: {subject: Still there, text: Your cart waits.}
  cart-long: {subject: What you left in your cart, text: It waits for you as you left it. Is anything in your way?}
"""

pytestmark = [pytest.mark.xdist_group("letters"), pytest.mark.timeout(400)]


def program(folder: Path) -> Path:
    """The program that ships, and those campaigns."""
    lines = []
    for line in default_program_text().splitlines(keepends=True):
        lines.append(line)
        if line.startswith("campaigns:"):
            lines.append(CAMPAIGNS)
        if line.startswith("templates:"):
            lines.append(TEMPLATES)
    path = folder / "program.yaml"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def told(
    databases: TestDatabases, tmp_path_factory: pytest.TempPathFactory
) -> dict[Story, BaseException | None]:
    """All of them, played in one week."""
    home = tmp_path_factory.mktemp("town")
    return outcomes(databases, home, STORIES, program=program(home))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_each_story_ends_as_it_should(told: dict[Story, BaseException | None], story: Story) -> None:
    """Given the town and its week; when it is over; then the story went as it says itself."""
    wrong = told[story]
    if wrong is not None:
        raise wrong
