"""Tells a database that is away, or busy, from a fault of ours and from a value that it cannot keep."""

import errno
import socket

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
    conflicts, raised by asyncpg or wrapped by SQLAlchemy.
    """
    if isinstance(error, sa.TimeoutError | TimeoutError | socket.gaierror):
        return True
    if isinstance(error, sa.DBAPIError):
        return error.connection_invalidated or _state_says_away(error.orig) or _is_cause_away(error.orig)
    if isinstance(error, asyncpg.PostgresError):
        return _state_says_away(error)
    if isinstance(error, asyncpg.InterfaceError):
        return _lost_connection(error)
    if isinstance(error, OSError):
        return isinstance(error, ConnectionError) or error.errno in _AWAY_ERRNO
    return False


def is_unstorable(error: BaseException) -> bool:
    """Whether the database refused a value as such: a character, a number or a time that a column cannot hold."""
    if isinstance(error, sa.DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(error, sa.DataError) or isinstance(cause, asyncpg.DataError)
    return isinstance(error, asyncpg.DataError) or (
        isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason
    )


def _state_says_away(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and (state.startswith(_AWAY_CLASSES) or state in _AWAY_CODES)


def _is_cause_away(error: BaseException | None) -> bool:
    cause = error.__cause__ if error is not None else None
    return cause is not None and is_database_away(cause)


def _lost_connection(error: Exception) -> bool:
    message = str(error)
    return "closed" in message or ("connection" in message and "another operation" not in message)
