"""What must be in order before anything runs: the secret, and the program file as a version."""

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.programs.program_watch import unreadable
from services.rewards.wiring.parts import SERVICE, programs_of
from shared.alerts.raising import raise_alerts
from shared.clock import Clock
from shared.postgres.engine import service_engine
from shared.postgres.faults import is_database_away
from shared.program import program_text
from shared.program.versions.deciding import DecisionClock, Witness
from shared.program.versions.reading import UnreadableProgramError
from shared.settings import Settings
from shared.vault.secret import check_secret

START_PATIENCE_S = 60.0
log = structlog.get_logger()


async def store_program(settings: Settings, clock: Clock, witness: Witness | None = None) -> None:
    """Make the program file a new version if it differs from the last one that came from a file; the one that ships,
    only while nobody has activated another.

    Waits for a database that is away. Raises `ProgramError` when the file is not fit to go live, or a version that is
    in force or scheduled is not any more; of that an alert is left.
    """
    source = program_text(settings.program)
    programs = programs_of(settings)
    engine = service_engine(settings, SERVICE)
    try:
        async with asyncio.timeout(START_PATIENCE_S):
            while True:
                try:
                    async with engine.begin() as connection:
                        await check_secret(connection, settings.secret)
                        now = await DecisionClock(clock, witness).now(connection)
                        await programs.add_file(connection, source, now, shipped=settings.program is None)
                        rulebook, timeline = await programs.latest(connection, now)
                        scheduled = [activation.version for activation in timeline.scheduled(now)]
                        for version in (rulebook.program.version, *scheduled):
                            await programs.check_zone(connection, version)
                    return
                except UnreadableProgramError as error:
                    async with engine.begin() as connection:
                        await raise_alerts(connection, [unreadable(error, clock())])
                    raise
                except Exception as error:
                    if not is_database_away(error):
                        raise
                    log.warning("database_away_at_start", reason=type(error).__name__)
                    await asyncio.sleep(1)
    finally:
        await engine.dispose()


async def verify_secret(engine: AsyncEngine, settings: Settings) -> None:
    """A wrong secret ends the start; a database that is away does not."""
    try:
        async with engine.begin() as connection:
            await check_secret(connection, settings.secret)
    except Exception as error:
        if not is_database_away(error):
            raise
        log.warning("database_away_at_start", reason=type(error).__name__)
