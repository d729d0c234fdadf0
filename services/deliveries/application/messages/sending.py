"""The use case of the sender loop: messages that are due are claimed, handed to their providers, and noted.

Killed anywhere, it hands the same message over again with the same idempotency key: a claim is committed before a
provider hears of the message, and what the provider said is committed after.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import Claimed, Queue, Renderer, RenderError, Sender
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import Unavailable
from services.deliveries.domain.messages.message import Message, Reason
from services.deliveries.domain.messages.progress import LEASE, NOT_RENDERED
from services.deliveries.domain.providers.answers import Again, Receipt, Refused
from services.deliveries.domain.providers.backoff import ATTEMPTS_MAX, pause_before
from services.deliveries.domain.providers.breaker import FAILURES_MAX, OPEN_MAX
from services.deliveries.domain.providers.gate import Gate
from services.deliveries.domain.providers.pace import Pace

CLAIM_MAX: Final = 100
"""Recipients that one claim looks at."""
IN_HAND_MAX: Final = 200
"""Messages of one channel that this process has claimed and not noted yet."""
UNNOTED_MAX: Final = 32
"""Messages that a provider may have and nobody has noted: no more are handed over twice after a kill."""
BEGUN_WITHIN_S: Final = 60.0
"""A claimed message that was not begun by then goes back to the queue: its lease must outlive its sending."""
LOOK_AGAIN: Final = timedelta(seconds=5)
"""When messages come up again that there is no room for, while a probe is under way."""

NOT_TRIED: Final = Again("not_tried", down=True)
"""Back to the queue as it came."""
GIVEN_UP: Final = Again("not_finished")
"""Every worker that had it ended before it was noted; it may be what ends them."""

assert timedelta(seconds=BEGUN_WITHIN_S) < LEASE / 2, "no message is begun that somebody else may have soon"

Begin = Callable[[Claimed], Awaitable[bool]]
"""The last look before a message is handed over: whether it may go still (`Queue.begin`). When it answers, it is
committed that a provider may have the message."""

log = structlog.get_logger()


class Gates(Protocol):
    """What is remembered of providers."""

    async def lock(self, connection: AsyncConnection, channels: Sequence[Channel]) -> dict[Channel, Gate]:
        """That of these channels, locked until the transaction ends."""

    async def save(self, connection: AsyncConnection, gates: Mapping[Channel, Gate]) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as the settings describe it."""

    sender: Sender
    pace: Pace
    at_a_time: int
    """Messages that it is given at the same time, by one worker."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A message on its way."""

    claimed: Claimed
    channel: Channel
    at: float
    """When it was claimed, on the process's own clock, which no one sets."""
    probe: bool
    """Whether it finds out if a provider in trouble is well again."""


class Dispatch:
    """Takes messages from the queue to the providers. One a process; any number of processes share a queue."""

    def __init__(
        self,
        queue: Queue,
        renderer: Renderer,
        gates: Gates,
        providers: Mapping[Channel, Provider],
        *,
        begin: Begin,
        chance: Callable[[], float],
    ) -> None:
        """`chance` answers uniformly from [0, 1)."""
        self._queue = queue
        self._renderer = renderer
        self._gates = gates
        self._providers = providers
        self._begin = begin
        self._chance = chance
        self._places = {
            channel: asyncio.Semaphore(provider.at_a_time) for channel, provider in providers.items()
        }
        self._in_hand: Counter[Channel] = Counter()
        self._unnoted = asyncio.Semaphore(UNNOTED_MAX)
        self._failures: Counter[Channel] = Counter()
        self._to_note: Counter[Channel] = Counter()
        self._stopping = False
        self.seen: dict[Channel, Gate] = {}
        """The providers as they were last seen."""

    async def claim(self, connection: AsyncConnection, now: datetime) -> list[Handed]:
        """Claim what is due and has room, in the caller's transaction. Nothing is sent before that is committed."""
        kept = await self._gates.lock(connection, sorted(self._providers))
        gates = {channel: gate.cut(self._providers[channel].pace, now) for channel, gate in kept.items()}
        unavailable = self._unavailable(gates, now)
        open_rooms = [each.room for channel, each in unavailable.items() if self._flows(gates, channel, now)]
        limit = min(CLAIM_MAX, sum(open_rooms)) if open_rooms else CLAIM_MAX
        claimed = await self._queue.claim(connection, now, limit, unavailable) if limit else []
        used = Counter(each.contact.channel for each in claimed)
        probes = {channel for channel in used if gates[channel].breaker.until is not None}
        for channel, count in used.items():
            gates[channel] = gates[channel].took(self._providers[channel].pace, now, count)
        changed = {channel: gate for channel, gate in gates.items() if gate != kept[channel]}
        await self._gates.save(connection, changed)
        self.seen = gates
        for channel, gate in gates.items():
            if not self._to_note[channel]:  # else we know of failures that it does not
                self._failures[channel] = gate.breaker.failures
        at = monotonic()
        return [Handed(each, each.contact.channel, at, each.contact.channel in probes) for each in claimed]

    def _unavailable(self, gates: Mapping[Channel, Gate], now: datetime) -> dict[Channel, Unavailable]:
        found = {channel: Unavailable() for channel in Channel if channel not in self._providers}
        for channel, provider in self._providers.items():
            gate, free = gates[channel], IN_HAND_MAX - self._in_hand[channel]
            room = gate.room(provider.pace, now, max(free, 0))
            until = gate.opens_at(provider.pace, now)
            if self._flows(gates, channel, now):
                until = max(until, now + LOOK_AGAIN / 5)
            elif gate.breaker.probed:
                until = min(until, now + LOOK_AGAIN)
            found[channel] = Unavailable(until, room)
        return found

    def _flows(self, gates: Mapping[Channel, Gate], channel: Channel, now: datetime) -> bool:
        """Whether the provider takes messages, be it slowly."""
        return channel in gates and gates[channel].breaker.allowed(now, 1) > 0

    @property
    def has_room(self) -> bool:
        """Whether a claim is worth its transaction: some provider could begin with many, or there is none."""
        rooms = [IN_HAND_MAX - self._in_hand[channel] for channel in self._providers]
        return not rooms or max(rooms) >= CLAIM_MAX

    def stop(self) -> None:
        """Begin no more: what is not with a provider yet goes back to the queue."""
        self._stopping = True

    async def hand_over(self, handed: Handed) -> Receipt:
        """Give one message to its provider. Raises nothing but cancellation."""
        channel = handed.channel
        self._in_hand[channel] += 1
        try:
            async with self._places[channel]:
                await self._unnoted.acquire()
                if (hindrance := self._hindrance(handed)) is not None:
                    self._unnoted.release()
                    return hindrance
                receipt = await self._send(handed)
                if not _was_tried(receipt):
                    self._unnoted.release()
                    return receipt
                down = isinstance(receipt, Again) and receipt.down
                self._failures[channel] = self._failures[channel] + 1 if down else 0
                self._to_note[channel] += 1
                return receipt
        finally:
            self._in_hand[channel] -= 1

    def _hindrance(self, handed: Handed) -> Again | None:
        """Why it is not begun; None: it is."""
        if self._stopping or monotonic() - handed.at > BEGUN_WITHIN_S or self._is_down(handed):
            return NOT_TRIED
        return GIVEN_UP if handed.claimed.message.attempts > ATTEMPTS_MAX else None

    def _is_down(self, handed: Handed) -> bool:
        """Whether its provider's circuit opened since it was claimed, or will when its failures are noted."""
        return self._failures[handed.channel] >= FAILURES_MAX and not handed.probe

    async def _send(self, handed: Handed) -> Receipt:
        claimed = handed.claimed
        try:
            rendered = self._renderer.render(claimed.message, claimed.recipient, handed.channel)
        except RenderError as error:
            log.error("message_not_rendered", message=claimed.message.id, reason=str(error))
            return Refused(NOT_RENDERED)
        except Exception as error:  # whatever a template does, it fails its own message only
            log.error("message_not_rendered", message=claimed.message.id, exc_info=error)
            return Refused(NOT_RENDERED, type(error).__name__)
        since = claimed.message.created_at if _rounds(claimed.message) > 1 else None
        try:
            if not await self._begin(claimed):
                return NOT_TRIED
            return await self._providers[handed.channel].sender.send(
                handed.channel, rendered, claimed.contact, claimed.message.id, since
            )
        except Exception as error:  # a bug of ours costs its message an attempt, and nobody else anything
            log.error("message_not_sent", message=claimed.message.id, exc_info=error)
            return Again("failed_here", type(error).__name__)

    def noted(self, ended: Sequence[tuple[Handed, Receipt]]) -> None:
        """What was noted of these is committed, or will never be: others may be handed over."""
        for channel in (handed.channel for handed, receipt in ended if _was_tried(receipt)):
            self._unnoted.release()
            self._to_note[channel] -= 1

    async def note(
        self, connection: AsyncConnection, ended: Sequence[tuple[Handed, Receipt]], now: datetime
    ) -> None:
        """Write down what became of messages, and of their providers, in the caller's transaction."""
        concerned = sorted({handed.channel for handed, receipt in ended if self._tells(handed, receipt)})
        if concerned:
            gates = await self._gates.lock(connection, concerned)
            for handed, receipt in ended:
                if handed.channel in gates and _was_tried(receipt):
                    gate = gates[handed.channel]
                    gates[handed.channel] = gate.heard(receipt, now, probe=handed.probe)
            await self._gates.save(connection, gates)
            self.seen = {**self.seen, **gates}
        receipts = [(handed.claimed, receipt) for handed, receipt in ended]
        retries = [self._retry_at(handed, receipt, now) for handed, receipt in ended]
        await self._queue.note(connection, receipts, now, retries)

    def _tells(self, handed: Handed, receipt: Receipt) -> bool:
        """Whether the receipt changes what is remembered of the provider."""
        if not _was_tried(receipt):
            return False
        gate = self.seen.get(handed.channel)
        return (isinstance(receipt, Again) and receipt.down) or gate is None or gate.breaker.failures > 0

    def _retry_at(self, handed: Handed, receipt: Receipt, now: datetime) -> datetime | None:
        """When to try again; None where that is of no use."""
        if not isinstance(receipt, Again):
            return None
        if receipt == NOT_TRIED:
            return now
        message = handed.claimed.message
        if message.attempts >= ATTEMPTS_MAX and not receipt.down:
            return None
        asked = timedelta(seconds=receipt.after_s or 0.0)
        pause = pause_before(_rounds(message) + 1, self._chance(), asked)
        return now + (min(pause, max(OPEN_MAX, asked)) if receipt.down else pause)


def _rounds(message: Message) -> int:
    """How often it was given to a provider, or may have been, with this time."""
    failed = sum(hold.reason in (Reason.PROVIDER_DOWN, Reason.RETRY) for hold in message.holds)
    return max(message.attempts, failed + 1)


def _was_tried(receipt: Receipt) -> bool:
    return receipt not in (NOT_TRIED, GIVEN_UP)
