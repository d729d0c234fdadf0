"""`regulars up`: everything on this machine, from nothing to ready, until told to end."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from deploy.errors import LocalError
from deploy.local.defaults import with_partitions, with_secret
from deploy.local.home import Home
from deploy.local.postgres.database import keep_alive, reach
from deploy.local.postgres.embedded import EmbeddedPostgres
from deploy.local.prepare import Prepared, prepare
from deploy.local.processes import marks
from deploy.local.processes.plan import ProcessPlan, process_plans, with_free_ports
from deploy.local.processes.supervisor import Supervisor
from deploy.local.streams import kafka_of
from deploy.screen import Screen
from services.deliveries.adapters.providers.senders import ProviderSettingsError, make_providers
from shared.clock import Clock
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: its settings (complete), its processes, and the API key if this start made one."""

    settings: Settings
    plans: tuple[ProcessPlan, ...]
    new_key: str | None

    def address(self, name: str) -> str:
        """Where the process `name` (`rewards-api`, `scoring-worker`) answers."""
        return next(plan.address for plan in self.plans if plan.name == name)


Body = Callable[[Running], Awaitable[None]]


async def up(settings: Settings, screen: Screen, clock: Clock, body: Body, *, kafka: bool = False) -> None:
    """Start everything, run `body` beside it once all is ready, and stay until SIGINT, SIGTERM or SIGHUP.

    With `kafka` a Kafka is started too, and the streams live there.

    Raises:
        LocalError: Something that a person can put right stands in the way.
    """
    stop, force = asyncio.Event(), asyncio.Event()
    _listen_to_signals(stop, force, screen)
    home = Home(settings.home)
    home.prepare()
    with home.locked():
        work = asyncio.create_task(_run(settings, home, screen, clock, body=body, force=force, kafka=kafka))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not work.done():
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    screen.line("Everything has ended. The data stays in " + str(home.folder))


async def _run(
    settings: Settings,
    home: Home,
    screen: Screen,
    clock: Clock,
    *,
    body: Body,
    force: asyncio.Event,
    kafka: bool,
) -> None:
    await _check_providers(settings, clock)
    for name in await asyncio.to_thread(marks.end_left_behind, home.run):
        screen.line(f"{name} was left running by an earlier start; it has been ended")
    settings = with_free_ports(settings)
    settings = with_secret(settings, home)
    async with contextlib.AsyncExitStack() as stack:
        if kafka:
            settings = await stack.enter_async_context(kafka_of(home, settings, screen.line))
        settings, postgres = await stack.enter_async_context(_database(settings, home, screen))
        prepared = await prepare(settings, clock, screen.line)
        plans = tuple(process_plans(settings, home))
        supervisor = Supervisor(plans, home, screen.line)
        try:
            supervisor.begin()
            with screen.progress("Starting the services") as progress:
                await supervisor.wait_until_ready(progress)
            await _stay(supervisor, postgres, screen, body, _running(settings, plans, prepared))
        finally:
            screen.line("Ending the services …")
            await asyncio.shield(supervisor.end(force))


async def _check_providers(settings: Settings, clock: Clock) -> None:
    """Raises `LocalError` now, where a worker would only end and be started again, with the reason in its log."""
    try:
        await make_providers(settings, clock).close()
    except ProviderSettingsError as error:
        raise LocalError(str(error)) from error


async def _stay(
    supervisor: Supervisor, postgres: EmbeddedPostgres | None, screen: Screen, body: Body, running: Running
) -> None:
    """Until cancelled, or until the body or the watching fails."""
    tasks = {asyncio.create_task(supervisor.watch())}
    if postgres is not None:
        tasks.add(asyncio.create_task(keep_alive(postgres, screen.line)))
    playing = asyncio.ensure_future(body(running))
    tasks.add(playing)
    try:
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _database(
    settings: Settings, home: Home, screen: Screen
) -> AsyncIterator[tuple[Settings, EmbeddedPostgres | None]]:
    if settings.database_url is not None:
        await reach(settings.database_url)
        yield with_partitions(settings), None
        return
    postgres = EmbeddedPostgres(home.database)
    screen.line("Starting PostgreSQL …")
    try:
        await postgres.start(screen.line)
        yield with_partitions(settings.model_copy(update={"database_url": postgres.url})), postgres
    finally:
        await asyncio.shield(postgres.stop())


def _running(settings: Settings, plans: tuple[ProcessPlan, ...], prepared: Prepared) -> Running:
    return Running(settings=settings, plans=plans, new_key=prepared.new_key)


def _listen_to_signals(stop: asyncio.Event, force: asyncio.Event, screen: Screen) -> None:
    def ask() -> None:
        if stop.is_set():
            screen.line("Asked again: what has not ended is killed")
            force.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask)
