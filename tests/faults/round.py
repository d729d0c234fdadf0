"""One fault round: load, kills, healing, and the count at the end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import httpx
from sqlalchemy import text

from deploy.demo import metrics
from shared.postgres.engine import create_engine
from tests.faults.workload import PROGRAM, Expected, Post, Redeem, Workload
from tests.support.ledger import BROKEN
from tests.support.mailbox import Mailbox, mail_server
from tests.support.stack import HEADERS, Bus, Part, Stack, running

CLIENTS = 4
HEAL_TIMEOUT_S = 240
"""More than a consumer may hang before it leaves its process, and the next one needs to get its partitions."""
ALLOWED_STATUS = frozenset({200, 201, 202, 404, 409, 503})
"""404: a redemption may come before the customer's first event has reached rewards."""


class RoundFailedError(AssertionError):
    """Something was lost, doubled or answered wrongly; the message names the seed."""


@dataclass
class Report:
    """What a round did."""

    seed: int
    posted: int = 0
    redeemed: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    letters: int = 0
    repeats: int = 0
    """Letters that the mail server got more than once, under the same Message-ID."""


@asynccontextmanager
async def stack_with_mail(bus: Bus) -> AsyncIterator[tuple[Stack, Mailbox]]:
    """All processes, and the mail server that they send to."""
    async with mail_server() as mailbox:
        environment = {"REGULARS_SMTP_URL": mailbox.url, "REGULARS_MAIL_FROM": "shop@shop.example"}
        async with running(bus, program=PROGRAM, environment=environment) as stack:
            yield stack, mailbox


class Client:
    """Walks through one workload and repeats every call until it has a definite answer, as a good checkout does."""

    def __init__(self, stack: Stack, workload: Workload, report: Report) -> None:
        self._stack = stack
        self._workload = workload
        self._report = report

    async def run(self, stop: asyncio.Event) -> None:
        """Steps until `stop` is set; the step begun is finished."""
        async with httpx.AsyncClient(headers=HEADERS, timeout=10) as self._http:
            for step in self._workload.steps():
                match step:
                    case Post(events):
                        await self._post(events)
                    case Redeem():
                        await self._redeem(step)
                if stop.is_set():
                    break
            await self._post(self._workload.closing())

    async def _post(self, events: list[dict[str, Any]]) -> None:
        await self._until({202}, f"{self._stack.ingest}/v1/events", events, {})
        self._report.posted += len(events)

    async def _redeem(self, step: Redeem) -> None:
        url = f"{self._stack.rewards}/v1/redemptions"
        body = {"customer": step.customer, "points": step.points, "order_id": step.key}
        answer = await self._until({201, 404, 409}, url, body, {"Idempotency-Key": step.key})
        if answer.status_code != 201:
            return
        ending = "confirm" if step.confirm else "release"
        headers = {"Idempotency-Key": f"{step.key}-{ending}"}
        await self._until({200}, f"{url}/{answer.json()['id']}/{ending}", None, headers)
        if step.confirm:
            self._workload.expected[step.customer].redeemed += step.points
            self._report.redeemed += 1

    async def _until(self, wanted: set[int], url: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        while True:
            try:
                answer = await self._http.post(url, json=body, headers=headers)
            except httpx.HTTPError:
                self._report.retries += 1
                await asyncio.sleep(0.1)
                continue
            in_flight = answer.status_code == 409 and answer.json().get("code") == "idempotency_key_in_flight"
            if answer.status_code in wanted and not in_flight:
                return answer
            if answer.status_code not in ALLOWED_STATUS:
                raise RoundFailedError(f"{url} answered {answer.status_code}: {answer.text}")
            self._report.retries += 1
            await asyncio.sleep(0.1)


async def fault_round(stack: Stack, mailbox: Mailbox, seed: int, seconds: float) -> Report:
    """Load for so many seconds with kills in between; raises `RoundFailedError` when anything is not exactly once.

    `mailbox` is what the stack sends its mail to."""
    report = Report(seed)
    workloads = [Workload(seed, client) for client in range(CLIENTS)]
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            for workload in workloads:
                tasks.create_task(Client(stack, workload, report).run(stop))
            tasks.create_task(_kill_at_random(stack, mailbox, seed, seconds, report, stop))
        expected = {name: seen for workload in workloads for name, seen in workload.expected.items()}
        await stack.until_ready()
        await _end_leases(stack)
        await _until_right(stack, mailbox, expected)
        await check_database(stack)
        report.letters, report.repeats = len(mailbox.letters), len(mailbox.arrived) - len(mailbox.letters)
    except* (RoundFailedError, TimeoutError) as errors:
        causes = "; ".join(str(error) for error in errors.exceptions)
        raise RoundFailedError(
            f"seed {seed} on {stack.bus}, kills {dict(report.kills)}: {causes}\n{stack.logs()}"
        ) from errors
    return report


async def _kill_at_random(  # noqa: PLR0917
    stack: Stack, mailbox: Mailbox, seed: int, seconds: float, report: Report, stop: asyncio.Event
) -> None:
    """SIGKILL one part after the other, start each again a little later; at the end everything runs."""
    random = Random(seed)
    victims: list[Part] = [*stack.services.values(), stack.postgres, _MailPart(mailbox)]
    if stack.kafka is not None:
        victims.append(_KafkaPart(stack))
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(random.uniform(0.3, 2.0))
        victim = random.choice(victims)
        report.kills[victim.name] += 1
        await victim.kill()
        await asyncio.sleep(random.uniform(0.0, 1.5))
        await victim.start()
        for service in stack.services.values():
            await service.revive()
    stop.set()


class _KafkaPart:
    """Kafka's synchronous handle as a part."""

    name = "kafka"

    def __init__(self, stack: Stack) -> None:
        assert stack.kafka is not None
        self._kafka = stack.kafka

    async def kill(self) -> None:
        await asyncio.to_thread(self._kafka.kill)

    async def start(self) -> None:
        await asyncio.to_thread(self._kafka.start)


class _MailPart:
    """The mail server: it cuts off whoever talks to it, and for a while takes nothing."""

    name = "mail server"

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def kill(self) -> None:
        self._mailbox.hang_up()
        self._mailbox.answer = "451 4.3.0 Try later"

    async def start(self) -> None:
        self._mailbox.answer = "250 2.0.0 Ok"


async def _end_leases(stack: Stack) -> None:
    """What a killed process was sending goes to another when its lease ends: here at once, not after minutes."""
    engine = create_engine(stack.postgres.url, role=None, pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE deliveries.messages SET due_at = now() WHERE due_at IS NOT NULL")
            )
    finally:
        await engine.dispose()


async def _until_right(stack: Stack, mailbox: Mailbox, expected: dict[str, Expected]) -> None:
    """Return once every customer is as expected; raise with the differences when that does not come about. What ends by
    itself is started again (see `_eventually`)."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + HEAL_TIMEOUT_S
    async with httpx.AsyncClient(headers=HEADERS, timeout=10) as client:
        differences: dict[str, dict[str, tuple[object, object]]] = {}
        waiting = expected
        while True:
            differences = {
                name: found
                for name, seen in waiting.items()
                if (found := await _differences(stack, client, mailbox, name, seen))
            }
            if not differences:
                return
            if loop.time() > deadline:
                unsent = await _unsent(stack)
                raise RoundFailedError(f"(expected, found) {differences}; not sent: {unsent}")
            for service in stack.services.values():
                await service.revive()
            waiting = {name: expected[name] for name in differences}
            await asyncio.sleep(0.5)


async def _unsent(stack: Stack) -> list[dict[str, Any]]:
    """Messages that went to nobody, and why."""
    engine = create_engine(stack.postgres.url, role=None, pool_size=1)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(
                text(
                    "SELECT customer_id, part, state, reason, created_at FROM deliveries.messages"
                    " WHERE state <> 'sent'"
                )
            )
            return [dict(row._mapping) for row in found]
    finally:
        await engine.dispose()


async def _differences(
    stack: Stack, client: httpx.AsyncClient, mailbox: Mailbox, name: str, seen: Expected
) -> dict[str, tuple[object, object]]:
    profile = await client.get(f"{stack.scoring}/v1/customers/{name}")
    balance = await client.get(f"{stack.rewards}/v1/customers/{name}/points")
    if profile.status_code != 200 or balance.status_code != 200:
        return {"status": (200, (profile.status_code, balance.status_code))}
    facts, points = profile.json()["facts"], balance.json()
    letters = len(mailbox.to(f"{name}@example.com"))
    pairs: dict[str, tuple[object, object]] = {
        "letters": (min(letters, 1) if seen.letters is None else seen.letters, letters),
        "e-mails sent": (letters, facts["emails_sent"]),
        "events": (len(seen.events) + letters, facts["events"]),
        "orders": (len(seen.totals), facts["orders"]),
        "spend": (seen.spend, Decimal(facts["spend"])),
        "available": (seen.points, points["available"]),
        "reserved": (0, points["reserved"]),
    }
    return {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}


EMPTY: dict[str, str] = {
    "dead letters of scoring": "SELECT count(*) FROM scoring.dead_letters",
    "dead letters of rewards": "SELECT count(*) FROM rewards.dead_letters",
    "dead letters of deliveries": "SELECT count(*) FROM deliveries.dead_letters",
    "messages that failed": "SELECT count(*) FROM deliveries.messages WHERE state = 'failed'",
    "spool of ingest": "SELECT count(*) FROM ingest.spool_records",
    "outbox of scoring": "SELECT count(*) FROM scoring.outbox_records",
    "outbox of rewards": "SELECT count(*) FROM rewards.outbox_records",
    "outbox of deliveries": "SELECT count(*) FROM deliveries.outbox_records",
    **{what: f"SELECT count(*) FROM ({query}) AS broken" for what, query in BROKEN.items()},
}
"""Counts that must come down to zero."""

READERS = ("scoring worker", "rewards worker", "deliveries worker")


async def check_database(stack: Stack) -> None:
    """What the database itself must show once everything has come to rest."""
    engine = create_engine(stack.postgres.url, role=None, pool_size=1)
    try:
        await _eventually(stack, lambda: _left_over(stack, engine))
    finally:
        await engine.dispose()


async def _left_over(stack: Stack, engine: Any) -> dict[str, object]:
    async with engine.connect() as connection:
        found = {what: await connection.scalar(text(query)) for what, query in EMPTY.items()}
    async with httpx.AsyncClient() as client:
        for name in READERS:
            found[f"lag of {name}"] = await metrics.total(client, stack.services[name].url, metrics.LAG)
    return {what: count for what, count in found.items() if count != 0}


async def _eventually(stack: Stack, left: Callable[[], Awaitable[dict[str, object]]]) -> None:
    """A consumer of which Kafka's client hangs leaves its process after a minute (see the bus's watchdog): what then
    ends by itself is started again, as by any supervisor."""
    deadline = asyncio.get_running_loop().time() + HEAL_TIMEOUT_S
    while found := await left():
        if asyncio.get_running_loop().time() > deadline:
            raise RoundFailedError(f"not empty: {found}")
        for service in stack.services.values():
            await service.revive()
        await asyncio.sleep(0.2)
