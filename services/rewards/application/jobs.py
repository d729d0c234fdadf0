"""What the timed jobs have in common: how many members they take, and whose work it was that failed."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

DUE_MAX = 200
"""Members, or redemptions, that one transaction takes."""


class Job(Protocol):
    """Does what is due of at most `limit` members in the caller's transaction, passing over those in `skip`, and
    answers how many it changed. Raises `DueWorkError`."""

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int: ...


class DueWorkError(Exception):
    """The work of these members failed; the cause says why."""

    def __init__(self, customers: Collection[str]) -> None:
        super().__init__(f"due work of {len(customers)} members")
        self.customers = frozenset(customers)


@contextmanager
def work_of(customers: Collection[str]) -> Iterator[None]:
    """What fails within is the work of these members."""
    try:
        yield
    except Exception as error:
        raise DueWorkError(customers) from error
