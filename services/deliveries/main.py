"""Deliveries: what rewards decided reaches people and machines: e-mail, SMS, push, webhooks.

python -m services.deliveries.main worker    takes outcomes, sends

What it answers over HTTP is answered at the address of rewards, which mounts `routes`.
"""

from services.deliveries.adapters.providers.senders import ProviderSettingsError
from services.deliveries.wiring.parts import SERVICE
from services.deliveries.wiring.worker import create_worker
from shared.http.app import create_app as create_http_app
from shared.http.health import Health
from shared.priority import give_way
from shared.process import asked_role, run_worker_process
from shared.settings import Settings
from shared.telemetry.logs import configure
from shared.version import VERSION


def main() -> None:
    """Run the role named on the command line."""
    asked_role(SERVICE, "worker")
    settings = Settings()
    configure(f"{SERVICE}-worker", settings.log_level)
    try:
        worker = create_worker(settings)
    except ProviderSettingsError as error:
        raise SystemExit(str(error)) from None
    app = create_http_app(
        service=f"{SERVICE}-worker",
        title="Regulars: deliveries worker",
        description="Sends messages and webhooks.",
        health=Health(f"{SERVICE}-worker", VERSION, worker.checks()),
    )
    give_way()  # to those who count orders and answer checkouts: a letter may come a second later
    run_worker_process(app, settings.worker_port, worker.run, settings.host)


if __name__ == "__main__":
    main()
