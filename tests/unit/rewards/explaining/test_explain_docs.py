"""The page about reasons names every one that there is, and no other."""

import re
from pathlib import Path

from services.rewards.domain.skips import Why

PAGE = (Path(__file__).parents[4] / "docs/explain.md").read_text()


def test_every_reason_is_on_the_page() -> None:
    table = PAGE[PAGE.index("| `why` | says |") : PAGE.index("A condition is taken apart")]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(why.value for why in Why)
