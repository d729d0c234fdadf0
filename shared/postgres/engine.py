"""Connections to PostgreSQL: one pool per process, under the role of its service."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.postgres.direct import DirectEngine
from shared.settings import Service, Settings

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 60_000
PLANS_S = 10.0
"""So long the server keeps what it planned for a connection. One plan made while a table was nearly empty reads all of
it, and would be kept, however many rows have come since, until autovacuum finds the time to analyse the table: a minute
later at best. To plan all anew takes some milliseconds."""

NOTHING_FURTHER: Mapping[str, str] = MappingProxyType({})


BY_INDEX = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""For connections that send nothing but a few statements about a few rows each: planned once, and by indexes however
small a table was then. A join may still go through a whole index if there was next to nothing in it: all is planned
anew before long (`PLANS_S`)."""

NO_SCANS = {"enable_seqscan": "off"}
"""For workers that look rows up by their keys, a batch at a time. In a table that was nearly empty when they planned, a
scan costs nothing; some seconds of a backlog later each batch reads ten thousand rows to find a few."""


def service_engine(
    settings: Settings,
    service: Service,
    *,
    planning: Mapping[str, str] = NOTHING_FURTHER,
    pool_size: int | None = None,
) -> AsyncEngine:
    """The pool of a process of this service, under the service's own role. Ends the process without `DATABASE_URL`.

    `planning`: how the server plans its statements, `BY_INDEX` or `NO_SCANS`, unless as it does by default.
    """
    if settings.database_url is None:
        raise SystemExit("DATABASE_URL is not set; `regulars up` sets it for its own database")
    return create_engine(
        settings.database_url,
        role=f"regulars_{service}",
        pool_size=pool_size or settings.pool_size,
        application=f"regulars-{service}",
        further=planning,
    )


def create_engine(
    url: str,
    *,
    role: str | None,
    pool_size: int = 10,
    application: str = "regulars",
    further: Mapping[str, str] = NOTHING_FURTHER,
) -> AsyncEngine:
    """A pool on `url` whose connections act as `role` (the one that owns the service's schema).

    With `role` None they act as the URL's own user, as migrations do; `further` are settings of the server for them.
    A connection found dead is replaced: where the server closed it while nobody used it, before anybody notices. One
    taken from the pool has planned nothing that is older than `PLANS_S`. A connect that takes longer than
    `CONNECT_TIMEOUT_S` fails.
    """
    server_settings = {
        "application_name": application,
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "timezone": "UTC",
        "jit": "off",  # compiles for longer than our statements run
        **further,
    }
    if role is not None:
        server_settings["role"] = role
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # a warm connection knows its statements and their plans
        pool_timeout=3,
        hide_parameters=True,
        pool_pre_ping=False,
        connect_args={"timeout": CONNECT_TIMEOUT_S, "server_settings": server_settings},
    )
    event.listen(engine.sync_engine, "checkout", _not_closed)
    event.listen(engine.sync_engine, "checkout", _planned_lately)
    return DirectEngine(engine.sync_engine)


def _not_closed(_connection: Any, record: Any, _proxy: Any) -> None:
    """Hand out no connection that the server has closed meanwhile, as a database does that is started again. The driver
    has heard of it, so that looking costs nothing; whoever waits for an answer would get a 503. One just opened is left
    to say for itself what is wrong: the pool gives up on a second one in a way that nobody takes for a database away.
    """
    if record.driver_connection.is_closed() and "used" in record.info:
        raise InvalidatePoolError
    record.info["used"] = True


def _planned_lately(connection: Any, record: Any, _proxy: Any) -> None:
    """Have all planned anew by a connection that planned long ago. Straight to the driver: no transaction begins."""
    now = time.monotonic()
    if now - record.info.setdefault("planned_at", now) >= PLANS_S:
        connection.run_async(lambda driver: driver.execute("DISCARD PLANS"))
        record.info["planned_at"] = now
