"""A whole Regulars of real processes that a test can kill piece by piece.

Every part (PostgreSQL, Kafka, each API and each worker) is a `Part` with `start`, `kill` (SIGKILL) and `ready`.
`regulars up` is not used here, because it would restart what a test has just killed on purpose.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import httpx
from pydantic import SecretStr

from deploy import ports
from deploy.kafka.server import KafkaServer
from deploy.local.postgres.embedded import EmbeddedPostgres
from deploy.local.prepare import prepare
from shared.clock import system_clock
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
API_KEY = "reg_test_key_with_every_scope_0123456789"
SECRET = "a-secret-for-tests-that-is-long-enough"
HEADERS = {"Authorization": f"Bearer {API_KEY}"}
Bus = Literal["postgres", "kafka"]


class Part(Protocol):
    """Something that can be killed and started again on the same data."""

    name: str

    async def start(self) -> None: ...

    async def kill(self) -> None: ...


class Postgres:
    """The embedded PostgreSQL, started and tuned as `regulars up` does it."""

    name = "postgres"

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder)
        self.url = self._server.url

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        process = self._server.running()
        assert process is not None
        return process.pid

    async def start(self) -> None:
        """Start it, or start it again after `kill`."""
        await self._server.start(lambda message: None)

    async def kill(self) -> None:
        """SIGKILL to the postmaster; its children follow it."""
        os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End it in good order."""
        await self._server.stop()


@dataclass
class Service:
    """One process of one service."""

    module: str
    role: Literal["api", "worker"]
    environment: dict[str, str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Such as `scoring worker`."""
        return f"{self.module.split('.')[1]} {self.role}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start the process; do not wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, self.role],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def kill(self) -> None:
        """SIGKILL, and reap."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.wait)

    async def revive(self) -> None:
        """Start it again if it ended by itself, as a supervisor would."""
        if self.process is not None and self.process.poll() is not None:
            await self.start()

    async def ready(self, client: httpx.AsyncClient) -> bool:
        """Whether `/readyz` says so."""
        try:
            return (await client.get(f"{self.url}/readyz", timeout=3)).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to what has not ended after 15 s."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Stack:
    """All parts of one installation, and the clients to talk to it."""

    bus: Bus
    folder: Path
    postgres: Postgres
    kafka: KafkaServer | None
    services: dict[str, Service] = field(default_factory=dict)

    @property
    def ingest(self) -> str:
        """Address of the ingest API."""
        return self.services["ingest api"].url

    @property
    def scoring(self) -> str:
        """Address of the scoring API."""
        return self.services["scoring api"].url

    @property
    def rewards(self) -> str:
        """Address of the rewards API."""
        return self.services["rewards api"].url

    async def until_ready(self, timeout_s: float = 150) -> None:
        """Return when every process is ready; start those that ended by themselves."""
        async with httpx.AsyncClient() as client:
            deadline = asyncio.get_running_loop().time() + timeout_s
            waiting = list(self.services.values())
            while waiting:
                for service in waiting:
                    await service.revive()
                waiting = [service for service in waiting if not await service.ready(client)]
                if asyncio.get_running_loop().time() > deadline:
                    names = ", ".join(service.name for service in waiting)
                    raise TimeoutError(f"not ready after {timeout_s} s: {names}\n{self.logs()}")
                if waiting:
                    await asyncio.sleep(0.1)

    def logs(self, lines: int = 30) -> str:
        """The ends of all logs, for a failure's message."""
        parts = []
        for service in self.services.values():
            tail = (
                service.log.read_text(errors="replace").splitlines()[-lines:] if service.log.exists() else []
            )
            parts.append("\n".join([f"--- {service.name}", *tail]))
        return "\n".join(parts)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at the moment."""
    return ports.several_free("127.0.0.1", count)


def _service(
    module: str, role: Literal["api", "worker"], ports: dict[str, int], stack: Stack, extra: dict[str, str]
) -> Service:
    name = module.split(".")[1]
    port = ports[f"{name} {role}"]
    environment = os.environ | {
        "DATABASE_URL": stack.postgres.url,
        "REGULARS_HOME": str(stack.folder),
        "REGULARS_SECRET": SECRET,
        "REGULARS_API_KEY": API_KEY,
        "REGULARS_PARTITIONS": "4",
        "REGULARS_LOG_LEVEL": "warning",
        f"REGULARS_{name.upper()}_PORT": str(ports.get(f"{name} api", port)),
        "REGULARS_WORKER_PORT": str(port),
        **extra,
    }
    for inherited in ("KAFKA_BOOTSTRAP_SERVERS", "PYTHONDONTWRITEBYTECODE"):  # the latter doubles the start
        environment.pop(inherited, None)
    if stack.kafka is not None:
        environment["KAFKA_BOOTSTRAP_SERVERS"] = stack.kafka.bootstrap_servers
    return Service(module, role, environment, port, stack.folder / "logs" / f"{name}-{role}.log")


@asynccontextmanager
async def running(
    bus: Bus,
    *,
    program: str | None = None,
    environment: dict[str, str] | None = None,
    services: tuple[str, ...] = ("ingest", "scoring", "rewards", "deliveries"),
) -> AsyncIterator[Stack]:
    """A stack with the processes of these services ready; everything is ended and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="regulars-stack-"))
    folder.chmod(0o755)
    environment = dict(environment or {})
    if program is not None:
        (folder / "program.yaml").write_text(program)
        environment["REGULARS_PROGRAM"] = str(folder / "program.yaml")
    (folder / "logs").mkdir()
    stack = Stack(bus, folder, Postgres(folder / "pg"), None)
    try:
        await stack.postgres.start()
        prepared = Settings(
            database_url=stack.postgres.url, secret=SecretStr(SECRET), api_key=SecretStr(API_KEY)
        )
        await prepare(prepared, system_clock, lambda message: None)
        if bus == "kafka":
            (kafka_port,) = free_ports(1)
            stack.kafka = KafkaServer(folder / "kafka", kafka_port)
            await asyncio.to_thread(stack.kafka.start)
        parts: list[tuple[str, Literal["api", "worker"]]] = [
            ("services.ingest.main", "api"),
            ("services.scoring.main", "api"),
            ("services.scoring.main", "worker"),
            ("services.rewards.main", "api"),
            ("services.rewards.main", "worker"),
            ("services.deliveries.main", "worker"),
        ]
        if bus == "kafka":
            parts.insert(1, ("services.ingest.main", "worker"))
        parts = [(module, role) for module, role in parts if module.split(".")[1] in services]
        names = [f"{module.split('.')[1]} {role}" for module, role in parts]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        for module, role in parts:
            service = _service(module, role, ports, stack, environment)
            stack.services[service.name] = service
            await service.start()
        await stack.until_ready()
        yield stack
    finally:
        for service in stack.services.values():
            service.stop()
        if stack.kafka is not None:
            stack.kafka.stop()
        await stack.postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
