"""Which faults pass by themselves: those must never cost a record its turn."""

import asyncpg
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from shared.bus.interface import BusUnavailableError
from shared.postgres.faults import is_database_away, is_unstorable

DATABASE_ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""All that asking the database can raise; a failed connect comes as the driver's own error."""

# SQLSTATE classes: connection, transaction state, rollback (serialization, deadlock), resources, object state (lock
# not available), operator intervention, system. 42 (no such table, no such right) is a fault of the installation,
# such as a migration not yet run, and no record's fault.
TRANSIENT_CLASSES = frozenset({"08", "25", "40", "42", "53", "55", "57", "58"})


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again later can succeed: the database or the bus is away, slow or was busy."""
    if is_database_away(error):
        return True
    if is_unstorable(error):
        return False  # the driver calls it an interface error, but it is the record's
    # Of SQLAlchemy's error the cause has it; COPY and connects raise the driver's own.
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in TRANSIENT_CLASSES
    return isinstance(
        error,
        (
            BusUnavailableError,
            InterfaceError,
            OperationalError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            OSError,
            EOFError,
        ),
    )
