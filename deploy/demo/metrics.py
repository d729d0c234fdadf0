"""What the demo reads from the services' `/metrics` while it runs."""

import asyncio
from collections.abc import Callable, Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

LAG = "regulars_consumer_lag"
CALM_LOOKS = 10  # longer than twice the two seconds after which workers measure their lag again
LOOK_EVERY_S = 0.5
ANSWER_S_MAX = 10.0


async def total(client: httpx.AsyncClient, address: str, name: str) -> float | None:
    """The sum of a metric over its labels; None when the process does not answer or does not have it."""
    try:
        answer = await client.get(f"{address}/metrics", timeout=ANSWER_S_MAX)
    except httpx.TransportError:
        return None
    values = [
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    ]
    return sum(values) if values else None


async def wait_until_caught_up(
    client: httpx.AsyncClient, workers: Sequence[str], progress: Callable[[int], None]
) -> None:
    """Return once no worker has had anything left to read for `CALM_LOOKS` looks; `progress` hears what is left.

    Several looks, because what one worker has finished is what the next one has not seen yet.
    """
    calm = 0
    while calm < CALM_LOOKS:
        lags = [await total(client, address, LAG) for address in workers]
        known = [lag for lag in lags if lag is not None]
        progress(int(sum(known)))
        calm = calm + 1 if len(known) == len(workers) and not any(known) else 0
        await asyncio.sleep(LOOK_EVERY_S)
