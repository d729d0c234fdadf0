"""Finds out whose the events of a batch are, safely beside other workers that do the same.

Batches that only add identities run beside each other: two that add the same one meet at its primary key. A batch
that changes whose an identifier is runs alone, so that what the others have read stays true until they commit.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Customers, Decisions, Identities
from services.scoring.domain.event import Event
from services.scoring.domain.identity.identifiers import ID, Identity, names_of, telling
from services.scoring.domain.identity.resolution import (
    Resolution,
    Surroundings,
    regroup,
    resolve_simply,
    with_links,
)


class _MustBeAloneError(Exception):
    """The batch changes what others may be reading."""


class Identify:
    """The use case."""

    def __init__(self, identities: Identities, customers: Customers, decisions: Decisions) -> None:
        self._identities = identities
        self._customers = customers
        self._decisions = decisions

    async def __call__(
        self, connection: AsyncConnection, events: Sequence[Event], now: datetime
    ) -> Resolution:
        """Resolve the events and store what that makes of the identities. (What follows from it for customers is left
        to the caller.)

        Raises `MalformedRecordError` for an event without identifiers.
        """
        pseudonyms = sorted({pseudonym for event in events for _, pseudonym in names_of(event)})
        epoch, remembered = self._identities.remembered(pseudonyms)
        known = resolve_simply(events, remembered) if len(remembered) == len(pseudonyms) else None
        # Nearly always nothing is new, and what is remembered still true: that takes no savepoint. Where it is not, and
        # the batch must be alone after all, it asks for the lock alone while it shares it: of two that do so at once
        # the server sends one back to begin again.
        if known is not None and await self._identities.lock(connection, alone=False) == epoch:
            return known
        try:
            async with connection.begin_nested():  # rolled back, it gives the lock back too
                return await self._beside_others(connection, events, pseudonyms)
        except _MustBeAloneError:
            return await self._alone(connection, events, pseudonyms, now)

    async def _beside_others(
        self, connection: AsyncConnection, events: Sequence[Event], pseudonyms: Sequence[str]
    ) -> Resolution:
        await self._identities.lock(connection, alone=False)
        resolution = resolve_simply(events, await self._identities.find(connection, pseudonyms))
        if resolution is None:
            raise _MustBeAloneError
        if resolution.added and not await self._identities.add(connection, resolution.added):
            raise _MustBeAloneError
        return resolution

    async def _alone(
        self, connection: AsyncConnection, events: Sequence[Event], pseudonyms: Sequence[str], now: datetime
    ) -> Resolution:
        await self._identities.lock(connection, alone=True)
        known = await self._identities.find(connection, pseudonyms)
        resolution = resolve_simply(events, known)
        if resolution is not None:  # only somebody else's additions were in the way
            added = not resolution.added or await self._identities.add(connection, resolution.added)
            assert added, "nobody else adds identities now"
            return resolution
        nodes = with_links(events, known)
        told = {name for name, node in nodes.items() if node != known.get(name)}
        resolution = await self.again(connection, nodes, known, told)
        for event in events:
            name = names_of(event)[0][1]
            identity = resolution.added.get(name) or resolution.changed.get(name) or nodes[name]
            resolution.owners[event.key] = identity.customer_id
        await self._decisions.note(connection, resolution, now)
        return resolution

    async def again(
        self,
        connection: AsyncConnection,
        nodes: Mapping[str, Identity],
        known: Mapping[str, Identity],
        told: Collection[str],
        prefer: str | None = None,
    ) -> Resolution:
        """Group anew everything on which the identifiers in `told` bear, and store it. `nodes` are `known` with what is
        new. Needs the lock, alone."""
        around = Surroundings(dict(nodes))
        before = dict(known)
        await self._explore(connection, around, before, told)
        customers = {node.customer_id for node in before.values()}
        around.gone = await self._identities.gone(connection, customers, around.nodes)
        around.first_seen = await self._customers.first_seen(connection, customers)
        resolution = regroup(around, before, prefer)
        if resolution.added:
            added = await self._identities.add(connection, resolution.added)
            assert added, "nobody else adds identities now"
        resolution.epoch = await self._identities.change(connection, resolution)
        return resolution

    async def _explore(
        self,
        connection: AsyncConnection,
        around: Surroundings,
        before: dict[str, Identity],
        told: Collection[str],
    ) -> None:
        """Fill in everything that links and decisions connect with the identifiers told, customer by customer."""
        nodes = around.nodes
        explored: set[str] = set()
        whole: set[str] = set()
        beside = {link.to for name in told for link in nodes[name].links}
        wanted = {*told, *beside}
        while wanted:
            await self._load(connection, around, before, wanted - nodes.keys())
            customers = {nodes[name].customer_id for name in wanted} - whole - {""}
            if customers:
                whole |= customers
                _take(around, before, await self._identities.members(connection, customers))
            new = nodes.keys() - explored
            explored |= new
            weak = [name for name in new if nodes[name].kind != ID]
            if weak:
                leaves = await self._identities.leaves(connection, weak)
                near = {
                    name: one
                    for name, one in leaves.items()
                    if any(link.to in nodes for link in telling(one.links))
                }
                _take(around, before, near)
            joined, apart = await self._decisions.about(connection, new)
            around.joined |= joined
            around.apart |= apart
            wanted = {link.to for name in new for link in telling(nodes[name].links)}
            wanted |= {end for one in joined for end in one}
            wanted |= nodes.keys() - explored
            wanted = {name for name in wanted if name not in explored}

    async def _load(
        self,
        connection: AsyncConnection,
        around: Surroundings,
        before: dict[str, Identity],
        names: Collection[str],
    ) -> None:
        if names:
            _take(around, before, await self._identities.find(connection, names))


def _take(around: Surroundings, before: dict[str, Identity], found: Mapping[str, Identity]) -> None:
    for name, identity in found.items():
        if name not in around.nodes:
            around.nodes[name] = before[name] = identity
