"""A whole Regulars as its user starts it: `regulars up` in a process of its own, on a folder and ports of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy import ports
from deploy.local.home import Home
from deploy.local.postgres.embedded import EmbeddedPostgres
from deploy.local.processes import marks

API_KEY = "end-to-end-test-key-0123456789"
READY_S_MAX = 150.0
STOP_S_MAX = 30.0
SEEN_S_MAX = 20.0
PROCESSES = (
    "deliveries-worker",
    "scoring-worker",
    "scoring-api",
    "rewards-worker",
    "rewards-api",
    "ingest-api",
)


class Installation:
    """Starts, kills and asks one installation; `output` is everything it printed."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._settings = settings
        self.home = Home(folder / "home")
        self.postgres = EmbeddedPostgres(self.home.database)
        self.output = folder / "output"
        self._supervisor: subprocess.Popen[bytes] | None = None
        services = ("ingest", "scoring", "rewards")
        free = ports.several_free("127.0.0.1", len(services))
        self._address = {
            service: f"http://127.0.0.1:{port}" for service, port in zip(services, free, strict=True)
        }
        self.http = httpx.Client(headers={"Authorization": f"Bearer {API_KEY}"}, timeout=10, trust_env=False)

    def address(self, service: str) -> str:
        """Where a service's API answers."""
        return self._address[service]

    def worker_address(self, name: str) -> str:
        """Where a worker process that runs answers its health and metrics."""
        port = self.processes()[name].environ()["REGULARS_WORKER_PORT"]
        return f"http://127.0.0.1:{port}"

    def environment(self) -> dict[str, str]:
        """What the process is told: nothing of the developer's own settings."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("REGULARS", "KAFKA", "DATABASE"))
        }
        chosen = {
            f"REGULARS_{name.upper()}_PORT": url.rsplit(":", 1)[1] for name, url in self._address.items()
        }
        return {
            **kept,
            **chosen,
            "REGULARS_HOME": str(self.home.folder),
            "REGULARS_API_KEY": API_KEY,
            **self._settings,
        }

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `regulars up`, or another command, and return at once."""
        with self.output.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "deploy.cli", *(words or ("up",))],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )
        return self._supervisor

    def start(self) -> None:
        """Start `regulars up` and return when it says that it is ready."""
        self.output.write_bytes(b"")
        supervisor = self.begin()
        until(lambda: "Regulars is ready" in self.printed(), READY_S_MAX, self.explain, alive=supervisor)

    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def printed(self) -> str:
        """What it has printed since its start."""
        return self.output.read_text(errors="replace")

    def explain(self) -> str:
        """Everything that helps to see why something did not happen."""
        logs = [f"--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.home.logs.glob("*.log"))]
        return "\n".join([self.printed(), *logs])

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the supervisor; its exit code."""
        assert self._supervisor is not None
        self._supervisor.send_signal(number)
        return self._supervisor.wait(STOP_S_MAX)

    def processes(self) -> dict[str, psutil.Process]:
        """The service processes that run, by name."""
        found = {name: marks.read(self.home.run / f"{name}.pid") for name in PROCESSES}
        running = {name: mark.process() for name, mark in found.items() if mark is not None}
        return {name: process for name, process in running.items() if process is not None}

    def kill_everything(self) -> None:
        """kill -9 for the supervisor, every service and the database."""
        assert self._supervisor is not None
        server = self.postgres.running()
        victims = [*self.processes().values(), *([server, *server.children()] if server else [])]
        self._supervisor.kill()
        for process in victims:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._supervisor.wait(STOP_S_MAX)
        psutil.wait_procs(victims, timeout=STOP_S_MAX)

    def close(self) -> None:
        """Leave nothing running."""
        if self.is_running():
            self.end(signal.SIGKILL)
        if self.postgres.running() is not None:
            self.kill_everything()
        self.http.close()

    def post(self, *events: dict[str, Any]) -> None:
        """Post events until they are taken, as clients do: 503 asks them to come again."""
        deadline = time.monotonic() + SEEN_S_MAX
        while True:
            answer = self.http.post(f"{self.address('ingest')}/v1/events", json=list(events))
            if answer.status_code == 202:
                return
            assert answer.status_code == 503, answer.text
            assert time.monotonic() < deadline, self.explain()
            time.sleep(min(float(answer.headers["Retry-After"]), 1.0))

    def get(self, service: str, path: str) -> httpx.Response:
        """Ask a service."""
        return self.http.get(f"{self._address[service]}{path}")

    def points(self, customer: str) -> int | None:
        """The points that a customer may spend; None while the customer is not known."""
        answer = self.get("rewards", f"/v1/customers/{customer}/points")
        return int(answer.json()["available"]) if answer.status_code == 200 else None

    def wait_for_points(self, customer: str, points: int) -> None:
        """Return once the customer has exactly these points."""
        until(
            lambda: self.points(customer) == points,
            SEEN_S_MAX,
            lambda: f"{customer} has {self.points(customer)} points, not {points}\n{self.explain()}",
        )


@contextmanager
def installed(**settings: str) -> Iterator[Installation]:
    """An installation in a new folder, ended and removed at the end.

    Not in pytest's folder: another pytest that starts takes from it the right to pass through, which PostgreSQL's
    own user needs when the tests run as root.
    """
    with tempfile.TemporaryDirectory(prefix="regulars-") as folder:
        one = Installation(Path(folder), **settings)
        try:
            yield one
        finally:
            one.close()


def order(number: int, total: str = "49.20", customer: str = "c-42") -> dict[str, Any]:
    """An order that was just paid."""
    return {
        "id": f"order-{number}",
        "source": "shop",
        "type": "order.completed",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "data": {"customer": {"id": customer}, "order_id": str(number), "currency": "USD", "total": total},
    }


def until(
    holds: Callable[[], bool],
    limit_s: float,
    explain: Callable[[], str],
    *,
    alive: subprocess.Popen[bytes] | None = None,
) -> None:
    """Return once `holds()`; fail with `explain()` after `limit_s`, or when `alive` has ended."""
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, explain()
        assert alive is None or alive.poll() is None, explain()
        time.sleep(0.05)
