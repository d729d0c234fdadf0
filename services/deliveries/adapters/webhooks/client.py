"""The HTTP client of webhooks: it goes where an endpoint points to, and nowhere inside the network.

The name is resolved, every address of it is checked, and the connection is made to the very address that was checked,
so that a name that resolves to another address a moment later (DNS rebinding) gains nothing. Redirects are not
followed, environment proxies not asked, bodies not unpacked; a try ends after `TRY_S` whatever the other side does, and
no more than `ANSWER_BYTES_MAX` of an answer is read.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import httpcore

from services.deliveries.adapters.webhooks.resolving import Resolve, Resolver
from services.deliveries.domain.webhooks.addresses import Network
from services.deliveries.domain.webhooks.retrying import Answer
from services.deliveries.domain.webhooks.targets import Target, may_send

TRY_S = 15.0
CONNECT_S = 5.0
BODY_S = 2.0
"""After a status, for what comes with it."""

ADDRESSES_MAX = 4
"""Of one name that are tried one after the other."""

ANSWER_BYTES_MAX = 64 * 1024
EXCERPT_CHARACTERS = 500
HEADERS_MAX = 100
POOLS_MAX = 256
"""Endpoints whose connections are kept open for the next message."""

IDLE_S = 30.0
RETRY_AFTER_S_MAX = 7 * 86_400

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class RefusedAddressError(httpcore.ConnectError):
    """The name leads to an address that webhooks may not be sent to."""


class SafeClient:
    """Posts to endpoints. `allowed`: networks beside the public internet that the operator has named."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        try_s: float = TRY_S,
    ) -> None:
        self._allowed = tuple(allowed)
        self._own = Resolver() if resolve is None else None
        self._resolve: Resolve = resolve or self._own  # type: ignore[assignment]
        self._tls = tls or httpcore.default_ssl_context()
        self._try_s = try_s
        self._pools: OrderedDict[str, tuple[Target, httpcore.AsyncConnectionPool]] = OrderedDict()
        self._busy: dict[str, int] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def post(self, endpoint: str, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send once. Connections are kept by `endpoint`, so that one that hangs holds up no other on the same host."""
        pool = self._pool(endpoint, target)
        self._busy[endpoint] = self._busy.get(endpoint, 0) + 1
        try:
            async with asyncio.timeout(self._try_s):
                return await self._post(pool, target, headers, body)
        except TimeoutError:
            return Answer(None, "timeout")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Answer(None, _word(error))
        finally:
            self._busy[endpoint] -= 1
            if not self._busy[endpoint]:
                del self._busy[endpoint]

    async def check(self, target: Target) -> bool:
        """Whether the name leads only where webhooks may go, as far as can be seen now. A name that cannot be resolved
        yet is none of our business here. Raises nothing."""
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await self._resolve(target.host, target.port)
        except (OSError, TimeoutError, UnicodeError):
            return True
        return all(may_send(target.scheme, address, self._allowed) for address in found)

    async def aclose(self) -> None:
        """Close every connection."""
        for _, pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()
        if self._own is not None:
            self._own.close()

    async def _post(
        self, pool: httpcore.AsyncConnectionPool, target: Target, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        sent = {
            "host": target.authority,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept-encoding": "identity",
            "user-agent": "Regulars-Webhooks",
            **headers,
        }
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        async with pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
            text = await _read_some(response)
            return Answer(response.status, None, _retry_after(response), text)

    def _pool(self, endpoint: str, target: Target) -> httpcore.AsyncConnectionPool:
        known = self._pools.get(endpoint)
        if known is not None and known[0] == target:
            self._pools.move_to_end(endpoint)
            return known[1]
        backend = _CheckedBackend(target.scheme, self._resolve, self._allowed)
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=None,  # whoever calls limits how many at a time
            max_keepalive_connections=4,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )
        if known is not None:
            self._let_go(known[1])
        self._pools[endpoint] = target, pool
        self._make_room()
        return pool

    def _make_room(self) -> None:
        """Close the connections of those not written to for longest; not of those being written to."""
        if len(self._pools) <= POOLS_MAX:
            return
        idle = next((each for each in self._pools if each not in self._busy), None)
        if idle is not None:
            self._let_go(self._pools.pop(idle)[1])

    def _let_go(self, pool: httpcore.AsyncConnectionPool) -> None:
        task = asyncio.get_running_loop().create_task(pool.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, scheme: str, resolve: Resolve, allowed: Sequence[Network]) -> None:
        self._scheme = scheme
        self._resolve = resolve
        self._allowed = allowed
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `AsyncNetworkBackend`. Raises `RefusedAddressError` when any address of the name is not allowed: who
        mixes public and private ones is up to something."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("name_not_found") from error
        if not addresses or not all(may_send(self._scheme, each, self._allowed) for each in addresses):
            raise RefusedAddressError("address_refused")
        failure: Exception | None = None
        for address in addresses[:ADDRESSES_MAX]:
            try:
                return await self._network.connect_tcp(address, port, timeout=CONNECT_S)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface is httpcore's
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise RefusedAddressError("address_refused")

    async def sleep(self, seconds: float) -> None:
        """See `AsyncNetworkBackend`."""
        await asyncio.sleep(seconds)


async def _read_some(response: httpcore.Response) -> str:
    """The beginning of the body. What counts is the status: a body that breaks off, drips or does not end is left."""
    taken = bytearray()
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(BODY_S):
            async for piece in response.aiter_stream():
                taken += piece[: ANSWER_BYTES_MAX - len(taken)]
                if len(taken) >= ANSWER_BYTES_MAX:
                    break
    text = taken[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")
    return "".join(each for each in text if each.isprintable() or each == "\n")[:EXCERPT_CHARACTERS]


def _retry_after(response: httpcore.Response) -> timedelta | None:
    """What the receiver asks us to wait, where it says so in seconds."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return timedelta(seconds=min(int(value[:9]), RETRY_AFTER_S_MAX))
    return None


def _word(error: Exception) -> str:
    """A stable word for a try that ended without a status."""
    if isinstance(error, httpcore.ConnectTimeout):
        return "connect_timeout"
    if isinstance(error, httpcore.ConnectError):
        return _why_unconnected(error)
    if isinstance(error, httpcore.ProtocolError) and "disconnected" not in str(error):
        return "not_http"
    return "cut_off"


def _why_unconnected(error: httpcore.ConnectError) -> str:
    if str(error) in _OUR_OWN:
        return str(error)
    seen: BaseException | None = error
    while seen is not None:
        for kind, word in _CAUSES:
            if isinstance(seen, kind):
                return word
        seen = seen.__cause__ or seen.__context__
    return "connection_failed"


_OUR_OWN = ("address_refused", "name_not_found")
_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate_refused"),
    (ssl.SSLError, "tls_failed"),
    (ConnectionRefusedError, "connection_refused"),
)
