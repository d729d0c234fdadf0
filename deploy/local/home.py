"""The data folder (`REGULARS_HOME`): who may use it, and what lies where in it."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import LocalError

SECRET_BYTES = 48


class Home:
    """The folder of the embedded database, the secret, logs, and the marks of running processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.database = self.folder / "postgres"
        self.logs = self.folder / "logs"
        self.run = self.folder / "run"
        self.secret_file = self.folder / "secret"

    def prepare(self) -> None:
        """Make the folders that are missing.

        Raises:
            LocalError: The place cannot be written to.
        """
        try:
            for folder in (self.folder, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            self.logs.chmod(0o700)
            self.run.chmod(0o700)
        except OSError as error:
            raise LocalError(
                f"The data folder {self.folder} cannot be used: {error.strerror}. "
                "Set REGULARS_HOME to a folder that you may write to."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the lock goes with the process, however it ends.

        Raises:
            LocalError: Another `regulars up` runs on the same folder.
        """
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                raise LocalError(
                    f"Regulars already runs on {self.folder} (process {file.read().strip() or 'unknown'}). "
                    "End that one first, or set REGULARS_HOME (and the ports) to run a second one beside it."
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def secret(self) -> str:
        """The secret of this folder, made at first use and never changed: what is sealed depends on it.

        Raises:
            LocalError: The file is there but empty or unreadable.
        """
        try:
            kept = self.secret_file.read_text().strip()
        except FileNotFoundError:
            kept = secrets.token_urlsafe(SECRET_BYTES)
            write_atomically(self.secret_file, f"{kept}\n", mode=0o600)
        except OSError as error:
            raise LocalError(f"The secret {self.secret_file} cannot be read: {error.strerror}.") from error
        if not kept:
            raise LocalError(
                f"The secret {self.secret_file} is empty. Put it back from a backup, or set REGULARS_SECRET: "
                "without it, personal data in this folder cannot be read again."
            )
        return kept


def write_atomically(path: Path, content: str, *, mode: int) -> None:
    """Write `content` so that a reader, or a crash, sees all of it or nothing."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
