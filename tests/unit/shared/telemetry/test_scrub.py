"""What scrubbing takes out of messages, and what it leaves."""

import pytest

from shared.telemetry.scrub import scrub_message


@pytest.mark.parametrize(
    ("message", "scrubbed"),
    [
        ("invalid input for query argument $1: 'ana' (an integer is required)",
         "invalid input for query argument $1: '***' (an integer is required)"),
        ("mail to ana.b+c@example.co.uk bounced", "mail to *** bounced"),
        ("call +49 30 1234567 now", "call *** now"),
        ("duplicate key\nDETAIL:  Key (email)=(ana@example.com) already exists.", "duplicate key"),
        ("boom\n[SQL: INSERT …]\n[parameters: ('ana',)]", "boom"),
        ("list index out of range", "list index out of range"),
        ("Bearer abcdefghijklmnop", "***"),
    ],
)  # fmt: skip
def test_values_go_and_words_stay(message: str, scrubbed: str) -> None:
    """Given an exception's message; when scrubbed; then values are gone and the sense is left."""
    assert scrub_message(message) == scrubbed
