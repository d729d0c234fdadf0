"""The use case of knowing whom messages go to: contacts, consent and moods as outcomes tell them, following merges."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.recipients.person import Part, State, tell
from shared.contracts.activity import Person
from shared.contracts.outcomes import Outcome, RecipientChanged

RECIPIENT: Final = "recipient.changed"
PARTINGS: Final = frozenset({"customer.merged", "customer.unmerged", "customer.corrected"})
KNOWN: Final = PARTINGS | {RECIPIENT}
"""Outcomes that tell of recipients."""


class Parting(Struct, frozen=True, rename={"source": "from"}):
    """The data of `customer.merged`, `customer.unmerged`, `customer.corrected`."""

    source: str
    parts: list[str]
    epoch: int = 0
    tickets_angry: bool = False
    emails_unopened: int = 0
    person: Person | None = None


class Knowing(Protocol):
    """Where it is written down."""

    async def lock(self, connection: AsyncConnection, ids: Collection[str]) -> None: ...

    async def owners(
        self, connection: AsyncConnection, parts: Collection[str]
    ) -> dict[str, tuple[str, int]]: ...

    async def parts(self, connection: AsyncConnection, parts: Collection[str]) -> dict[str, Part]: ...

    async def open(
        self, connection: AsyncConnection, persons: Sequence[tuple[str, str, str]]
    ) -> list[dict[str, Any]]: ...

    async def keep(self, connection: AsyncConnection, parts: Sequence[Part]) -> None: ...

    async def note(self, connection: AsyncConnection, states: Sequence[State], now: datetime) -> None: ...

    async def move_parts(
        self, connection: AsyncConnection, parts: Collection[str], customer_id: str, epoch: int
    ) -> list[str]: ...

    async def wake(self, connection: AsyncConnection, ids: Collection[str], now: datetime) -> None: ...


async def lock_owners(
    connection: AsyncConnection, knowing: Knowing, parts: Sequence[tuple[str, str]]
) -> list[str]:
    """For each (part, customer) whose the part is now, with the customers' rows locked: the customer it was told under,
    unless a change in who is who has given the part to another."""
    before = await knowing.owners(connection, {part for part, _ in parts})
    await knowing.lock(connection, {_owner(part, told, before) for part, told in parts})
    now = await knowing.owners(connection, {part for part, _ in parts})
    owners = [_owner(part, told, now) for part, told in parts]
    if moved := set(owners) - {_owner(part, told, before) for part, told in parts}:
        await knowing.lock(connection, moved)  # it moved while we waited for the lock
    return owners


def _owner(part: str, told: str, owners: dict[str, tuple[str, int]]) -> str:
    owner, epoch = owners.get(part, (told, 0))
    return owner if epoch else told


@dataclass(frozen=True, slots=True)
class KnowRecipients:
    """A `Taker`. Changes in who is who split the batch, and are handled between its parts."""

    knowing: Knowing

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """See `Taker`."""
        return KNOWN

    async def __call__(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """See `Taker`."""
        run: list[Outcome] = []
        for outcome in outcomes:
            if outcome.type == RECIPIENT:
                run.append(outcome)
            elif outcome.type in PARTINGS:
                await self._know(connection, run, now)
                run = []
                await self._part(connection, outcome, now)
        await self._know(connection, run, now)

    async def _know(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        if not outcomes:
            return
        told = [msgspec.convert(outcome.data, RecipientChanged) for outcome in outcomes]
        whom = [(each.part, outcome.customer_id) for each, outcome in zip(told, outcomes, strict=True)]
        owners = await lock_owners(connection, self.knowing, whom)
        await self._contacts(connection, told, owners)
        states: dict[str, State] = {}
        for each, owner, outcome in zip(told, owners, outcomes, strict=True):
            if (each.state_of or outcome.customer_id) != owner:
                continue  # it was told before the part changed hands; what that has led to is told with the change
            state = _state(owner, outcome.time, each)
            states[owner] = _later(states[owner], state) if owner in states else state
        await self.knowing.note(connection, [states[owner] for owner in sorted(states)], now)
        await self.knowing.wake(connection, sorted(set(owners)), now)

    async def _contacts(
        self, connection: AsyncConnection, told: Sequence[RecipientChanged], owners: Sequence[str]
    ) -> None:
        """Keep what events told of persons, each under its part, sealed again."""
        sealed = [
            (each, owner, each.person)
            for each, owner in zip(told, owners, strict=True)
            if each.person is not None and each.person.sealed is not None
        ]
        if not sealed:
            return
        known = await self.knowing.parts(connection, {each.part for each, _, _ in sealed})
        opened = await self.knowing.open(
            connection, [(person.subject, person.sealed or "", each.event) for each, _, person in sealed]
        )
        changed: dict[str, Part] = {}
        for (each, owner, person), plain in zip(sealed, opened, strict=True):
            customer = plain.get("customer")
            if not isinstance(customer, dict):
                continue
            part = known.get(each.part)
            before = {} if part is None or part.told is None else part.told
            after = tell(before, customer, each.at)
            # The one that the part is of, and no other: our events must not link what was told apart since.
            own = {kind: name for kind, name in person.identifiers.items() if name == person.subject}
            known[each.part] = Part(each.part, owner, person.subject, own, after)
            changed[each.part] = known[each.part]
        await self.knowing.keep(connection, list(changed.values()))

    async def _part(self, connection: AsyncConnection, outcome: Outcome, now: datetime) -> None:
        """Parts went from one customer to another: what is known under them, and their messages, go with them."""
        parting = msgspec.convert(outcome.data, Parting)
        target = outcome.customer_id
        before = await self.knowing.owners(connection, parting.parts)
        places = {owner for owner, _ in before.values()} | {target, parting.source}
        await self.knowing.lock(connection, places)
        await self.knowing.move_parts(connection, parting.parts, target, parting.epoch)
        await self.knowing.note(connection, [_state(target, outcome.time, parting)], now)
        await self.knowing.wake(connection, [target], now)


def _state(customer_id: str, at: datetime, told: RecipientChanged | Parting) -> State:
    state = State(customer_id, at, told.tickets_angry, told.emails_unopened)
    person = told.person
    if person is None:
        return state
    return replace(
        state,
        person=True,
        locale=person.locale,
        time_zone=person.time_zone,
        consents=tuple(person.consents),
        withdrawn=tuple(person.consents_withdrawn),
    )


def _later(first: State, second: State) -> State:
    """Both in one: the second counts, and of the person the first where the second says nothing."""
    if second.person or not first.person:
        return second
    return replace(
        first, at=second.at, tickets_angry=second.tickets_angry, emails_unopened=second.emails_unopened
    )
