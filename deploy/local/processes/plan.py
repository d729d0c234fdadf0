"""Which processes make up Regulars on one machine, and what each is told."""

import os
from dataclasses import dataclass, field

from deploy import ports
from deploy.local.home import Home
from shared.settings import Service, Settings

SERVICES: tuple[Service, ...] = ("ingest", "scoring", "rewards")
"""Those with an API of their own. What deliveries answers, rewards answers for it."""


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process: `python -m module role`, answering its health at `host:port`."""

    name: str
    module: str
    role: str
    host: str
    port: int
    environment: dict[str, str] = field(repr=False)

    @property
    def address(self) -> str:
        """Where it answers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104  # to ask, not to listen
        return f"http://{host}:{self.port}"


def with_free_ports(settings: Settings) -> Settings:
    """The same settings with every API port known to be free (0 replaced by one that is).

    Raises:
        LocalError: A port is taken; names its setting.
    """
    chosen: dict[str, int] = {}
    for service in SERVICES:
        name = f"{service}_port"
        asked = getattr(settings, name)
        port = ports.require_free(settings.host, asked, f"REGULARS_{service.upper()}_PORT")
        while not asked and port in chosen.values():  # one that is let go may come again
            port = ports.any_free(settings.host)
        chosen[name] = port
    taken: dict[int, str] = {}
    for name, port in chosen.items():
        if port in taken:
            raise ports.clash(f"REGULARS_{taken[port].upper()}", f"REGULARS_{name.upper()}", port)
        taken[port] = name
    return settings.model_copy(update=chosen)


def process_plans(settings: Settings, home: Home) -> list[ProcessPlan]:
    """What to start, in the order in which to start it: readers of a stream before its writer.

    `settings` are complete: database, secret and ports are known.
    """
    port = ports.near(settings.host, settings.rewards_port + 1)
    plans = [_plan(settings, home, "deliveries", "worker", port)]
    for service in reversed(SERVICES):
        if service != "ingest" or settings.on_kafka:  # its worker carries the spool to Kafka
            port = ports.near(settings.host, getattr(settings, f"{service}_port"))
            plans.append(_plan(settings, home, service, "worker", port))
        plans.append(_plan(settings, home, service, "api", getattr(settings, f"{service}_port")))
    return plans


def _plan(settings: Settings, home: Home, service: Service, role: str, port: int) -> ProcessPlan:
    environment = {**os.environ, **_told(settings, home)}
    environment.pop("REGULARS_API_KEY", None)  # the database knows it by now; no service needs to
    if role == "worker":
        environment["REGULARS_WORKER_PORT"] = str(port)
    return ProcessPlan(
        name=f"{service}-{role}",
        module=f"services.{service}.main",
        role=role,
        host=settings.host,
        port=port,
        environment=environment,
    )


def _told(settings: Settings, home: Home) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.secret is not None
    return {
        "PYTHONUNBUFFERED": "1",
        "REGULARS_HOME": str(home.folder),
        "REGULARS_SECRET": settings.secret.get_secret_value(),
        "REGULARS_PARTITIONS": str(settings.partitions),
        "DATABASE_URL": settings.database_url,
        **{
            f"REGULARS_{service.upper()}_PORT": str(getattr(settings, f"{service}_port"))
            for service in SERVICES
        },
        **({"KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers or ""} if settings.on_kafka else {}),
    }
