"""Requests of the checkout, a batch a transaction."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.spending.batching import BATCHES_MAX
from services.rewards.application.spending.checkout import Checkout, LookAgainError, Request
from shared.clock import Clock
from shared.postgres.held import HeldConnection

ATTEMPTS = 3
"""Of a batch that met somebody else's change of who is who."""


class CheckoutBatches:
    """The checkout's batches, each in a transaction of its own, on connections that they hold on to. `close` gives
    those back."""

    def __init__(self, engine: AsyncEngine, checkout: Checkout, clock: Clock) -> None:
        self._all = [HeldConnection(engine) for _ in range(BATCHES_MAX)]
        self._free = list(self._all)
        self._checkout = checkout
        self._clock = clock

    async def __call__(self, requests: Sequence[Request]) -> list[bytes | Exception]:
        """See `Checkout`. At most `BATCHES_MAX` at the same time."""
        held = self._free.pop()
        try:
            for attempt in range(ATTEMPTS):
                try:
                    async with held.begin() as connection:
                        return await self._checkout(connection, requests, self._clock())
                except LookAgainError:
                    if attempt == ATTEMPTS - 1:
                        raise
            raise AssertionError("unreachable")
        finally:
            self._free.append(held)

    async def close(self) -> None:
        """Give the connections back."""
        for held in self._all:
            await held.close()
