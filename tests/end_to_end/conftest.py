"""One installation per test, ended with the test whatever happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    one = Installation(tmp_path)
    try:
        yield one
    finally:
        one.close()
