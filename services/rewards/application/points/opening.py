"""The use case of opening balances: points that customers bring from another system, each once however often a file is
imported."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.points.adjusting import AdjustmentStore
from services.rewards.application.ports import Members, Programs
from services.rewards.domain.changes import Changes
from services.rewards.domain.points import adjusting
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member
from shared.program.model.program import Program

REASON = "Opening balance"
ACTOR = "import"


@dataclass(frozen=True, slots=True)
class Opening:
    """`points` of a customer (any of its ids), usable through the day `expires_on` (None: as points earned today would
    be). A customer has one per `reference`, for ever. `line` is where the file says so."""

    line: int
    customer: str
    points: int
    expires_on: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of a batch: how many customers' balances were opened with how many points, how many lines had been
    taken before, and which lines are refused and why."""

    taken: int = 0
    points: int = 0
    before: int = 0
    refused: tuple[tuple[int, str], ...] = ()


class OpeningStore(AdjustmentStore, Protocol):
    """What opening balances read and write besides members, in the caller's transaction: they are adjustments."""

    def part(self, name: str) -> str:
        """Our id for whom the shop calls so, as a customer of their own; of our ids, the id itself."""

    async def known(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, int]:
        """The points of those of these opening balances that were taken before."""


def opening_id(part: str, reference: str) -> str:
    """The identity of an opening balance: the same for the same name (as `OpeningStore.part` says) and reference,
    whoever the name is of by now."""
    words = f"{len(part)}:{part}{reference}"
    return "opn_" + blake2b(words.encode(), digest_size=12, person=b"regulars.open").hexdigest()


@dataclass(frozen=True, slots=True)
class OpenBalances:
    """Takes batches of opening balances."""

    members: Members
    store: OpeningStore
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        openings: Sequence[Opening],
        now: datetime,
        *,
        dry_run: bool = False,
    ) -> Opened:
        """Open these balances in the caller's transaction, without a message to anybody; `dry_run` only says what would
        come of it."""
        program = (await self.programs.current(connection, now)).program
        names = await self.store.customers(connection, {each.customer for each in openings})
        locked = await self.members.lock(connection, set(names.values()), create=False)
        ids = [opening_id(self.store.part(each.customer), each.reference) for each in openings]
        before = await self.store.known(connection, ids)
        members = {member.customer_id: member for member in locked.values()}
        await self.store.load_lots(connection, members, dict.fromkeys(members, 0), now)
        refused: list[tuple[int, str]] = []
        taken: list[tuple[str, str, int]] = []
        changes = Changes(now, program.version)
        for each, id_ in zip(openings, ids, strict=True):
            owner, end = names.get(each.customer), _end(each, program)
            if id_ in before:
                if before[id_] != each.points:
                    refused.append(
                        (each.line, f"was taken before with {before[id_]} points: adjust by hand instead")
                    )
            elif owner is None or owner not in locked:
                refused.append(
                    (each.line, "nobody goes by this id yet: import orders or register the customer first")
                )
            elif end is not None and end <= now:
                refused.append((each.line, f"these points expired on {each.expires_on}"))
            else:
                member = locked[owner]
                _open(member, each, id_, end, program, changes)
                taken.append((id_, member.customer_id, each.points))
                before[id_] = each.points
        if taken and not dry_run:
            await self.store.add(connection, taken, reason=REASON, actor=ACTOR, now=now)
            changes.outcomes = [msgspec.structs.replace(each, historical=True) for each in changes.outcomes]
            await self.members.save(connection, changes)
        repeated = len(openings) - len(taken) - len(refused)
        return Opened(len(taken), sum(points for _, _, points in taken), repeated, tuple(refused))


def _end(opening: Opening, program: Program) -> datetime | None:
    if opening.expires_on is None:
        return None
    return datetime.combine(opening.expires_on + timedelta(days=1), time(), program.time_zone)


def _open(  # noqa: PLR0917
    member: Member, opening: Opening, id_: str, end: datetime | None, program: Program, changes: Changes
) -> None:
    adjusting.adjust(member, program, changes, id_=id_, points=opening.points, reason=REASON)
    if end is not None:
        lot = member.lots[lot_number(id_)]
        lot.expires_at, lot.renewable = end, False
