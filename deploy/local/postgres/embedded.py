"""The embedded PostgreSQL: made once, found again after a crash, tuned for one machine."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil

from deploy.errors import LocalError
from deploy.local.postgres import binaries

DATABASE = "regulars"
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_CHARACTERS_MAX = 100  # the kernel's limit is 107 on Linux, 103 on macOS
READY_S_MAX = 900  # replaying 2 GB of log after a crash takes minutes on a slow disk
TELL_EVERY_S = 5.0
LAUNCHES_MAX = 3
STOP_S_MAX = 60
CONNECT_S_MAX = 5.0
CONFIGURATION = "regulars.conf"
INCLUDE = f"include_if_exists = '{CONFIGURATION}'"

Tell = Callable[[str], None]


class EmbeddedPostgres:
    """A PostgreSQL server on `data`, reachable by a Unix socket in a private folder only."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.parent / "logs" / "postgres.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the database of Regulars on this server, as its superuser."""
        return self._address(DATABASE)

    async def start(self, tell: Tell) -> None:
        """Make the server where it does not exist, start it where it does not run, and wait until it answers.

        `tell` hears what takes long. A server left running by an earlier start is used as it is.

        Raises:
            LocalError: It cannot be made, does not start, or is not ready after `READY_S_MAX`.
        """
        await asyncio.to_thread(self._prepare)
        await self._launch_until_ready(tell)
        await self._ensure_database()

    async def stop(self) -> None:
        """End the server: sessions are cut, data is flushed. Does nothing where none runs."""
        if self.running() is not None:
            stop = ("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", str(STOP_S_MAX - 5), "stop")
            await asyncio.to_thread(lambda: binaries.run(*stop, check=False))
        if self._child is not None:
            await asyncio.to_thread(self._child.wait, STOP_S_MAX)

    def running(self) -> psutil.Process | None:
        """The server's process, if it is truly this server: an id in an old file may belong to a stranger."""
        if self._child is not None and self._child.poll() is None:
            return psutil.Process(self._child.pid)
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            ours = process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process if ours else None

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        binaries.make_reachable(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._end_orphans()
            binaries.run(
                "initdb", "-D", str(self.data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--no-instructions",
            )  # fmt: skip
        self._configure()

    def _configure(self) -> None:
        main = self.data / "postgresql.conf"
        if INCLUDE not in main.read_text():
            with main.open("a") as file:
                file.write(f"\n{INCLUDE}\n")
        # Written at each start; what an operator sets with ALTER SYSTEM stands above it.
        lines = dict(TUNING)
        if binaries.has_lz4():
            lines |= {"wal_compression": "lz4", "default_toast_compression": "lz4"}
        lines["unix_socket_directories"] = f"'{self._socket_folder()}'"
        content = "".join(f"{name} = {value}\n" for name, value in lines.items())
        path = self.data / CONFIGURATION
        path.write_text(content)
        path.chmod(0o644)

    def _launch(self) -> None:
        self._end_orphans()
        # Nothing of it runs: what a killed server left would stop the next one if its id has come round again.
        for left in (self.data / "postmaster.pid", self._socket_folder() / f"{SOCKET_NAME}.lock"):
            left.unlink(missing_ok=True)
        self._child = binaries.begin("postgres", "-D", str(self.data), log=self.log)

    def _end_orphans(self) -> None:
        """End server processes that outlived their postmaster: none may write beside the next one."""
        orphans = [process for process in psutil.process_iter(["name"]) if self._is_orphan(process)]
        for process in orphans:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(orphans, timeout=5)
        for process in stubborn:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, timeout=5)

    def _is_orphan(self, process: psutil.Process) -> bool:
        try:
            return process.info["name"] == "postgres" and Path(process.cwd()) == self.data
        except psutil.Error:
            return False

    async def _launch_until_ready(self, tell: Tell) -> None:
        began = told = time.monotonic()
        launches = 0
        while not await self._answers():
            now = time.monotonic()
            if self.running() is None:
                if launches == LAUNCHES_MAX:
                    raise LocalError(f"PostgreSQL did not start. The end of {self.log}:\n{self._log_tail()}")
                launches += 1
                await asyncio.to_thread(self._launch)
            if now - began > READY_S_MAX:
                raise LocalError(f"PostgreSQL is not ready after {READY_S_MAX} s; see {self.log}.")
            if now - told > TELL_EVERY_S:
                told = now
                tell(f"PostgreSQL is still starting ({now - began:.0f} s): it replays its log after a crash.")
            await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._address("postgres"), timeout=CONNECT_S_MAX)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self._address("postgres"), timeout=CONNECT_S_MAX)
        try:
            exists = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
            if not exists:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def _address(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self._socket_folder()}"

    def _socket_folder(self) -> Path:
        """The data folder itself, which is private; where its path is too long for a socket, a private one in
        the system's folder for temporary files."""
        if len(str(self.data / SOCKET_NAME)) <= SOCKET_PATH_CHARACTERS_MAX:
            return self.data
        owner = self.data.stat().st_uid
        digest = hashlib.blake2b(os.fsencode(self.data), digest_size=6).hexdigest()
        short = Path(tempfile.gettempdir()) / f"regulars-{owner}-{digest}"
        short.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0 and not short.is_symlink() and short.stat().st_uid == 0:
            os.chown(short, owner, -1)
        status = short.lstat()
        if short.is_symlink() or status.st_uid != owner or status.st_mode & 0o077:
            raise LocalError(f"{short} is not private to PostgreSQL's user; remove it and start again.")
        return short

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except OSError as error:
            return str(error)


TUNING = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "'256MB'",
    "synchronous_commit": "on",
    "max_wal_size": "'2GB'",
    "checkpoint_timeout": "'15min'",
    "checkpoint_completion_target": "0.9",
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "log_checkpoints": "off",
    "log_line_prefix": "'%m [%p] %a '",
}
"""What one machine wants: durable commits, few checkpoints, room for every process's pool."""
