"""Textual statements straight to the driver, at a quarter of what SQLAlchemy's own way to it costs.

SQLAlchemy keeps the pool, the transactions, and the finding again of what was lost. But a small batch sends a dozen
statements, and on two cores the way through `Connection.execute` (0.19 ms each, where asyncpg takes 0.04)
was a quarter of what the workers did.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from operator import itemgetter
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine.result import IteratorResult, Result, SimpleResultMetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Answer = TypeVar("Answer")

CUT_OFF_S = 2.0
"""So long a connection may take to give up a statement that was cut off."""

_DIALECT = dialect()  # type: ignore[no-untyped-call]

# Of savepoints of one name the server means the newest, so that they may lie within each other.
_SAVEPOINT = text("SAVEPOINT nested")
_RELEASE = text("RELEASE SAVEPOINT nested")
_ROLL_BACK = text("ROLLBACK TO SAVEPOINT nested")


class _Statement:
    """A textual statement as the driver takes it: numbered parameters, and how to put the named ones in order."""

    def __init__(self, clause: TextClause) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        names = compiled.positiontup or []
        self.sql = compiled.string
        self.arguments = _in_order(names)
        self.plain = not compiled._bind_processors  # typed binds are SQLAlchemy's to convert
        self.metadata: SimpleResultMetaData | None = None

    async def fetch(self, driver: Any, parameters: Any) -> Result[Any]:
        """All rows."""
        if self.metadata is None:
            prepared = await driver.prepare(self.sql)
            self.metadata = SimpleResultMetaData([column.name for column in prepared.get_attributes()])
        records = await driver.fetch(self.sql, *self.arguments(parameters))
        return IteratorResult(self.metadata, map(tuple, records))


_statements: WeakKeyDictionary[TextClause, _Statement] = WeakKeyDictionary()


def _in_order(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: tuple(parameters[name] for name in names)


class _Savepoint:
    """A savepoint. SQLAlchemy's own takes longer than all that a small batch does within it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def __await__(self) -> Generator[Any, Any, Self]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        await self._connection.execute(_SAVEPOINT)
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            await self.commit()
        elif not self._connection.closed and not self._connection.invalidated:
            await self.rollback()

    async def commit(self) -> None:
        """Let what was written since count with the rest of the transaction."""
        await self._connection.execute(_RELEASE)

    async def rollback(self) -> None:
        """Undo what was written since."""
        await self._connection.execute(_ROLL_BACK)


class DirectConnection(AsyncConnection):
    """An `AsyncConnection` whose textual statements go to asyncpg.

    What is not plain text with named parameters goes SQLAlchemy's way, as does the first statement where no transaction
    was asked for and SQLAlchemy begins one by itself. Errors of the direct way are asyncpg's own
    (`shared.postgres.faults` knows both kinds). Results have no `rowcount`.
    """

    __slots__ = ()

    async def execute(  # type: ignore[override]  # a Result is what callers use of a CursorResult
        self, statement: Any, parameters: Any = None, *, execution_options: Any = None
    ) -> Result[Any]:
        """The rows of a statement; see `AsyncConnection.execute`."""
        if (
            isinstance(statement, TextClause)
            and execution_options is None
            and not isinstance(parameters, list)
        ):
            known = _statements.get(statement)
            if known is None:
                known = _statements[statement] = _Statement(statement)
            if known.plain and (driver := await self._driver()) is not None:
                return await self._unless_cut_off(driver, known.fetch(driver, parameters))
        result: Result[Any] = await super().execute(
            statement, parameters, execution_options=execution_options
        )
        return result

    async def scalar(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """The first column of the first row; see `AsyncConnection.scalar`."""
        return (await self.execute(statement, parameters, execution_options=execution_options)).scalar()

    async def copy_into(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """See the function of this name."""
        assert self.in_transaction()
        assert self.sync_connection is not None
        driver: Any = self.sync_connection.connection.driver_connection
        schema, name = table.split(".")
        copied = driver.copy_records_to_table(name, schema_name=schema, columns=columns, records=rows)
        await self._unless_cut_off(driver, copied)

    def begin_nested(self) -> "_Savepoint":  # type: ignore[override]  # what callers use of an AsyncTransaction
        """A savepoint; see `AsyncConnection.begin_nested`."""
        return _Savepoint(self)

    async def _driver(self) -> Any:
        """asyncpg's connection, if statements may go to it now; the transaction begins with the first of them."""
        connection = self.sync_connection
        if connection is None or connection.closed or connection.invalidated:
            return None
        driver: Any = connection.connection.driver_connection
        if driver is None or driver.is_closed():
            return None
        if not driver.is_in_transaction() and not _is_autocommit(connection):
            if not connection.in_transaction():
                return None  # SQLAlchemy begins one by itself
            await self._begin(connection.connection.dbapi_connection, driver)
        return driver

    async def _begin(self, adapter: Any, driver: Any) -> None:
        """What SQLAlchemy's adapter of the driver does before its own first statement."""
        try:
            await adapter._start_transaction()
        except adapter.dbapi.Error as error:
            raise error.__cause__ or error from None
        except BaseException:
            # Cut off: the server may have begun one that the adapter knows nothing of. Whoever had the connection next
            # would write within it, and no commit would ever end it.
            await self._abandon(driver)
            raise

    async def _unless_cut_off(self, driver: Any, asked: Awaitable[Answer]) -> Answer:
        """What the driver answers. Whoever is cut off meanwhile does not wait for a server that says nothing."""
        try:
            return await asked
        except asyncio.CancelledError:
            if not await _answers(driver):
                await self._abandon(driver)
            raise

    async def _abandon(self, driver: Any) -> None:
        """Give up a connection that nobody can use any more."""
        driver.terminate()
        await self.invalidate()


async def _answers(driver: Any) -> bool:
    """Whether a connection on which a statement was cut off, which the driver has the server cancel, says in time that
    it has heard of it. Else who rolls back, or has it next, would wait for as long as it says nothing."""
    try:
        async with asyncio.timeout(CUT_OFF_S):
            await driver.execute("SELECT 1")
    except (TimeoutError, asyncio.CancelledError):
        return False
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True  # such as that its transaction has failed
    return True


def _is_autocommit(connection: Any) -> bool:
    return bool(connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT")


async def copy_into(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """New rows of a table (`schema.table`) by COPY, the fastest way in for many. The transaction must have begun with a
    statement before."""
    assert isinstance(connection, DirectConnection)
    await connection.copy_into(table, columns, rows)


class DirectEngine(AsyncEngine):
    """An `AsyncEngine` that hands out `DirectConnection`s."""

    _connection_cls = DirectConnection

    def execution_options(self, **opt: Any) -> AsyncEngine:
        """The same pool with these options; see `AsyncEngine.execution_options`."""
        return DirectEngine(self.sync_engine.execution_options(**opt))


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements, each a transaction of its own: one round trip instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
