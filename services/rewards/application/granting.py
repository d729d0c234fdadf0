"""The use case of a tier given by hand, and taken back: under the member's lock, decided with all that counts."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.domain.changes import Changes
from services.rewards.domain.needs import Needs
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member, TierGrant
from services.rewards.domain.tiering import tiers
from services.rewards.domain.tiering.standing import GRANTED
from shared.program.model.program import Program


def check_grant(program: Program, tier: str, until: datetime, now: datetime) -> None:
    """Raises `RefusedError` for a tier that cannot be granted, or an end that has passed."""
    above = [level.id for level in program.tiers.levels[1:]] if program.tiers is not None else []
    if tier not in above:
        known = f"Those that can be: {', '.join(above)}." if above else "The program has none."
        detail = f"There is no tier {tier} that can be granted. {known}"
        raise RefusedError(422, "unknown_tier", "Unknown tier", detail, pointer="/tier")
    if until <= now:
        detail = f"The grant would have ended at {until.isoformat()}."
        raise RefusedError(422, "grant_ended", "The end has passed", detail, pointer="/until")


async def decide_with_grants(  # noqa: PLR0917
    connection: AsyncConnection,
    campaigns: Campaigns,
    member: Member,
    rulebook: Rulebook,
    cause: str,
    now: datetime,
    granted: TierGrant | None = None,
) -> None:
    """Decide the member's tier by the grants that are stored, and `granted` with them, and write it. Campaigns
    follow, as if the customer had reached it."""
    program, members = rulebook.program, campaigns.members
    needs = Needs(now, spend={member.customer_id}, tiers={member.customer_id})
    since = tiers.start_of_window(program, now)
    await members.load(connection, {member.customer_id: member}, needs, since, tiers.measure_of(program))
    if granted is not None and granted not in member.grants:
        member.grants.append(granted)
    changes = Changes(now, program.version)
    changes.touch(member)
    ends = granted is None and member.tier_status == GRANTED
    if program.tiers is not None:
        standing = tiers.present(member, program, now)
        reason = "grant_ended" if ends else "grant"
        tiers.apply(member, standing, program, changes, cause=cause, reason=reason)
    await campaigns.follow_time(connection, changes.outcomes, rulebook, changes)
    await members.save(connection, changes)
