"""Rewards: points, tiers, milestones and offers from what customers do; redemptions at the checkout.

python -m services.rewards.main api       the HTTP API
python -m services.rewards.main worker    takes activities, does what time makes due
"""

import asyncio

from services.rewards.wiring.api import create_app
from services.rewards.wiring.parts import SERVICE
from services.rewards.wiring.start import store_program
from services.rewards.wiring.worker import create_worker
from shared.clock import system_clock
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.process import asked_role, run_worker_process, serve
from shared.program.versions.deciding import server_time
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.version import VERSION


def main() -> None:
    """Run the role named on the command line."""
    role = asked_role(SERVICE, "api", "worker")
    settings = Settings()
    configure(f"{SERVICE}-{role}", settings.log_level)
    if role == "api":
        serve(create_app(settings, witness=server_time), settings.host, settings.rewards_port)
        return
    worker = create_worker(settings)

    async def work(stop: asyncio.Event) -> None:
        await store_program(settings, system_clock, server_time)
        await worker.run(stop)

    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: rewards worker",
        description="Turns activities into points, tiers, milestones and offers.",
        health=Health(f"{SERVICE}-worker", VERSION, worker.checks()),
    )
    run_worker_process(app, settings.worker_port, work, settings.host)


if __name__ == "__main__":
    main()
