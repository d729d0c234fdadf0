"""Requests of the checkout, a batch a transaction."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.checkout import Checkout, LookAgainError, Request
from shared.clock import Clock

ATTEMPTS = 3
"""Of a batch that met somebody else's change of who is who."""


def in_transaction(
    engine: AsyncEngine, checkout: Checkout, clock: Clock
) -> Callable[[Sequence[Request]], Awaitable[list[bytes | Exception]]]:
    """The checkout's batches, each in a transaction of its own."""

    async def handle(requests: Sequence[Request]) -> list[bytes | Exception]:
        for attempt in range(ATTEMPTS):
            try:
                async with engine.begin() as connection:
                    return await checkout(connection, requests, clock())
            except LookAgainError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    return handle
