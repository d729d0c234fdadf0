"""What the machine itself was worth while something was measured: its speed, and what its host took away."""

import time
from collections.abc import Awaitable

import psutil

from tests.benchmarks.report import Figure


def yardstick() -> float:
    """Milliseconds of processor that a million additions take: how fast machine and interpreter are at this moment."""
    start = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.process_time() - start) * 1e3


async def with_steal(letter: str, part: Awaitable[list[Figure]]) -> list[Figure]:
    """The figures of a part, and the share of all processors' time that the host gave to other machines meanwhile.

    Linux calls it steal (proc(5)). Where it is more than a few per cent, rates and waiting times say little about
    what was measured: a virtual machine that is stopped for a third of the time answers late, whatever it runs.
    """
    before = psutil.cpu_times()
    figures = await part
    after = psutil.cpu_times()
    stolen = getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)
    share = stolen / max(_total(after) - _total(before), 1e-9)
    return [*figures, Figure(f"({letter}) processor time taken by the host meanwhile", 100 * share, "%")]


def _total(times: object) -> float:
    """Seconds of all processors; a guest's time is part of the user's already."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    return float(sum(getattr(times, name, 0.0) for name in names))
