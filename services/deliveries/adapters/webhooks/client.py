"""The HTTP client of webhooks: it goes where an endpoint points to, and nowhere inside the network.

The name is resolved, every address of it is checked, and the connection is made to the very address that was checked,
so that a name that resolves to another address a moment later (DNS rebinding) gains nothing. Redirects are not
followed, environment proxies not asked, bodies not unpacked; a try ends after `TRY_S` whatever the other side does, and
no more than `ANSWER_BYTES_MAX` of an answer is read.
"""

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
from typing import NamedTuple

from services.deliveries.adapters.webhooks.connection import Connection, ExchangeError, Reply
from services.deliveries.adapters.webhooks.resolving import Resolve, Resolver
from services.deliveries.domain.webhooks.addresses import Network
from services.deliveries.domain.webhooks.retrying import Answer
from services.deliveries.domain.webhooks.targets import Target, may_send

TRY_S = 15.0
CONNECT_S = 5.0
ADDRESSES_MAX = 4
"""Of one name that are tried one after the other."""

EXCERPT_CHARACTERS = 500
IDLE_MAX = 2_048
"""Connections kept open for the next message, and at most a quarter of the files that the process may have open."""

IDLE_S = 30.0
RETRY_AFTER_S_MAX = 7 * 86_400


@cache
def _public_tls() -> ssl.SSLContext:
    """The system's authorities; reading them takes 20 ms."""
    return ssl.create_default_context()


class _Idle(NamedTuple):
    connection: Connection
    since: float


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
        self._resolver = Resolver()
        self._resolve: Resolve = resolve or self._resolver
        self._tls = tls or _public_tls()
        self._try_s = try_s
        self._idle: OrderedDict[tuple[str, Target], _Idle] = OrderedDict()
        self._idle_max = _idle_max()

    async def post(self, endpoint: str, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send once. Connections are kept by `endpoint`, so that one that hangs holds up no other on the same host."""
        request = _request(target, headers, body)
        try:
            async with asyncio.timeout(self._try_s):
                reply = await self._exchange((endpoint, target), request)
        except TimeoutError:
            return Answer(None, "timeout")
        except ExchangeError as error:
            return Answer(None, str(error))
        return Answer(reply.status, None, _retry_after(reply.retry_after), _excerpt(reply.body))

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
        """Close every connection that waits."""
        for idle in self._idle.values():
            idle.connection.close()
        self._idle.clear()
        self._resolver.close()

    async def _exchange(self, place: tuple[str, Target], request: bytes) -> Reply:
        """Over the connection that waits, or else a new one. One that the receiver closed in the very moment in which
        it was used again says nothing about the receiver: the same is sent over a new one."""
        connection = self._take_idle(place) or await self._connect(place[1])
        try:
            reply = await connection.exchange(request)
        except ExchangeError:
            if connection.used == 1 or connection.heard:
                raise
            connection = await self._connect(place[1])
            reply = await connection.exchange(request)
        self._keep(place, connection)
        return reply

    async def _connect(self, target: Target) -> Connection:
        """A connection to an address that was checked. When any address of the name is not allowed, none is taken: who
        mixes public and private ones is up to something."""
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            raise ExchangeError("name_not_found") from None
        if not addresses or not all(may_send(target.scheme, each, self._allowed) for each in addresses):
            raise ExchangeError("address_refused")
        failure = "connection_failed"
        for address in addresses[:ADDRESSES_MAX]:
            try:
                return await self._connect_to(address, target)
            except (OSError, TimeoutError) as error:
                failure = _why_unconnected(error)
        raise ExchangeError(failure)

    async def _connect_to(self, address: str, target: Target) -> Connection:
        encrypted = target.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_S) as limit:
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection,
                    address,
                    target.port,
                    ssl=self._tls if encrypted else None,
                    server_hostname=target.host.rstrip(".") if encrypted else None,
                )
        except TimeoutError:
            if limit.expired():
                raise ConnectionAbortedError from None
            raise
        return connection

    def _take_idle(self, place: tuple[str, Target]) -> Connection | None:
        idle = self._idle.pop(place, None)
        if idle is None:
            return None
        if idle.connection.is_open and time.monotonic() - idle.since < IDLE_S:
            return idle.connection
        idle.connection.close()
        return None

    def _keep(self, place: tuple[str, Target], connection: Connection) -> None:
        """One for each endpoint waits for its next message, those used last."""
        if not connection.is_open:
            return
        if place in self._idle:
            connection.close()
            return
        self._idle[place] = _Idle(connection, time.monotonic())
        if len(self._idle) > self._idle_max:
            self._idle.popitem(last=False)[1].connection.close()


def _idle_max() -> int:
    files, _ = getrlimit(RLIMIT_NOFILE)
    return IDLE_MAX if files == RLIM_INFINITY else min(IDLE_MAX, files // 4)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it goes over the wire. Everything in its head is of our making or checked (`parse_target`)."""
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"host: {target.authority}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "accept-encoding: identity",
        "user-agent: Regulars-Webhooks",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def _excerpt(body: bytes) -> str:
    """The beginning of the body, as it can be kept and shown."""
    text = body[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")
    return "".join(each for each in text if each.isprintable() or each == "\n")[:EXCERPT_CHARACTERS]


def _retry_after(value: bytes) -> timedelta | None:
    """What the receiver asks us to wait, where it says so in seconds."""
    if not value.isdigit():
        return None
    return timedelta(seconds=min(int(value[:9]), RETRY_AFTER_S_MAX))


def _why_unconnected(error: Exception) -> str:
    """A stable word for a connection that did not come about."""
    return next((word for kind, word in _CAUSES if isinstance(error, kind)), "connection_failed")


_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate_refused"),
    (ssl.SSLError, "tls_failed"),
    (ConnectionRefusedError, "connection_refused"),
    (ConnectionAbortedError, "connect_timeout"),
)
