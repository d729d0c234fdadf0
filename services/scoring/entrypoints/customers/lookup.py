"""Finds the customer whom a request names, now or as of a moment; who is not known is answered with 404."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.application.customers.portray import Portrait, Portray
from services.scoring.application.ports import Known
from shared.clock import Clock
from shared.http.problems import Problem

NOT_THEN = "The customer was not known at that moment."


class Lookup:
    """Customers by any of their ids (ours, former ones included, or the shop's own)."""

    def __init__(self, profiles: Profiles, portray: Portray, clock: Clock) -> None:
        self._profiles = profiles
        self._portray = portray
        self._clock = clock

    async def known(self, connection: AsyncConnection, ref: str) -> Known:
        """The customer. Raises the 404 problem."""
        return await find_or_404(self._profiles, connection, ref)

    async def portrait(self, connection: AsyncConnection, ref: str, at: datetime | None) -> Portrait:
        """The customer now, or as they stood `at` (at the latest now). Raises the 404 problem."""
        known = await self.known(connection, ref)
        now = self._clock()
        if at is None or at >= now:
            return await self._portray.now(connection, known, now)
        portrait = await self._portray.at(connection, known, at)
        if portrait is None:
            raise unknown_customer(NOT_THEN)
        return portrait


async def find_or_404(profiles: Profiles, connection: AsyncConnection, ref: str) -> Known:
    """The customer with this id. Raises the 404 problem."""
    known = await profiles.find(connection, ref)
    if known is None:
        raise unknown_customer("No customer has this id.")
    return known


def unknown_customer(detail: str) -> Problem:
    """The problem that says so."""
    return Problem(404, "unknown_customer", "Unknown customer", detail)
