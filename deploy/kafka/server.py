"""A real Apache Kafka on this machine, from its jars: for a laptop without Docker, for tests and for benchmarks.

Needs Java 17 or later, and Maven the first time, to fetch the jars into `.kafka/` of the project.
"""

import base64
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from deploy.ports import any_free

HERE = Path(__file__).resolve().parent
JARS = HERE.parents[1] / ".kafka" / "4.1.0"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
FETCH_TIMEOUT_S = 600.0
READY = "Kafka Server started"


class KafkaError(Exception):
    """Kafka could not be fetched, formatted or started; the message says what to do."""


def missing() -> str | None:
    """What this machine lacks to run Kafka, or None."""
    if shutil.which("java") is None:
        return "Java 17 or later is not installed"
    if not JARS.is_dir() and shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def fetch_jars() -> Path:
    """The folder of the jars; the first call has Maven copy them there."""
    if JARS.is_dir():
        return JARS
    if (reason := missing()) is not None:
        raise KafkaError(reason)
    JARS.parent.mkdir(parents=True, exist_ok=True)
    # Into a folder of our own first: a second process may be doing the same, and nobody may see half of it.
    folder = Path(tempfile.mkdtemp(dir=JARS.parent, prefix="fetching-"))
    try:
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        _run([*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"], FETCH_TIMEOUT_S)
        try:
            folder.rename(JARS)
        except OSError:
            if not JARS.is_dir():
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return JARS


class KafkaServer:
    """One Kafka node, with its data in `folder`, listening on `port` of 127.0.0.1.

    `properties` are lines of configuration that count over those in `server.properties`, where `{port}` and the others
    are filled in too. Blocking; call it from a thread where an event loop runs.
    """

    name = "kafka"

    def __init__(self, folder: Path, port: int, *, memory_mb: int = 512, properties: str = "") -> None:
        self.bootstrap_servers = f"127.0.0.1:{port}"
        self.log = folder / "server.log"
        """What the server printed since it was started last."""
        self._folder = folder
        self._port = port
        self._memory_mb = memory_mb
        self._properties = properties
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it, or start it again on the same data; return when it takes requests. Raises `KafkaError`."""
        if self.pid is not None:
            return
        jars = fetch_jars()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._end_leftover()
        properties = self._format(jars)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._java(jars, f"-Xmx{self._memory_mb}m", "kafka.Kafka", str(properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for us, who end Kafka after those who use it
            )
        self._pid_file.write_text(str(self._process.pid))
        self._wait_ready()

    restart = start

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: as a power cut, but for what the operating system has in its cache."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, as with a hung machine. `resume` ends it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def _pid_file(self) -> Path:
        return self._folder / "server.pid"

    def _format(self, jars: Path) -> Path:
        """Write the configuration and format the storage, once."""
        properties = self._folder / "server.properties"
        data = self._folder / "data"
        if (data / "meta.properties").exists():
            return properties
        template = (HERE / "server.properties").read_text() + self._properties
        filled = template.replace("{port}", str(self._port)).replace("{folder}", str(self._folder))
        properties.write_text(filled.replace("{controller_port}", str(free_port())))
        tool = self._java(jars, "-Xmx128m", "kafka.tools.StorageTool", "format")
        # One of its own: by it, those who read know this data from data that was lost.
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        _run(
            [*tool, f"--cluster-id={cluster_id}", "--config", str(properties)], START_TIMEOUT_S
        )  # it may begin with -
        return properties

    def _java(self, jars: Path, *arguments: str) -> list[str]:
        # The simple collector and the quick compiler leave a small machine to the others: measured over the first ten
        # thousand requests, the optimising compiler costs a third more than it saves.
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", *arguments]

    def _wait_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise KafkaError(f"Kafka ended while it started:\n{self._tail()}")
            if READY in self.log.read_text(errors="replace"):
                return
            time.sleep(0.05)
        self.kill()
        raise KafkaError(f"Kafka was not ready after {START_TIMEOUT_S} s:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._pid_file.unlink(missing_ok=True)

    def _end_leftover(self) -> None:
        """End a server on this folder that outlived the process which had started it."""
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            if str(self._folder / "server.properties") in process.cmdline():
                process.kill()
                process.wait(STOP_TIMEOUT_S)
        except (OSError, ValueError, psutil.Error):
            return


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    return any_free("127.0.0.1")


def _run(command: list[str], timeout_s: float) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)  # noqa: S603
    if done.returncode != 0:
        raise KafkaError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
