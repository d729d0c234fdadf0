"""The supervisor, on real processes."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import psutil
import pytest

from deploy.errors import LocalError
from deploy.local.home import Home
from deploy.local.processes import child as child_module
from deploy.local.processes import marks, supervisor
from deploy.local.processes.plan import ProcessPlan
from deploy.local.processes.supervisor import Supervisor
from tests.unit.deploy.conftest import MakePlan

WAIT_S_MAX = 20


PARENT = """
import os, subprocess, sys, time
leash = [sys.executable, "-m", "deploy.local.processes.leash", str(os.getpid()), *sys.argv[1:]]
print(subprocess.Popen(leash, stdout=sys.stderr).pid, flush=True)
time.sleep(60)
"""


def ignore(_done: int, _all: int) -> None:
    """Nobody watches the progress here."""


@contextlib.asynccontextmanager
async def supervised(
    plans: Sequence[ProcessPlan], home: Home, told: list[str]
) -> AsyncIterator[tuple[Supervisor, asyncio.Event]]:
    force = asyncio.Event()
    watcher = Supervisor(plans, home, told.append)
    watcher.begin()
    try:
        yield watcher, force
    finally:
        await watcher.end(force)


async def process_of(home: Home, name: str, *, other_than: int = 0) -> psutil.Process:
    """The running process that the mark names, once there is one (other than an earlier one)."""
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            mark = marks.read(home.run / f"{name}.pid")
            process = mark.process() if mark else None
            if process is not None and process.pid != other_than:
                return process
            await asyncio.sleep(0.02)


async def test_processes_become_ready_and_end_when_told(home: Home, make_plan: MakePlan) -> None:
    told: list[str] = []
    plans = [make_plan("one"), make_plan("two")]
    seen: list[tuple[int, int]] = []

    async with supervised(plans, home, told) as (watcher, _):
        await watcher.wait_until_ready(lambda done, total: seen.append((done, total)))
        processes = [await process_of(home, plan.name) for plan in plans]

    assert seen[-1] == (2, 2)
    assert not any(process.is_running() for process in processes)
    assert not [*home.run.glob("*.pid")]


async def test_process_that_dies_is_started_again(home: Home, make_plan: MakePlan) -> None:
    told: list[str] = []
    async with supervised([make_plan()], home, told) as (watcher, _):
        await watcher.wait_until_ready(ignore)
        first = await process_of(home, "little")

        first.kill()
        second = await process_of(home, "little", other_than=first.pid)
        await watcher.wait_until_ready(ignore)

        assert second.is_running()
    assert any("was ended by SIGKILL" in line for line in told)
    assert any("is ready again" in line for line in told)


async def test_process_that_never_comes_up_is_reported_with_its_log(home: Home, make_plan: MakePlan) -> None:
    told: list[str] = []
    async with supervised([make_plan(mode="broken")], home, told) as (watcher, _):
        with pytest.raises(LocalError, match=r"little does not start(.|\n)*little service begins, broken"):
            await watcher.wait_until_ready(ignore)
    assert any("exited with code 3" in line for line in told)


async def test_process_that_ignores_the_request_is_killed_after_its_grace(
    home: Home, make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "GRACE_S", 0.3)
    told: list[str] = []
    async with supervised([make_plan(mode="stubborn")], home, told) as (watcher, _):
        await watcher.wait_until_ready(ignore)
        process = await process_of(home, "little")

    assert not process.is_running()
    assert any("did not end in time" in line for line in told)


async def test_force_does_not_wait_for_the_grace(home: Home, make_plan: MakePlan) -> None:
    told: list[str] = []
    async with supervised([make_plan(mode="stubborn")], home, told) as (watcher, force):
        await watcher.wait_until_ready(ignore)
        process = await process_of(home, "little")
        force.set()
        async with asyncio.timeout(child_module.GRACE_S / 2):
            await watcher.end(force)

    assert not process.is_running()


async def test_process_goes_when_its_supervisor_is_killed(home: Home, make_plan: MakePlan) -> None:
    plan = make_plan()
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, plan.module, plan.role,
        env=plan.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout is not None
    assert parent.stderr is not None
    leashed = psutil.Process(int(await parent.stdout.readline()))
    await parent.stderr.readline()  # it has begun, so it is on its leash

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    gone, _ = await asyncio.to_thread(psutil.wait_procs, [leashed], WAIT_S_MAX)
    assert gone


def orphan() -> psutil.Process:
    """A process that is nobody's child, as those of a killed supervisor are."""
    made = subprocess.run(
        ["sh", "-c", "sleep 60 >&2 & echo $!"], stdout=subprocess.PIPE, text=True, check=True
    )
    return psutil.Process(int(made.stdout))


def test_what_an_earlier_start_left_is_ended_and_strangers_are_not(home: Home) -> None:
    left, stranger = orphan(), orphan()
    try:
        own = marks.Mark.of(left.pid)
        assert own is not None
        marks.write(home.run / "scoring-api.pid", own)
        marks.write(home.run / "rewards-api.pid", marks.Mark(stranger.pid, own.started - 1000))
        (home.run / "damaged.pid").write_text("{")

        assert marks.end_left_behind(home.run) == ["scoring-api"]

        assert not left.is_running()
        assert stranger.is_running()
        assert not [*home.run.glob("*.pid")]
    finally:
        for process in (left, stranger):
            with contextlib.suppress(psutil.Error):
                process.kill()


def test_log_that_grows_is_rotated_under_its_writer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOG_BYTES_MAX", 10)
    log = home.logs / "little.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(5):
            writer.write(b"%d" % number * 11)
            supervisor.rotate_large(home.logs)
        writer.write(b"last")

    assert log.read_bytes() == b"last"
    kept = [home.logs / f"little.log.{number}" for number in (1, 2, 3)]
    assert [path.read_bytes()[:1] for path in kept] == [b"4", b"3", b"2"]
    assert not (home.logs / "little.log.4").exists()
