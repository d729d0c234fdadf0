"""People decide who is who: they merge two customers, undo a merge, decide about suggested ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.identity.identify import Identify
from services.scoring.application.ports import Arrival, Decisions, Identities, MergeRecord
from services.scoring.domain.identity.cause import Cause
from services.scoring.domain.identity.identifiers import Identity, standing_for
from services.scoring.domain.identity.resolution import Resolution


class ApplyResolution(Protocol):
    """Lets customers be what a resolution makes of them."""

    async def __call__(
        self,
        connection: AsyncConnection,
        resolution: Resolution,
        cause: Cause,
        now: datetime,
        arrivals: Mapping[str, Arrival],
    ) -> None: ...


class SameCustomerError(Exception):
    """The two are one customer already. `customer` is the id."""

    def __init__(self, customer: str) -> None:
        super().__init__(customer)
        self.customer = customer


class UnknownCustomerError(Exception):
    """Nobody goes by that id. `end` is `from` or `into`."""

    def __init__(self, end: str) -> None:
        super().__init__(end)
        self.end = end


class AlreadyUndoneError(Exception):
    """The merge was undone before."""


@dataclass(frozen=True, slots=True)
class Named:
    """A customer as a request names it: `pseudonym` of a shop's id, or else our own id, former ones included."""

    pseudonym: str
    customer: str | None


class Merging:
    """The use cases. Each works in the caller's transaction and alone: nobody else changes identities meanwhile."""

    def __init__(
        self, identities: Identities, decisions: Decisions, identify: Identify, apply: ApplyResolution
    ) -> None:
        self._identities = identities
        self._decisions = decisions
        self._identify = identify
        self._apply = apply

    async def alone(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, nobody else changes who is who: call it before looking up whom to merge."""
        await self._identities.lock(connection, alone=True)

    async def merge(
        self,
        connection: AsyncConnection,
        id_: str,
        source: Named,
        target: Named,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> MergeRecord:
        """Make the customer `source` one with `target`, whose id stays. Raises `UnknownCustomerError`,
        `SameCustomerError`."""
        await self._identities.lock(connection, alone=True)
        from_name, one = await self._end(connection, source, "from")
        into_name, other = await self._end(connection, target, "into")
        if one.customer_id == other.customer_id:
            raise SameCustomerError(one.customer_id)
        record = MergeRecord(
            id=id_,
            at=now,
            by_rule=False,
            from_id=one.customer_id,
            into_id=other.customer_id,
            from_identifier=from_name,
            into_identifier=into_name,
            reason=reason,
            actor=actor,
        )
        await self._decisions.add(connection, record)
        await self._regroup(connection, {from_name: one, into_name: other}, id_, now, other.customer_id)
        return record

    async def undo(
        self, connection: AsyncConnection, id_: str, *, reason: str, actor: str, now: datetime
    ) -> tuple[str, str] | None:
        """Give each of the two back what is theirs, whatever came since; None if there is no such merge, else the ids
        that the two ends of the merge have now. Raises `AlreadyUndoneError`."""
        await self._identities.lock(connection, alone=True)
        record = await self._decisions.get(connection, id_)
        if record is None:
            return None
        if record.undone_at is not None:
            raise AlreadyUndoneError
        await self._decisions.undo(connection, id_, at=now, reason=reason, actor=actor)
        ends = (record.from_identifier, record.into_identifier)
        known = await self._identities.find(connection, ends)
        resolution = await self._regroup(connection, known, f"{id_}/undo", now, None)
        one, other = ((resolution.changed.get(end) or known[end]).customer_id for end in ends)
        return one, other

    async def _regroup(
        self,
        connection: AsyncConnection,
        ends: Mapping[str, Identity],
        cause: str,
        now: datetime,
        prefer: str | None,
    ) -> Resolution:
        resolution = await self._identify.again(connection, ends, ends, ends, prefer)
        await self._decisions.suggest(connection, resolution, now)
        await self._apply(connection, resolution, Cause(cause, now, now), now, {})
        return resolution

    async def _end(self, connection: AsyncConnection, named: Named, end: str) -> tuple[str, Identity]:
        """The identifier that stands for a customer: the shop's id by which it was named, else the one from which our
        id comes, else the strongest."""
        found = await self._identities.find(connection, [named.pseudonym])
        if found:
            return named.pseudonym, found[named.pseudonym]
        members = await self._identities.members(connection, [named.customer]) if named.customer else {}
        if named.customer is None or not members:
            raise UnknownCustomerError(end)
        name = standing_for(named.customer, members)
        return name, members[name]
