"""A database that is away, told from a fault of ours."""

import asyncpg
import pytest
from sqlalchemy.exc import InterfaceError

from shared.postgres.faults import is_database_away

FAREWELL = "cannot switch to state 12; another operation (2) is in progress"
BUSY = "cannot perform operation: another operation is in progress"


def busy() -> InterfaceError:
    """What SQLAlchemy raises when asyncpg refuses a second operation."""
    return InterfaceError("ROLLBACK", None, asyncpg.InterfaceError(BUSY))


def test_work_given_to_a_connection_that_is_reading_the_servers_farewell_is_a_lost_connection() -> None:
    assert is_database_away(asyncpg.InternalClientError(FAREWELL))


def raised_while_handling(first: Exception, then: Exception, *, put_aside: bool = False) -> Exception:
    """`then` as it looks when raised in the handling of `first`, as a context manager's exit does."""
    then.__context__ = first
    then.__suppress_context__ = put_aside  # as `raise … from None` does
    return then


def test_a_rollback_that_fails_on_a_lost_connection_is_a_lost_connection() -> None:
    """Given a connection lost in a COPY; when the rollback finds the driver still busy with it; then it is away."""
    assert is_database_away(raised_while_handling(asyncpg.InternalClientError(FAREWELL), busy()))


@pytest.mark.parametrize("error", [busy(), asyncpg.InternalClientError("unexpected"), ValueError("bad")])
def test_a_connection_used_twice_at_once_is_a_fault_of_ours(error: Exception) -> None:
    assert not is_database_away(error)


def test_a_cause_that_was_put_aside_does_not_count() -> None:
    assert not is_database_away(
        raised_while_handling(ConnectionRefusedError(), ValueError("bad"), put_aside=True)
    )
