"""One installation per test, ended with the test whatever happens."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.installation import Installation, installed


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed() as one:
        yield one
