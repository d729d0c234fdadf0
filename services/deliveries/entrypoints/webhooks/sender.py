"""Sends webhooks: claims what is due, tries, notes how it ended. Killed anywhere, it sends again what was not noted."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.webhooks.client import TRY_S, SafeClient
from services.deliveries.adapters.webhooks.endpoints import LISTENERS_FORGOTTEN_S, PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import LEASE, Attempt, Claimed, WebhookQueue
from services.deliveries.domain.webhooks.addresses import Network, parse_networks
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.lanes import SLOW_S, Lanes
from services.deliveries.domain.webhooks.retrying import GIVEN_UP_AFTER, Answer, is_given_up, judge
from services.deliveries.domain.webhooks.signing import headers
from services.deliveries.domain.webhooks.targets import BadTargetError, Target, parse_target
from services.deliveries.entrypoints.webhooks.metrics import ATTEMPTS, DELAY_S, DISABLED, ENDPOINTS, TOOK_S
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.settings import Settings
from shared.waiting import rest

FRESH_S = 1.0
"""So soon a change of an endpoint is in force."""

LOOK_EVERY_S = 0.1
"""How often somebody looks for what is due, when there was nothing."""

PACE_S = 0.01
"""Between two looks, and between two notes: a transaction costs the same for one message as for a hundred."""

CLAIM_MAX = 256
NOTE_MAX = 500
STOP_S = 5.0
"""What tries under way are given to end when the process is told to."""

KEPT = timedelta(days=30)
"""How long events and attempts are kept, to be looked at and replayed."""

TIDY_EVERY_S = 600.0
TIDY_MAX = 1_000
BACKOFF_MAX_S = 5.0

assert timedelta(seconds=2 * TRY_S) < LEASE, "no try may outlive its lease"

log = structlog.get_logger()


class _Aim(NamedTuple):
    endpoint: Endpoint
    target: Target | None


class WebhookSender:
    """A loop of the worker; any number of processes may run one."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        endpoints: PostgresEndpoints,
        messages: WebhookQueue,
        client: SafeClient,
        clock: Clock,
        allowed: Sequence[Network] = (),
    ) -> None:
        self._engine = engine
        self._endpoints = endpoints
        self._messages = messages
        self._client = client
        self._clock = clock
        self._allowed = allowed
        self._aims: dict[str, _Aim] = {}
        self._looked_at = float("-inf")
        self._asked_all_at = float("-inf")
        self._more: set[str] = set()
        self._lanes = Lanes()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended: list[Attempt] = []
        self._freed = asyncio.Event()
        self._to_note = asyncio.Event()
        self.trouble: str | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        engine: AsyncEngine,
        endpoints: PostgresEndpoints,
        messages: WebhookQueue,
        clock: Clock,
    ) -> "WebhookSender":
        """One that goes where the settings allow."""
        allowed = parse_networks(settings.webhook_private_networks)
        return cls(
            engine=engine,
            endpoints=endpoints,
            messages=messages,
            client=SafeClient(allowed),
            clock=clock,
            allowed=allowed,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then give what is under way `STOP_S` to end."""
        noted = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._note_all(noted))
                group.create_task(self._tidy(stop))
                await self._send_all(stop)
                noted.set()
                self._to_note.set()
        finally:
            await self._client.aclose()

    async def _send_all(self, stop: asyncio.Event) -> None:
        pause_s = LOOK_EVERY_S
        while not stop.is_set():
            try:
                claimed = await self.once()
                self.trouble, pause_s = None, LOOK_EVERY_S
            except Exception as error:
                if not is_transient(error):
                    raise
                self.trouble, claimed = type(error).__name__, 0
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
            await asyncio.sleep(PACE_S)
            if not claimed:
                await self._place(pause_s)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_S)
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def once(self) -> int:
        """Claim what is due and begin to send it; how much that was."""
        await self._look_again()
        rooms = self._lanes.rooms(self._to_ask())
        limit = min(CLAIM_MAX, self._lanes.free)
        if not rooms or not limit:
            return 0
        async with self._engine.begin() as connection:
            claimed = await self._messages.claim(connection, rooms, self._clock(), limit)
        for message in claimed:
            self._lanes.began(message.endpoint_id)
            task = asyncio.create_task(self._send(message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        given = Counter(message.endpoint_id for message in claimed)
        for id_, room in rooms.items():
            if given[id_] == room or len(claimed) == limit:
                self._more.add(id_)
            else:
                self._more.discard(id_)
        return len(claimed)

    def _to_ask(self) -> Iterable[str]:
        """All endpoints every `LOOK_EVERY_S`, between that those that may have more due than there was room for. They
        begin anywhere: when there is not enough room for all, it is nobody's turn always."""
        moment = time.monotonic()
        if moment - self._asked_all_at >= LOOK_EVERY_S:
            self._asked_all_at, ids = moment, list(self._aims)
        else:
            ids = [id_ for id_ in self._more if id_ in self._aims]
        start = random.randrange(len(ids)) if ids else 0  # noqa: S311  # no secret
        return ids[start:] + ids[:start]

    async def _look_again(self) -> None:
        """Know the endpoints as they are."""
        if time.monotonic() - self._looked_at < FRESH_S:
            return
        async with self._engine.connect() as connection:
            found = await self._endpoints.all(connection)
        self._aims = {each.id: self._aim(each) for each in found if each.enabled and each.url is not None}
        self._lanes.forget(self._aims)
        self._more &= self._aims.keys()
        self._looked_at = time.monotonic()
        ENDPOINTS.labels("enabled").set(len(self._aims))
        ENDPOINTS.labels("failing").set(
            sum(aim.endpoint.failing_since is not None for aim in self._aims.values())
        )
        ENDPOINTS.labels("disabled").set(sum(not each.enabled for each in found))

    def _aim(self, endpoint: Endpoint) -> _Aim:
        """Where it points to: nowhere, if what the operator allows has been narrowed since."""
        known = self._aims.get(endpoint.id)
        if known is not None and known.endpoint.url == endpoint.url:
            return _Aim(endpoint, known.target)
        try:
            return _Aim(endpoint, parse_target(endpoint.url or "", self._allowed))
        except BadTargetError:
            return _Aim(endpoint, None)

    async def _send(self, message: Claimed) -> None:
        """One try."""
        id_ = message.endpoint_id
        aim = self._aims.get(id_)
        slow = asyncio.get_running_loop().call_later(SLOW_S, self._lanes.slow, id_)
        at, began, answer = self._clock(), time.monotonic(), Answer(None, "address_refused")
        try:
            if aim is not None and aim.target is not None:
                signed = headers(message.event_id, at, message.body, aim.endpoint.secrets(at))
                answer = await self._client.post(id_, aim.target, signed, message.body)
        except Exception as error:  # whatever a receiver does, it fails its own message only
            log.error("webhook_failed_here", endpoint=id_, exc_info=error)
            answer = Answer(None, "failed_here")
        finally:
            slow.cancel()
            self._lanes.ended(id_, delivered=answer.is_delivered)
            self._freed.set()
        took = time.monotonic() - began
        now = self._clock()
        verdict = judge(answer, message.tries, now, random.random())  # noqa: S311  # no secret
        self._ended.append(Attempt(message, at, round(took * 1000), answer, verdict))
        self._to_note.set()
        ATTEMPTS.labels("delivered" if answer.is_delivered else answer.error or "refused").inc()
        TOOK_S.observe(took)
        if answer.is_delivered:
            DELAY_S.observe(max((now - message.made_at).total_seconds(), 0.0))

    async def _place(self, timeout_s: float) -> None:
        """Wait until a try has ended."""
        self._freed.clear()
        await rest(self._freed, timeout_s)

    async def _note_all(self, noted: asyncio.Event) -> None:
        """Note what has ended, until nothing is under way any more."""
        pause_s = PACE_S
        while not noted.is_set() or self._ended:
            if not self._ended:
                self._to_note.clear()
                await self._to_note.wait()
            batch = self._ended[:NOTE_MAX]
            try:
                if batch:
                    await self._note(batch)
                    del self._ended[: len(batch)]
                pause_s = PACE_S
            except Exception as error:
                if not is_transient(error):
                    raise
                self.trouble = type(error).__name__
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
                if noted.is_set():
                    return  # the database is away and we are to end: what was not noted is sent again
            await asyncio.sleep(pause_s)

    async def _note(self, batch: Sequence[Attempt]) -> None:
        now = self._clock()
        working = {each.message.endpoint_id for each in batch if each.answer.is_delivered}
        failing = {each.message.endpoint_id for each in batch} - working
        reasons = {id_: "failing" for id_ in failing if self._is_given_up(id_)}
        reasons |= {each.message.endpoint_id: "gone" for each in batch if each.answer.is_gone}
        async with self._engine.begin() as connection:
            await self._messages.note(connection, batch, now)
            await self._endpoints.note_health(
                connection, working=sorted(working), failing=sorted(failing), now=now
            )
            disabled = await self._endpoints.disable(connection, reasons, now, now - GIVEN_UP_AFTER)
        for id_ in disabled:
            DISABLED.labels(reasons[id_]).inc()
            log.warning("webhook_endpoint_disabled", endpoint=id_, reason=reasons[id_])

    def _is_given_up(self, endpoint: str) -> bool:
        aim = self._aims.get(endpoint)
        return aim is not None and is_given_up(aim.endpoint.failing_since, self._clock())

    async def _tidy(self, stop: asyncio.Event) -> None:
        """Forget what was kept long enough, and listeners that are gone."""
        while not stop.is_set():
            try:
                now = self._clock()
                async with self._engine.begin() as connection:
                    before = now - timedelta(seconds=LISTENERS_FORGOTTEN_S)
                    await self._endpoints.forget_listeners(connection, now, before)
                gone = 1
                while gone and not stop.is_set():
                    async with self._engine.begin() as connection:
                        gone = await self._messages.forget(connection, now - KEPT, TIDY_MAX)
            except Exception as error:
                if not is_transient(error):
                    raise
            await rest(stop, TIDY_EVERY_S)
