"""Names to addresses, so that one name that takes long holds nobody else up."""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, in the order in which to try them. Raises `OSError`."""

THREADS = 32
"""The event loop's own resolver shares four threads with everything else."""

KEPT_S = 30.0
KEPT_MAX = 4_096


class Resolver:
    """The system's resolver on threads of its own. Answers are kept for `KEPT_S`; who asks for a name that is being
    resolved waits for that answer."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook-names")
        self._known: OrderedDict[tuple[str, int], tuple[float, list[str]]] = OrderedDict()
        self._asking: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        """See `Resolve`."""
        place = host, port
        known = self._known.get(place)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        asking = self._asking.get(place)
        if asking is None:
            asking = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
            self._asking[place] = asking
            asking.add_done_callback(lambda done: self._answered(place, done))
        return await asyncio.shield(asking)

    def close(self) -> None:
        """Answer nobody any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, place: tuple[str, int], done: "asyncio.Future[list[str]]") -> None:
        self._asking.pop(place, None)
        if done.cancelled() or done.exception() is not None:
            return
        self._known[place] = time.monotonic() + KEPT_S, done.result()
        self._known.move_to_end(place)
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
