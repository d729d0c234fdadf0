"""Requests that arrive together share a batch: a transaction for many, and each its own answer."""

import asyncio
from collections.abc import Sequence

from services.rewards.application.spending.batching import BATCH_MAX, BATCHES_MAX, ENOUGH, Batcher


async def test_requests_that_arrive_together_share_a_batch() -> None:
    """Given a batcher that is idle; when 100 requests arrive; then the first goes alone, the rest in full batches."""
    sizes = []

    async def handle(requests: Sequence[int]) -> list[int | Exception]:
        sizes.append(len(requests))
        await asyncio.sleep(0)
        return [request * 2 for request in requests]

    batcher = Batcher(handle)
    answers = await asyncio.gather(*(batcher.submit(number) for number in range(100)))

    assert answers == [number * 2 for number in range(100)]
    assert sum(sizes) == 100
    assert max(sizes) <= BATCH_MAX
    assert len(sizes) <= 3


async def test_two_batches_run_side_by_side_and_nobody_is_left_waiting() -> None:
    """Given a batch under way; when many more requests arrive, then a second batch joins it, but no third; and when one
    arrives in the moment in which a batch ends, it is not forgotten."""
    running, most = 0, 0
    gate = asyncio.Event()

    async def handle(requests: Sequence[int]) -> list[int | Exception]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return list(requests)

    batcher = Batcher(handle)
    asked = [asyncio.create_task(batcher.submit(number)) for number in range(200)]
    await asyncio.sleep(0.01)
    gate.set()

    assert await asyncio.gather(*asked) == list(range(200))
    assert most == BATCHES_MAX
    async with asyncio.timeout(5):
        for number in range(50):
            assert await batcher.submit(number) == number  # each right after the answer to the one before


async def test_few_that_wait_join_the_batch_that_follows() -> None:
    """Given two batches under way and a few requests waiting; when the first batch ends, then those wait for the other
    and go together with who has come until then; and nobody is forgotten."""
    sizes: list[int] = []
    gates = [asyncio.Event(), asyncio.Event()]

    async def handle(requests: Sequence[int]) -> list[int | Exception]:
        sizes.append(len(requests))
        if len(sizes) <= len(gates):
            await gates[len(sizes) - 1].wait()
        return list(requests)

    batcher = Batcher(handle)
    asked = []
    for count in (1, ENOUGH, ENOUGH - 2):
        asked += [asyncio.create_task(batcher.submit(number)) for number in range(count)]
        await asyncio.sleep(0.01)
    gates[0].set()
    await asyncio.sleep(0.01)
    assert sizes == [1, ENOUGH]
    asked.append(asyncio.create_task(batcher.submit(0)))
    await asyncio.sleep(0.01)
    gates[1].set()
    async with asyncio.timeout(5):
        await asyncio.gather(*asked)
    assert sizes == [1, ENOUGH, ENOUGH - 1]


async def test_two_requests_about_the_same_are_never_under_way_in_two_batches() -> None:
    """Given a batch under way; when requests come, some about the same as one in it, then only the others go beside it;
    those go next, in their order, and nobody is forgotten."""
    batches: list[list[tuple[str, int]]] = []
    gates = [asyncio.Event(), asyncio.Event()]

    async def handle(requests: Sequence[tuple[str, int]]) -> list[int | Exception]:
        batches.append(list(requests))
        if len(batches) <= len(gates):
            await gates[len(batches) - 1].wait()
        return [number for _, number in requests]

    def ask(who: str, number: int) -> "asyncio.Task[int]":
        return asyncio.create_task(batcher.submit((who, number)))

    batcher = Batcher(handle, lambda request: request[0])
    asked = [ask("hot", 0)]
    await asyncio.sleep(0.01)
    asked += [ask("hot", number) for number in range(1, ENOUGH + 1)]
    await asyncio.sleep(0.01)
    assert batches == [[("hot", 0)]]
    others = [(f"other-{number}", number) for number in range(100, 100 + ENOUGH)]
    asked += [ask(*request) for request in others]
    await asyncio.sleep(0.01)
    assert batches == [[("hot", 0)], others]
    gates[0].set()
    gates[1].set()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*asked)
    assert answers == [*range(ENOUGH + 1), *range(100, 100 + ENOUGH)]
    assert [number for batch in batches for who, number in batch if who == "hot"] == [*range(ENOUGH + 1)]


async def test_who_waits_behind_many_that_have_gone_is_answered() -> None:
    """Given a batch under way and more requests than one batch takes behind it; when who asked them goes, then the one
    behind those is answered."""
    gate = asyncio.Event()

    async def handle(requests: Sequence[int]) -> list[int | Exception]:
        await gate.wait()
        return list(requests)

    batcher = Batcher(handle, lambda request: request)
    asked = [asyncio.create_task(batcher.submit(0)) for _ in range(BATCH_MAX + ENOUGH)]
    last = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0.01)
    for task in asked[1:]:
        task.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    async with asyncio.timeout(5):
        assert await asked[0] == 0
        assert await last == 1


async def test_a_request_that_breaks_its_batch_fails_alone() -> None:
    """Given a batch in which one request breaks everything; when it is handled; then the others get their answers."""

    async def handle(requests: Sequence[int]) -> list[int | Exception]:
        await asyncio.sleep(0)
        if 3 in requests:
            raise ValueError("three")
        return list(requests)

    batcher = Batcher(handle)
    answers = await asyncio.gather(*(batcher.submit(n) for n in range(6)), return_exceptions=True)

    assert [answer for answer in answers if not isinstance(answer, ValueError)] == [0, 1, 2, 4, 5]
