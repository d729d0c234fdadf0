"""A process of its own, for the tests that kill it: `python -m … api|worker|crash|return PORT`."""

import asyncio
import sys

from shared.process import run_worker_process, serve
from shared.telemetry.logs import configure
from tests.support.http import service


def main() -> None:
    """Run what the first argument names."""
    kind, port = sys.argv[1], int(sys.argv[2])
    configure("trial", "info")
    app = service(deadline_s=20)

    slow_ones: list[str] = []

    @app.get("/slow")
    async def slow() -> str:
        slow_ones.append("running")
        await asyncio.sleep(1)
        return "whole"

    @app.get("/slow-ones")
    async def count() -> int:
        return len(slow_ones)

    async def work(stop: asyncio.Event) -> None:
        if kind == "crash":
            await asyncio.sleep(0.5)
            raise RuntimeError("the loop of 'ana@example.com' broke")
        if kind == "return":
            return
        await stop.wait()
        await asyncio.sleep(0.3)
        sys.stdout.write("batch finished\n")

    if kind == "api":
        serve(app, "127.0.0.1", port)
    else:
        run_worker_process(app, port, work)


if __name__ == "__main__":
    main()
