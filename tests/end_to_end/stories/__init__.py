"""Weeks in the life of a shop: real services, a clock that is set by hand, mail in a real mailbox."""

import pytest

# So that what a story expects and finds is shown, as in files that are named like tests.
pytest.register_assert_rewrite(
    *(
        f"tests.end_to_end.stories.{name}"
        for name in ("feedback", "thanking", "waiting", "answering", "holding")
    )
)
