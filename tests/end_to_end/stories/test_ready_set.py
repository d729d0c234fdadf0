"""The campaigns of the program that ships, in one town: from what happens in the shop to the words in the mailbox.

`test_winning_back` has the one for those who do not order for 60 days, with its report.
"""

import pytest

from tests.end_to_end.stories.feedback import FEEDBACK
from tests.end_to_end.stories.thanking import THANKING
from tests.end_to_end.stories.together import Story, outcomes
from tests.end_to_end.stories.waiting import WAITING
from tests.support.database import TestDatabases

STORIES = [*THANKING, *FEEDBACK, *WAITING]

pytestmark = [pytest.mark.xdist_group("ready set"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def told(
    databases: TestDatabases, tmp_path_factory: pytest.TempPathFactory
) -> dict[Story, BaseException | None]:
    """All of them, played in one year."""
    return outcomes(databases, tmp_path_factory.mktemp("town"), STORIES)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_each_story_ends_as_it_should(told: dict[Story, BaseException | None], story: Story) -> None:
    """Given the town and its year; when it is over; then the story went as it says itself."""
    wrong = told[story]
    if wrong is not None:
        raise wrong
