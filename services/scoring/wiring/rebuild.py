"""The rebuild of all customers, beside the worker."""

import asyncio

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.language.engines import load_engine
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.application.rebuilding.rebuild import Rebuilding
from services.scoring.entrypoints.rebuilding import Told, rebuild_all
from services.scoring.wiring.parts import SERVICE, program_of, rebuild_of, rules_of
from shared.clock import Clock
from shared.postgres.engine import service_engine
from shared.settings import Settings


async def run_rebuild(settings: Settings, clock: Clock, stop: asyncio.Event, told: Told) -> Rebuilding:
    """Fold every customer anew, or go on where that was interrupted. Raises `ProgramError` without a usable
    program, `EngineError` with an engine that fails or is not the workers', `SecretError` with a wrong secret."""
    rules, engine = rules_of(program_of(settings)), service_engine(settings, SERVICE)
    personal, rebuilds = PersonalData(engine, settings.secret), PostgresRebuilds()
    reader = TextReader(personal, load_engine(settings.sentiment))
    rebuild = rebuild_of(settings, rules, rebuilds, reader)
    try:
        await personal.need()
        async with engine.connect() as connection:
            await reader.need_same_engine(connection)
            digest = (await rules.current(connection)).fold_digest
        return await rebuild_all(engine, rebuild, rebuilds, program=digest, clock=clock, stop=stop, told=told)
    finally:
        await engine.dispose()
