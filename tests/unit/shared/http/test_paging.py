"""Cursors lead on, and only ours do."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest

from shared.http.paging import decode_cursor, encode_cursor
from shared.http.problems import Problem

Position = tuple[datetime, int]


def test_a_cursor_gives_its_position_back() -> None:
    """Given a position; when made a cursor and read; then it is the same, and safe in a URL."""
    position = (datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC), 2**53)
    cursor = encode_cursor(position)

    assert decode_cursor(cursor, Position) == position  # type: ignore[arg-type]
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "###",
        "ä",
        "bnVsbA",
        urlsafe_b64encode(b"[1,2]").decode(),
        urlsafe_b64encode(b"[[" * 900).decode(),
        urlsafe_b64encode(b'["2026-06-01T00:00:00",1]').decode(),
    ],
)
def test_another_cursor_is_refused(cursor: str) -> None:
    """Given what we never gave; when read; then 422 naming the parameter."""
    with pytest.raises(Problem) as caught:
        decode_cursor(cursor, Position)  # type: ignore[arg-type]

    assert caught.value.status == 422
    assert caught.value.errors[0].parameter == "cursor"


def test_a_cursor_with_a_nul_is_refused() -> None:
    """Given a forged text with a NUL, which PostgreSQL would choke on; when read; then 422."""
    with pytest.raises(Problem):
        decode_cursor(encode_cursor(["a\x00"]), list[str])
