"""`python -m tests.benchmarks`: all parts on one machine, in one run, as a table."""

import argparse
import asyncio
import platform
import sys

import psutil

from tests.benchmarks.footprint import footprint
from tests.benchmarks.ingest import ingest
from tests.benchmarks.latency import latency
from tests.benchmarks.machine import with_steal, yardstick
from tests.benchmarks.mail import mail
from tests.benchmarks.pipeline import pipeline
from tests.benchmarks.postings import postings
from tests.benchmarks.redemptions import redemptions
from tests.benchmarks.report import Figure, show
from tests.benchmarks.scoring import scoring
from tests.benchmarks.simulation import simulation
from tests.benchmarks.webhooks import webhooks
from tests.support.stack import Bus, running

PARTS = "abcdefghmw"


async def measure(bus: Bus, parts: str) -> list[Figure]:
    """All chosen parts on one bus; ingest alone on processes of its own, so that nobody inherits its backlog."""
    figures: list[Figure] = []
    if "a" in parts:
        async with running(bus, services=("ingest",)) as stack:
            figures += await with_steal("a", ingest(stack))
    if set(parts) & set("bcde"):
        async with running(bus) as stack:
            through = await with_steal("b", pipeline(stack))
            figures += through
            if "c" in parts:
                figures += await with_steal("c", latency(stack, through[0].value))
            if "e" in parts:
                figures += await footprint(stack)
            if "d" in parts and bus == "postgres":
                figures += await with_steal("d", redemptions(stack))
    if "g" in parts and bus == "postgres":
        async with running(bus) as stack:
            figures += await with_steal("g", postings(stack))
    others = {"f": scoring, "h": simulation, "m": mail, "w": webhooks}
    for letter, part in others.items():
        if letter in parts and bus == "postgres":
            figures += await with_steal(letter, part())
    return figures


async def run(buses: list[Bus], parts: str) -> None:
    """Measure and print, bus by bus."""
    python = f"Python {platform.python_version()} ({sys.executable})"
    for bus in buses:
        before = yardstick()
        figures = await measure(bus, parts)
        speed = [
            Figure(f"a million additions, {when}", ms, "ms")
            for when, ms in (("before", before), ("after", yardstick()))
        ]
        title = f"Regulars on {psutil.cpu_count()} cores, {platform.machine()}, {python}, bus: {bus}"
        show([*speed, *figures], title)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bus", choices=["postgres", "kafka"], help="only this one")
    parser.add_argument("--parts", default=PARTS, help="such as bc; the letters of the table")
    arguments = parser.parse_args()
    buses: list[Bus] = [arguments.bus] if arguments.bus else ["postgres", "kafka"]
    asyncio.run(run(buses, arguments.parts))


if __name__ == "__main__":
    main()
