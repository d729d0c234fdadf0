"""The stream's use case: a batch of activities becomes postings, tiers, milestones and outcomes, each exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.application.members.merging import follow_parts
from services.rewards.application.ports import Activities, Budgets, Members, Programs, Taken
from services.rewards.domain.changes import Changes
from services.rewards.domain.concerns import Match
from services.rewards.domain.decide import decide
from services.rewards.domain.forwarding import forward
from services.rewards.domain.matching import match
from services.rewards.domain.members.parting import is_parting
from services.rewards.domain.needs import Needs
from services.rewards.domain.points.expiry import is_late_renewal
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.messages import noted
from services.rewards.domain.tiering.looking_back import LookBack
from services.rewards.domain.tiering.tier_time import arrived, bring_at_once
from services.rewards.domain.tiering.tiers import measure_of, start_of_window
from shared.bus.records import Incoming
from shared.contracts.activity import Activity
from shared.contracts.codec import decode
from shared.contracts.customer import own_id


@dataclass(frozen=True, slots=True)
class ActivityHandler:
    """Handles batches of the activity stream."""

    members: Members
    activities: Activities
    programs: Programs
    budgets: Budgets
    campaigns: Campaigns

    async def __call__(self, connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
        """Take every record that was not taken before, all in the caller's transaction.

        Raises `MalformedRecordError` for bytes that are no activity. Merges touch two customers: they split the
        batch, and are handled between its parts.
        """
        once: dict[str, Taken] = {}
        for record in records:
            activity = decode(record.value, Activity)
            once.setdefault(activity.id, Taken(activity, record.value))
        taken = await self.activities.take(connection, list(once.values()), now)
        if not taken:
            return
        rulebook = await self.programs.current(connection, now)
        run: list[Activity] = []
        for activity, _ in taken:
            if not is_parting(activity):
                run.append(activity)
                continue
            await self._handle_run(connection, run, rulebook, now)
            run = []
            await follow_parts(connection, self.members, activity, rulebook, now)
        await self._handle_run(connection, run, rulebook, now)

    async def _handle_run(
        self, connection: AsyncConnection, activities: list[Activity], rulebook: Rulebook, now: datetime
    ) -> None:
        if not activities:
            return
        moved = await self._moved(connection, activities)
        owners = {each.id: moved.get(each.part, (each.customer_id, 0))[0] for each in activities}
        members = await self.members.lock(connection, set(owners.values()), create=True)
        members = {id_: members[owner] for id_, owner in owners.items()}
        needs = Needs(now)
        look = LookBack.of(rulebook.program)
        matched: list[tuple[Activity, Match]] = []
        for activity in activities:
            found = match(activity, rulebook)
            member = members[activity.id]
            needs.add(member.customer_id, activity, found)
            if activity.type in rulebook.program.points.renewed_by:
                needs.renewed.add(member.customer_id)
            if is_late_renewal(activity, rulebook.program, now):
                needs.renewed_late(member.customer_id, activity.time)
            if look is not None and look.needed(activity, found, member, now):
                needs.tiers.add(member.customer_id)
            matched.append((activity, found))
        loaded = {member.customer_id: member for member in members.values()}
        await self.members.load(
            connection,
            loaded,
            needs,
            start_of_window(rulebook.program, now),
            measure_of(rulebook.program),
        )
        changes = Changes(now, rulebook.program.version)
        if needs.budgets:
            changes.budgets = await self.budgets.claim(connection, needs.budgets, rulebook.program)
        for activity, found in matched:
            member = members[activity.id]
            part = activity.part or activity.customer_id
            member.part = None if part == member.customer_id else part
            decide(activity, found, member, rulebook, changes)
            forward(activity, member.customer_id, changes)
            if (note := noted(activity)) is not None:
                changes.noted.append(note)
            for pseudonym in activity.identifiers.get("id", ()):
                owner, _ = moved.get(own_id(pseudonym), (activity.customer_id, 0))
                changes.aliases[pseudonym] = owner
        decided = [(activity, members[activity.id]) for activity in activities]
        await self.campaigns.follow(connection, decided, rulebook, changes)
        await self._bring(connection, rulebook, changes)
        await self.members.save(connection, changes)

    async def _bring(self, connection: AsyncConnection, rulebook: Rulebook, changes: Changes) -> None:
        """Give at once what new tiers bring at once. The timed jobs could as well; but they would lock the same members
        a second time, while the next batch waits for them, and load and write them anew, at three times the cost."""
        members = arrived(changes)
        if not members:
            return
        await self.members.load_benefits(connection, members, members)
        told = len(changes.outcomes)
        for member in members.values():
            bring_at_once(member, rulebook, changes)
        await self.campaigns.follow_time(connection, changes.outcomes[told:], rulebook, changes)

    async def _moved(
        self, connection: AsyncConnection, activities: list[Activity]
    ) -> dict[str, tuple[str, int]]:
        """Of the parts that these activities are of or name, those that went to other customers: what an activity gives
        gets whose its part is now, and a shop's id leads there, though the activity may be older than that."""
        parts = {activity.part for activity in activities if activity.part}
        for activity in activities:
            named = (own_id(pseudonym) for pseudonym in activity.identifiers.get("id", ()))
            parts.update(part for part in named if part != activity.customer_id)
        return await self.members.parts(connection, parts) if parts else {}
