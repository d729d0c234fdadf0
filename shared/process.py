"""Runs a process of Regulars: its event loop, its HTTP server, its signals, its end.

SIGTERM and SIGINT end it gracefully: nothing new is taken on, what is in flight finishes, within `GRACE_S`. A second
signal ends it at once.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from shared.garbage import keep_what_is_loaded
from shared.http.edge.wire import Wire
from shared.telemetry.metrics import LOOP_LAG_SECONDS

if sys.platform != "win32":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop

GRACE_S = 10
LAG_PERIOD_S = 1.0

Main = Callable[[asyncio.Event], Awaitable[None]]
"""A process's work: returns soon after the event is set, and not before."""

log = structlog.get_logger()


class ProcessFailedError(Exception):
    """The process cannot go on; it ends with a non-zero code."""


def asked_role(service: str, *roles: str) -> str:
    """The role that the command line of a service names; where it names none, the process ends with its usage."""
    role = sys.argv[1] if len(sys.argv) == 2 else ""
    if role not in roles:
        raise SystemExit(f"usage: python -m services.{service}.main {'|'.join(roles)}")
    return role


def run(main: Main) -> None:
    """Run `main` on uvloop until it returns. Exits non-zero when it raises, having logged why."""
    keep_what_is_loaded()
    _exit(_with_signals(main))


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until a signal; requests in flight finish first. Exits non-zero when it cannot start."""

    async def main(stop: asyncio.Event) -> None:
        await serve_until(app, host, port, stop)

    run(main)


def run_worker_process(app: FastAPI, port: int | None, main: Main, host: str = "127.0.0.1") -> None:
    """Run `main` with `app` (health and metrics) beside it on `port`, or without when there is no port.

    When `main` raises or returns before it was told to stop, the process ends with a non-zero code.
    """

    async def both(stop: asyncio.Event) -> None:
        await _run_beside(app, host, port, main, stop)

    run(both)


async def serve_until(app: FastAPI, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve `app` until `stop`, then until its requests are answered (at most `GRACE_S`)."""
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Wire,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,  # longer than load balancers keep theirs, so that they close first
            timeout_graceful_shutdown=GRACE_S,
            backlog=2048,
        )
    )

    async def end_on_stop() -> None:
        await stop.wait()
        health = getattr(app.state, "health", None)
        if health is not None:
            health.stopping = True
        server.should_exit = True

    ending = asyncio.create_task(end_on_stop())
    try:
        await server.serve()
    except SystemExit:
        raise ProcessFailedError(f"cannot serve on {host}:{port}") from None
    finally:
        ending.cancel()
    if not server.started:
        raise ProcessFailedError(f"cannot serve on {host}:{port}")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: one place decides when the process ends."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _run_beside(app: FastAPI, host: str, port: int | None, main: Main, stop: asyncio.Event) -> None:
    stop_server = asyncio.Event()
    work = asyncio.create_task(_await(main, stop))
    tasks = {work}
    if port is not None:
        tasks.add(asyncio.create_task(serve_until(app, host, port, stop_server)))
    stopped = asyncio.create_task(_await(asyncio.Event.wait, stop))
    try:
        done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if not stop.is_set():
            raise ProcessFailedError("the worker's loop or its server ended without being told to")
        _, late = await asyncio.wait({work}, timeout=GRACE_S)
        if late:
            log.warning("worker_cut_off", after_s=GRACE_S)
        else:
            work.result()
    finally:
        stop_server.set()
        work.cancel()
        stopped.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)


async def _await(main: Callable[[asyncio.Event], Awaitable[object]], stop: asyncio.Event) -> None:
    await main(stop)


def _with_signals(main: Main) -> int:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_guarded(main))


async def _guarded(main: Main) -> int:
    """Run `main` with a stop event that signals set; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None

    def on_signal(number: int) -> None:
        if stop.is_set():
            log.warning("stopping_at_once", signal=signal.Signals(number).name)
            this.cancel()
        else:
            log.info("stopping", signal=signal.Signals(number).name)
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    lag = asyncio.create_task(_measure_lag())
    try:
        await main(stop)
    except asyncio.CancelledError:
        return 1
    except Exception as error:  # the process's last words
        log.error("process_failed", exc_info=error)
        return 1
    finally:
        lag.cancel()
    return 0


async def _measure_lag() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PERIOD_S
        await asyncio.sleep(LAG_PERIOD_S)
        LOOP_LAG_SECONDS.set(max(0.0, loop.time() - due))


def _exit(code: int) -> None:
    sys.stdout.flush()
    if code:
        sys.exit(code)
