"""Whether the program in force can be read: until then nothing is decided, and health says why."""

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.adapters.programs import NoProgramError, PostgresPrograms
from shared.clock import Clock
from shared.http.health import Check, Degraded, database_answers
from shared.program.versions.reading import UnreadableProgramError


def program_readable(engine: AsyncEngine, programs: PostgresPrograms, clock: Clock) -> Check:
    """A worker's check: without a program it can do nothing."""

    async def check() -> str | None:
        try:
            async with engine.connect() as connection:
                await programs.current(connection, clock())
        except UnreadableProgramError as error:
            return f"{error.reason} Put a version in force that it can read: what comes in waits for that."
        except NoProgramError:
            return "no program is in force yet"
        return None

    return check


def api_checks(engine: AsyncEngine, programs: PostgresPrograms, clock: Clock) -> dict[str, Check]:
    """The API's checks: what needs no program is answered without one."""
    readable = program_readable(engine, programs, clock)

    async def program() -> str | None:
        reason = await readable()
        return None if reason is None else Degraded(reason)

    return {"database": database_answers(engine), "program": program}
