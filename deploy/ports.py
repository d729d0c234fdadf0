"""Ports: found free or refused by name before anything starts."""

import errno
import random
import socket
from contextlib import ExitStack, suppress

import psutil

from deploy.errors import LocalError

WORKER_PORT_ABOVE_API = 100

LISTENING = range(15_000, 32_000)
"""Where free ports are looked for: below those that systems give to outgoing connections, one of which could take a
port after it was found and before somebody listens there."""

TRIES = 100
"""Then any that the system names, so that a full range, or a host that is not this machine, is told by its error."""

_ANY = random.SystemRandom()  # no two processes of one seed look at the same ones


def require_free(host: str, port: int, setting: str) -> int:
    """`port`, once it is known that it can be listened on; 0 asks for any free one.

    Raises:
        LocalError: Something else listens there, or the address is not this machine's. Names `setting`.
    """
    try:
        with _bound(host, port) as listener:
            return int(listener.getsockname()[1])
    except PermissionError as error:
        raise LocalError(
            f"Port {port} is reserved for the system. Set {setting} to one above 1023."
        ) from error
    except OverflowError as error:
        raise LocalError(f"{setting} is {port}: ports go up to 65535.") from error
    except socket.gaierror as error:
        raise LocalError(f"REGULARS_HOST is {host!r}, which is no address of a machine.") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise LocalError(f"Cannot listen on {host} (REGULARS_HOST): {error.strerror}.") from error
        raise LocalError(
            f"Port {port} on {host} is in use{_owner(port)}. End that program, or set "
            f"{setting} to a free port."
        ) from error


def clash(one: str, other: str, port: int) -> LocalError:
    """The complaint that two settings name the same port."""
    return LocalError(f"{one} and {other} are both {port}; each service needs a port of its own.")


def near(host: str, api_port: int) -> int:
    """The port of a worker: `WORKER_PORT_ABOVE_API` above its service's API where that is free, else any."""
    return free_or_any(host, api_port + WORKER_PORT_ABOVE_API)


def free_or_any(host: str, port: int) -> int:
    """`port` where nobody listens on it, else any that is free."""
    try:
        with _bound(host, port):
            return port
    except (OSError, OverflowError):
        return any_free(host)


def any_free(host: str) -> int:
    """A port that nobody listens on now."""
    (port,) = several_free(host, 1)
    return port


def several_free(host: str, count: int) -> list[int]:
    """So many different ports that nobody listens on now: held all at once, since one that is let go may come again."""
    with ExitStack() as held:
        listeners = [held.enter_context(_bound_to_some(host)) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def _bound_to_some(host: str) -> socket.socket:
    for port in _ANY.sample(LISTENING, TRIES):
        with suppress(OSError):
            return _bound(host, port)
    return _bound(host, 0)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # As the services do: a port whose last owner ended a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
    except BaseException:
        listener.close()
        raise
    return listener


def _owner(port: int) -> str:
    """Who listens on `port`, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            address: tuple[str, int] | tuple[()] = connection.laddr
            listens = connection.status == psutil.CONN_LISTEN and address[1:] == (port,)
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
