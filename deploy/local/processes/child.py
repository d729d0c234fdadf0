"""One service process: started on its leash, watched, started again when it dies, ended gracefully."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable

import httpx

from deploy.local.home import Home
from deploy.local.processes import marks
from deploy.local.processes.plan import ProcessPlan

GRACE_S = 12.0  # the services give themselves ten seconds
BACK_OFF_FIRST_S = 0.5
BACK_OFF_MAX_S = 30.0
STEADY_S = 60.0
"""A process that has run this long starts again without delay built up before."""

LOOK_EVERY_S = 0.1
ANSWER_S_MAX = 3.0

Tell = Callable[[str], None]


class Child:
    """Keeps the process of `plan` running until told to stop."""

    def __init__(self, plan: ProcessPlan, home: Home, tell: Tell) -> None:
        self.plan = plan
        self.log = home.logs / f"{plan.name}.log"
        self.ready = asyncio.Event()
        self.deaths_before_ready = 0
        self.reasons = ""
        self._mark = home.run / f"{plan.name}.pid"
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep_running(self) -> None:
        """Start, watch, and start again, until `stop`."""
        delay = BACK_OFF_FIRST_S
        again = False
        while not self._stopping:
            began = time.monotonic()
            process = await self._start()
            watch = asyncio.create_task(self._watch_ready(again))
            code = await process.wait()
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            self._mark.unlink(missing_ok=True)
            if self._stopping:
                return
            if not self.ready.is_set():
                self.deaths_before_ready += 1
            self.ready.clear()
            delay = BACK_OFF_FIRST_S if time.monotonic() - began > STEADY_S else delay
            self._tell(
                f"{self.plan.name} {how_it_ended(code)}; starting it again in {delay:g} s ({self.log})"
            )
            await asyncio.sleep(delay)
            delay = min(2 * delay, BACK_OFF_MAX_S)
            again = True

    async def stop(self, force: asyncio.Event) -> None:
        """Ask the process to end, and end it after `GRACE_S`, or at once when `force` is set."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        ended = asyncio.create_task(process.wait())
        forced = asyncio.create_task(force.wait())
        await asyncio.wait({ended, forced}, timeout=GRACE_S, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if not ended.done():
            self._tell(f"{self.plan.name} did not end in time and is killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await ended

    def last_words(self, lines: int = 12) -> str:
        """The end of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    async def _start(self) -> asyncio.subprocess.Process:
        with self.log.open("ab") as output:
            self.log.chmod(0o600)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "deploy.local.processes.leash", str(os.getpid()),
                self.plan.module, self.plan.role,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=self.plan.environment,
                start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor alone
            )  # fmt: skip
        mark = marks.Mark.of(self._process.pid)
        if mark is not None:
            marks.write(self._mark, mark)
        return self._process

    async def _watch_ready(self, again: bool) -> None:
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as client:
            while not self.ready.is_set():
                self.reasons = await _ask(client, f"{self.plan.address}/readyz")
                if not self.reasons:
                    self.ready.set()
                    if again:
                        self._tell(f"{self.plan.name} is ready again")
                    return
                await asyncio.sleep(LOOK_EVERY_S)


async def _ask(client: httpx.AsyncClient, url: str) -> str:
    """Why the process is not ready; empty when it is."""
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    return "" if answer.status_code == httpx.codes.OK else answer.text[:500]


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
