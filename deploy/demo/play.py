"""`regulars demo`: replays the history, waits until the last point is posted, and shows what came of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo import metrics
from deploy.demo.history import History, load
from deploy.demo.replay import replay
from deploy.demo.summary import Api, show
from deploy.errors import LocalError
from deploy.lending import lend_key
from deploy.local.up import Running
from deploy.screen import Screen
from shared.auth.scopes import ALL_SCOPES
from shared.clock import Clock
from shared.postgres.engine import create_engine

KEY_NAME = "demo"
POINTS_EVERY_S = 1.0
PLAIN_EVERY_S = 5.0


async def play(running: Running, screen: Screen, clock: Clock, orders: int | None) -> None:
    """Replay `orders` orders (None: the whole year) through the public API, then print the outcome."""
    token = await _token(running, clock)
    screen.line("Reading the year of orders …")
    history = await asyncio.to_thread(load, clock(), orders)
    screen.line(
        f"Replaying {history.orders:,} orders of {history.customers:,} customers through POST /v1/events"
    )
    async with httpx.AsyncClient(base_url=running.address("ingest-api"), trust_env=False) as client:
        api = Api(running, client, token)
        async with _bar(api, screen, history) as bar:
            await replay(history.events(), client, token, bar.posted)
            await metrics.wait_until_caught_up(client, _workers(running), bar.catching_up)
        await show(api, running, screen, history, clock())
    screen.line("Everything stays up. Ctrl-C ends it; started again it goes on where it was.")


async def _token(running: Running, clock: Clock) -> str:
    """A key that the printed curl can use: the one just made, the one that is set, or one for the demo alone."""
    if running.new_key is not None:
        return running.new_key
    if running.settings.api_key is not None:
        return running.settings.api_key.get_secret_value()
    assert running.settings.database_url is not None
    engine = create_engine(running.settings.database_url, role=None, pool_size=1, application="regulars-demo")
    try:
        return (await lend_key(engine, KEY_NAME, ALL_SCOPES, clock)).token
    finally:
        await engine.dispose()


def _workers(running: Running) -> list[str]:
    return [running.address("scoring-worker"), running.address("rewards-worker")]


class _Bar:
    """Events posted, events per second, points issued: as a bar, or as lines where there is no terminal."""

    def __init__(self, progress: Progress, screen: Screen, total: int) -> None:
        self._progress = progress
        self._screen = screen
        self._total = total
        self._done = 0
        self._points = 0
        self._title = "Posting"
        self._began = asyncio.get_running_loop().time()
        self._last_line = self._began
        self._task = progress.add_task(self._title, total=total, rate="", points="")

    def posted(self, events: int) -> None:
        self._done += events
        self._show("Posting" if self._done < self._total else "Posted, being counted")

    def points(self, points: int) -> None:
        self._points = points
        self._show(None)

    def catching_up(self, left: int) -> None:
        self._show(f"Counting, {left:,} left" if left else "Counting")

    def _show(self, title: str | None) -> None:
        now = asyncio.get_running_loop().time()
        rate = f"{self._done / max(now - self._began, 0.001):,.0f} events/s"
        self._title = title or self._title
        self._progress.update(
            self._task,
            description=self._title,
            completed=self._done,
            rate=rate,
            points=f"{self._points:,} points",
        )
        if not self._screen.console.is_terminal and now - self._last_line >= PLAIN_EVERY_S:
            self._last_line = now
            self._screen.line(
                f"{self._done:,} of {self._total:,} events, {rate}, {self._points:,} points issued"
            )


@contextlib.asynccontextmanager
async def _bar(api: Api, screen: Screen, history: History) -> AsyncIterator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[points]}"),
        TimeElapsedColumn(),
    )
    hidden = not screen.console.is_terminal
    with Progress(*columns, console=screen.console, disable=hidden) as progress:
        bar = _Bar(progress, screen, history.events_count)
        ticking = asyncio.create_task(_tick(bar, api))
        try:
            yield bar
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking


async def _tick(bar: _Bar, api: Api) -> None:
    while True:
        with contextlib.suppress(LocalError):  # a service that starts again: the next look will do
            bar.points((await api.get("rewards", "/v1/summary"))["points_issued"])
        await asyncio.sleep(POINTS_EVERY_S)
