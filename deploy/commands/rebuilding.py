"""`regulars rebuild`: folds every customer anew with the program of now."""

import asyncio
import signal

from rich.console import Console

from deploy.commands.installation import installation, run
from deploy.errors import LocalError
from deploy.screen import Screen
from services.scoring.application.rebuilding.rebuild import Rebuilding
from shared.clock import system_clock
from shared.program.parse import ProgramError
from shared.vault.secret import SecretError


def rebuild() -> None:
    """Recompute every customer with the current program, while everything runs. Run it again to resume."""
    screen = Screen(Console(), system_clock)
    try:
        run(_rebuild(screen))
    except ProgramError as error:
        raise LocalError(f"The program cannot be used: {error}") from error


async def _rebuild(screen: Screen) -> None:
    # Other commands need not wait for these.
    from services.scoring.adapters.language.engines import EngineError  # noqa: PLC0415
    from services.scoring.wiring.rebuild import run_rebuild  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with installation() as (settings, _):
        with screen.progress("Folding customers anew") as progress:

            def told(rebuilding: Rebuilding, customers: int) -> None:
                progress(min(rebuilding.customers, customers), customers)

            try:
                done = await run_rebuild(settings, system_clock, stop, told)
            except (EngineError, SecretError) as error:
                raise LocalError(str(error)) from error
    if done.finished_at is None:
        screen.line(f"Stopped after {done.customers:,} customers. `regulars rebuild` goes on there.")
    else:
        screen.line(f"Done: {done.customers:,} customers, of whom {done.changed:,} changed")
