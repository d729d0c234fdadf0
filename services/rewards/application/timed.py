"""What time alone makes due: pending points, lots past their last day, reservations, tiers. Each is done once,
however many workers look, because it is done under the member's lock and leaves nothing due behind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.campaigns.running import RunCampaigns
from services.rewards.application.earning.referring import Referrals, RewardReferrals
from services.rewards.application.jobs import DUE_MAX, Job
from services.rewards.application.ports import Members, Programs
from services.rewards.application.programs.program_watch import WatchProgram
from services.rewards.application.spending.checkout import CheckoutStore
from services.rewards.application.watching.alerting import TellOfAlerts
from services.rewards.application.watching.watching import Watch, WatchRedemptions
from services.rewards.domain.needs import Needs
from services.rewards.domain.points import expiry, ledger
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Status
from services.rewards.domain.tiering import tiers
from services.rewards.domain.tiering.benefits import recount
from services.rewards.domain.tiering.tier_time import pass_time
from shared.program.model.tiers import Tiers


class Due(Protocol):
    """Finds what is due and locks whom it concerns, passing over those whom somebody else is busy with."""

    async def points(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """Members with points that become available or expire; locked."""

    async def notices(
        self,
        connection: AsyncConnection,
        period: tuple[datetime, datetime],
        limit: int,
        skip: Collection[str],
    ) -> dict[str, Member]:
        """Members with points that expire after the first moment, up to the second, and who were not told of it;
        locked."""

    async def tiers(
        self, connection: AsyncConnection, tiers: Tiers, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """Members for whose tier something is due, and those whom these tiers promise other offers than when that was
        noted, or who had one by another period; locked."""

    async def reservations(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> tuple[dict[str, Member], set[str]]:
        """Members with reservations that nobody confirmed in time, locked, and the ids of those reservations."""


@dataclass(frozen=True, slots=True)
class TimedJobs:
    """The jobs. Each handles one batch in the caller's transaction and answers how many members it changed."""

    due: Due
    members: Members
    store: CheckoutStore
    programs: Programs
    referrals: Referrals
    watch: Watch
    campaigns: Campaigns

    def all(self) -> dict[str, Job]:
        """Every job by its name."""
        return {
            "watch_program": WatchProgram(self.programs, self.members),
            "expire_reservations": self.expire_reservations,  # first: what comes back may be over, or pay a debt
            "move_points": self.move_points,
            "give_notice": self.give_notice,
            "review_tiers": self.review_tiers,
            "reward_referrals": RewardReferrals(self.referrals, self.campaigns, self.programs),
            "run_campaigns": RunCampaigns(self.campaigns, self.programs),
            "watch_redemptions": WatchRedemptions(self.watch, self.members, self.programs),
            "tell_of_alerts": TellOfAlerts(self.watch.untold, self.members, self.programs),
        }

    async def move_points(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Pending points become available, lots past their last day expire."""
        members = await self.due.points(connection, now, limit, skip)
        if not members:
            return 0
        rulebook = await self.programs.current(connection, now)
        async with self.campaigns.deciding(connection, members, rulebook, now) as changes:
            await self.members.load(connection, members, Needs(now, lots=set(members)), None)
            for member in members.values():
                ledger.bring_up_to_date(member, changes, now)
        return len(changes.members)

    async def give_notice(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Customers are told of points that expire within the notice period, once of each lot."""
        rulebook = await self.programs.current(connection, now)
        program = rulebook.program
        if program.points.notice_before is None:
            return 0
        horizon = program.points.notice_before.after(now, program.time_zone)
        members = await self.due.notices(connection, (now, horizon), limit, skip)
        if not members:
            return 0
        async with self.campaigns.deciding(connection, members, rulebook, now) as changes:
            await self.members.load(connection, members, Needs(horizon, lots=set(members)), None)
            for member in members.values():
                ledger.bring_up_to_date(member, changes, now)
                expiry.give_notice(member, program, changes)
        return len(changes.members)

    async def expire_reservations(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Points of checkouts that were left are given back."""
        members, ids = await self.due.reservations(connection, now, limit, skip)
        if not members:
            return 0
        rulebook = await self.programs.current(connection, now)
        async with self.campaigns.deciding(connection, members, rulebook, now) as changes:
            redemptions = await self.store.redemptions(connection, ids)
            over = [
                redemption
                for redemption in sorted(redemptions.values(), key=lambda one: (one.expires_at, one.id))
                if redemption.status is Status.RESERVED
                and redemption.expires_at <= now
                and redemption.customer_id in members
            ]
            await self.store.load_lots(connection, members, dict.fromkeys(members, 0), now)
            await self.store.load_taken(connection, members, over)
            for redemption in over:
                checkout.release(members[redemption.customer_id], redemption, changes, status=Status.EXPIRED)
        return len(changes.members)

    async def review_tiers(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Tiers whose time is over are kept or lost, notice of it goes out, benefits come, also those that the program
        has come to promise, by the periods that it has come to say. While it has no tiers all that waits: it may be put
        back in force."""
        rulebook = await self.programs.current(connection, now)
        rules, zone = rulebook.program.tiers, rulebook.program.time_zone
        if rules is None:
            return 0
        members = await self.due.tiers(connection, rules, now, limit, skip)
        if not members:
            return 0
        async with self.campaigns.deciding(connection, members, rulebook, now) as changes:
            measure = tiers.measure_of(rulebook.program)
            needs = Needs(now, spend=set(members), tiers=set(members))
            since = tiers.start_of_window(rulebook.program, now)
            await self.members.load(connection, members, needs, since, measure)
            await self.members.load_benefits(connection, members, members)
            for member in members.values():
                pass_time(member, rulebook, changes, same_program=False)
                recount(member, rules, zone, now)
                changes.touch(member)
        return len(changes.members)
