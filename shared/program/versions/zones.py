"""Whether the database knows a program's time zone. It has zones of its own, by which it cuts days."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.faults import ProgramError, ProgramFault
from shared.program.model.program import Program
from shared.program.parse import place_of

_KNOWN = text("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = :zone)")


async def check_zone(connection: AsyncConnection, program: Program, source: str) -> None:
    """Raises `ProgramError` at the line of `time_zone` where the database does not know it: whatever is counted by days
    would fail later."""
    zone = program.time_zone.key
    if await connection.scalar(_KNOWN, {"zone": zone}):
        return
    place = place_of(source, "time_zone")
    raise ProgramError(
        [
            ProgramFault(
                place.line,
                place.column,
                "time_zone",
                f"The database does not know the time zone {zone}.",
                "Use another name of it, or update PostgreSQL and the time zones of its machine (tzdata).",
            )
        ]
    )
