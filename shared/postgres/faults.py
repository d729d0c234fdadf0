"""Tells a database that is away, or busy, from a fault of ours and from a value that it cannot keep."""

import errno
import socket
from collections.abc import Iterator

import asyncpg
from sqlalchemy import exc as sa

# SQLSTATE classes and codes after which the same work may succeed later.
_AWAY_CLASSES = ("08", "53", "57P", "58")  # connection, resources, shutdown, system
_AWAY_CODES = frozenset(
    {
        "57014",  # statement timeout
        "55P03",  # lock not available
        "40001",  # serialization failure
        "40P01",  # deadlock
        "25006",  # read-only: a standby that is not yet promoted
        "25P03",  # idle in transaction for too long
        "28P01",  # the password is being rotated
        "3D000",  # the database is being restored
    }
)
_AWAY_ERRNO = frozenset(
    {
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.EPIPE,
        errno.ETIMEDOUT,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.ENOENT,  # the Unix socket of a server that is gone
    }
)


def is_database_away(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be used now, though the same work may succeed later.

    Covers refused and lost connections, an exhausted pool, too many connections, timeouts, deadlocks and lock
    conflicts, raised by asyncpg or wrapped by SQLAlchemy; also what fails while such a fault is cleaned up, such
    as the rollback on a connection that was just lost.
    """
    return any(_says_away(each) for each in _with_causes(error))


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        behind = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [one for one in (behind, getattr(each, "orig", None)) if isinstance(one, BaseException)]


def _says_away(error: BaseException) -> bool:
    match error:
        case sa.TimeoutError() | TimeoutError() | socket.gaierror() | ConnectionError():
            return True
        case sa.DBAPIError():
            return error.connection_invalidated or _state_says_away(error.orig)
        case asyncpg.PostgresError():
            # The last: a migration went by, the driver has forgotten its plans, and makes new ones next time.
            return _state_says_away(error) or isinstance(error, asyncpg.InvalidCachedStatementError)
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return _lost_connection(error)
        case OSError():
            return error.errno in _AWAY_ERRNO
        case _:
            return False


def is_unstorable(error: BaseException) -> bool:
    """Whether the database or its driver refused a value: a character, a number or a time no column can hold."""
    if isinstance(error, sa.DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(error, sa.DataError) or (cause is not None and is_unstorable(cause))
    if isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, ValueError)  # "invalid input for query argument"
    return isinstance(error, asyncpg.DataError) or (
        isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason
    )


def _state_says_away(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and (state.startswith(_AWAY_CLASSES) or state in _AWAY_CODES)


def _lost_connection(error: asyncpg.InterfaceError | asyncpg.InternalClientError) -> bool:
    message = str(error)
    if isinstance(error, asyncpg.InternalClientError):
        # The server said farewell on an idle connection and asyncpg, still reading it, was given work.
        return "cannot switch to state" in message
    return "closed" in message or ("connection" in message and "another operation" not in message)
