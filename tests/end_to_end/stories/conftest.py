"""A town of one's own for each module of stories."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from tests.conftest import SECRET
from tests.end_to_end.stories.together import NOON
from tests.end_to_end.stories.town import Town, open_town
from tests.support.clock import ManualClock
from tests.support.database import TestDatabases


@pytest.fixture
async def town(databases: TestDatabases, tmp_path: Path) -> AsyncIterator[Town]:
    """A town on a fresh database, on a Monday at noon."""
    async with databases.fresh() as url:
        settings = Settings(database_url=url, secret=SecretStr(SECRET), home=tmp_path, partitions=2)
        async with open_town(url, settings, ManualClock(NOON)) as town:
            yield town
