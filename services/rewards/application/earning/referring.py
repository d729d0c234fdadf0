"""The timed use case of referrals: friends whose first order has been kept, and those who brought them, get points."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.jobs import DUE_MAX
from services.rewards.application.ports import Programs
from services.rewards.domain.changes import Changes
from services.rewards.domain.earning.referrals import Close, Orders, settle_referral
from services.rewards.domain.needs import Needs
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.referral_notes import Bringing, Coming
from services.rewards.domain.tiering import tiers
from shared.program.model.tiers import Measure

NO_ORDERS = Orders(None, None)


class Referrals(Protocol):
    """Referrals as they are stored. Every method works in the caller's transaction."""

    async def due(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> tuple[dict[str, Member], list[tuple[Coming, Bringing | None]]]:
        """Referrals that are due, and all whom they concern, locked; whom somebody is busy with is passed over."""

    async def orders(
        self, connection: AsyncConnection, customers: Collection[str], minimum: Decimal | None
    ) -> dict[str, Orders]:
        """What stands of these customers' orders."""

    async def wait_for_bringer(self, connection: AsyncConnection, referral_id: str) -> bool:
        """Whether nobody is known yet who brings under this id; whoever is told of next then wakes the friends."""

    async def close(self, connection: AsyncConnection, closes: Collection[Close]) -> None:
        """Write what became of referrals."""


@dataclass(frozen=True, slots=True)
class RewardReferrals:
    """The job (see `jobs.Job`)."""

    referrals: Referrals
    campaigns: Campaigns
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Decide referrals that are due; how many. While the program has no referral they wait: it may be put back in
        force."""
        rulebook = await self.programs.current(connection, now)
        if rulebook.program.points.referral is None:
            return 0
        members, pairs = await self.referrals.due(connection, now, limit, skip)
        if not pairs:
            return 0
        friends = [coming.customer_id for coming, _ in pairs]
        async with self.campaigns.deciding(connection, friends, rulebook, now) as changes:
            closes = await self._decide(connection, members, pairs, rulebook, changes)
            await self.referrals.close(connection, closes)
        return len(closes)

    async def _decide(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        pairs: list[tuple[Coming, Bringing | None]],
        rulebook: Rulebook,
        changes: Changes,
    ) -> list[Close]:
        program = rulebook.program
        referral = program.points.referral
        closes, known = await self._without_bringer(connection, pairs)
        if referral is None:
            return [*closes, *(Close(coming.customer_id, None, None) for coming, _ in known)]
        needs = Needs(changes.now, uses={(bringing.customer_id, referral.id) for _, bringing in known})
        measure = tiers.measure_of(program)
        if measure is Measure.POINTS:  # else the points of a referral count for no tier
            needs.tiers = set(members)
        await self.campaigns.members.load(
            connection, members, needs, tiers.start_of_window(program, changes.now), measure
        )
        friends = [coming.customer_id for coming, _ in known]
        orders = await self.referrals.orders(connection, friends, referral.minimum_order)
        for coming, bringing in known:
            closes.append(
                settle_referral(
                    coming,
                    bringing,
                    members[coming.customer_id],
                    members[bringing.customer_id],
                    orders.get(coming.customer_id, NO_ORDERS),
                    program,
                    changes,
                )
            )
        return closes

    async def _without_bringer(
        self, connection: AsyncConnection, pairs: list[tuple[Coming, Bringing | None]]
    ) -> tuple[list[Close], list[tuple[Coming, Bringing]]]:
        """Friends of whom nobody knows who brought them wait until that is told."""
        closes, known = [], []
        for coming, bringing in pairs:
            if bringing is not None:
                known.append((coming, bringing))
            elif await self.referrals.wait_for_bringer(connection, coming.referral_id):
                closes.append(Close(coming.customer_id, None, None))
        return closes, known
