"""Scoring: keeps one profile per customer, with facts, score and stage, and tells what happens to them.

python -m services.scoring.main api       profiles, scores and timelines over HTTP
python -m services.scoring.main worker    reads the events, writes profiles and the activity stream
python -m services.scoring.main rebuild   folds every customer anew with the program of now, beside the worker
"""

import asyncio

from services.scoring.wiring.api import create_app
from services.scoring.wiring.parts import SERVICE
from services.scoring.wiring.rebuild import run_rebuild
from services.scoring.wiring.worker import create_worker
from shared.clock import system_clock
from shared.http.app import create_app as create_http_app
from shared.process import asked_role, run_worker_process, serve
from shared.settings import Settings
from shared.telemetry.logs import configure


def main() -> None:
    """Run the role named on the command line."""
    role = asked_role(SERVICE, "api", "worker", "rebuild")
    settings = Settings()
    configure(f"{SERVICE}-{role}", settings.log_level)
    if role == "api":
        serve(create_app(settings), settings.host, settings.scoring_port)
        return
    if role == "rebuild":
        asyncio.run(run_rebuild(settings, system_clock, asyncio.Event(), lambda rebuilding, customers: None))
        return
    worker = create_worker(settings, system_clock)
    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: scoring worker",
        description="Reads events, keeps profiles, tells the activity.",
        health=worker.health(),
    )
    run_worker_process(app, settings.worker_port, worker.run, settings.host)


if __name__ == "__main__":
    main()
