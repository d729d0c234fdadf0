"""docs/webhooks.md says what the code does."""

import re
from pathlib import Path

from services.deliveries.domain.webhooks.catalogue import TYPES
from services.deliveries.domain.webhooks.lanes import PLACES, TROUBLED_PLACES
from services.deliveries.domain.webhooks.retrying import GIVEN_UP_AFTER, WAITS

GUIDE = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text()


def test_every_type_is_in_the_table_and_no_other() -> None:
    rows = GUIDE.split("| type | tells |")[1].split("\n\n")[0].strip().splitlines()
    named = [name for row in rows for name in re.findall(r"`([a-z.]+)`", row.split("|")[1])]

    assert set(named) == set(TYPES)


def test_the_waits_are_as_said() -> None:
    said = GUIDE.split("at once, then after ")[1].split(", each")[0]
    words = re.findall(r"(\d+) (s|min|h)", said)
    seconds = {"s": 1, "min": 60, "h": 3600}

    assert [int(number) * seconds[unit] for number, unit in words] == [wait.total_seconds() for wait in WAITS]
    assert GIVEN_UP_AFTER.days == 5
    assert f"one place of {PLACES}" in GUIDE
    assert f"at most {TROUBLED_PLACES}" in GUIDE
