"""Plays a simulation in processes of their own, each a share of the customers.

python -m services.rewards.entrypoints.simulation.simulator     one of them: takes its task from standard input
"""

import asyncio
import gc
import sys
from collections.abc import Sequence
from contextlib import suppress
from zlib import crc32

import asyncpg
from msgspec import Struct, msgpack
from msgspec.structs import replace

from services.rewards.adapters.simulation.histories import LAST, PostgresHistory
from services.rewards.application.simulation.simulating import Finding, Task, simulate
from services.rewards.domain.simulation.contrast import Contrast
from shared.priority import give_way

LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
"""Of customer ids, in the order in which the database sorts them."""


class SimulatorError(Exception):
    """A process of a simulation ended without a result."""


class _Order(Struct, frozen=True):
    url: str
    role: str
    task: Task


async def simulate_in_processes(url: str, role: str, task: Task, processes: int) -> Finding:
    """Play a task in so many processes; what all found. They end with this call, however it ends.

    Raises `SimulatorError`.
    """
    shares = [share for share in _shares(task, processes) if share.slices or share.families]
    finding = Finding(contrast=Contrast())
    found = await _all([_Order(url, role, share) for share in shares])
    for one in found:
        finding.contrast.add(one.contrast)
        finding.customers += one.customers
    return finding


def slices(count: int, percent: float = 100.0) -> list[tuple[str, str]]:
    """So many ranges of customer ids, about as many customers in each; with `percent`, that share of all customers."""
    prefixes = [f"cus_{one}{two}" for one in LETTERS for two in LETTERS]
    used = max(1, round(len(prefixes) * percent / 100))
    count = min(count, used)
    starts = [prefixes[used * number // count] for number in range(count)]
    end = LAST if used == len(prefixes) else prefixes[used]
    starts[0] = "" if used == len(prefixes) else starts[0]
    return list(zip(starts, [*starts[1:], end], strict=True))


def _shares(task: Task, processes: int) -> list[Task]:
    return [
        replace(
            task,
            processes=processes,
            slices=task.slices[number::processes],
            families=[each for each in task.families if crc32(each[0].encode()) % processes == number],
        )
        for number in range(processes)
    ]


async def _all(orders: Sequence[_Order]) -> list[Finding]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_one(order)) for order in orders]
    return [task.result() for task in tasks]


async def _one(order: _Order) -> Finding:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.rewards.entrypoints.simulation.simulator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, errors = await process.communicate(msgpack.encode(order))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise SimulatorError("".join(last) or f"it ended with {process.returncode}")
    return msgpack.decode(answer, type=Finding)


async def _play(order: _Order) -> Finding:
    server_settings = {
        "role": order.role,
        "application_name": "regulars-simulation",
        "timezone": "UTC",
        "jit": "off",
    }
    driver = await asyncpg.connect(order.url, server_settings=server_settings, timeout=10)
    try:
        return await simulate(order.task, PostgresHistory(driver))
    finally:
        await driver.close()


def main() -> None:
    """Play one task."""
    give_way()
    gc.disable()  # what a customer leaves behind goes when the next one comes: there are no cycles
    order = msgpack.decode(sys.stdin.buffer.read(), type=_Order)
    sys.stdout.buffer.write(msgpack.encode(asyncio.run(_play(order))))


if __name__ == "__main__":
    main()
