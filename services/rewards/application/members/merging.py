"""The use case of a change in who is who: a merge, an undone one, a part that goes to another customer.

Such records may come in another order than they happened, because they travel in different partitions. Their numbers
(`data.epoch`) tell: the highest is right about a part, and what an older one would have moved goes where the part is.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Members
from services.rewards.domain.changes import Changes
from services.rewards.domain.forwarding import forward_parting
from services.rewards.domain.members.merging import merge
from services.rewards.domain.members.parting import MERGED, History, part_ways
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.tiers import measure_of
from shared.contracts.activity import Activity
from shared.contracts.customer import own_id


async def follow_parts(
    connection: AsyncConnection, members: Members, activity: Activity, rulebook: Rulebook, now: datetime
) -> None:
    """Let what a customer has follow the parts that an activity names."""
    source, target = str(activity.data["from"]), activity.customer_id
    parts = [str(part) for part in activity.data.get("parts", [source])]
    epoch = int(activity.data.get("epoch", 0))
    named = {pseudonym: own_id(pseudonym) for pseudonym in activity.identifiers.get("id", ())}
    before = await members.parts(connection, {*parts, *named.values()})
    owners: dict[str, list[str]] = {}
    for part in parts:
        owner, since = before.get(part, (target, -1))
        owners.setdefault(owner if since > epoch else target, []).append(part)
    changes = Changes(now, rulebook.program.version)
    for pseudonym, part in named.items():
        owner, since = before.get(part, (target, -1))
        changes.aliases[pseudonym] = owner if since > epoch else target
    fresh = owners.get(target, [])
    into = next((owner for owner, theirs in owners.items() if source in theirs), source)
    if activity.type == MERGED and into != source:
        await _merge(connection, members, activity, into, rulebook, changes)
    for owner, theirs in owners.items():
        places = {source, *(before[part][0] for part in theirs if part in before)} - {owner}
        for place in sorted(places):
            await _move(connection, members, (place, owner), theirs, activity, rulebook, now)
    if fresh and epoch:
        await members.note_parts(connection, fresh, target, epoch)
    forward_parting(activity, changes)
    await members.save(connection, changes)


async def _merge(  # noqa: PLR0917
    connection: AsyncConnection,
    members: Members,
    activity: Activity,
    into: str,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Move the customer `data.from` into another: the activity's, or whoever has got the part since. One that was
    merged before is left as it is."""
    from_id = str(activity.data["from"])
    locked = await members.lock(connection, {into, from_id}, create=True)
    source, target = locked[from_id], locked[into]
    if source is target:
        return
    doing = Changes(changes.now, changes.version)
    await members.load_all(connection, source, measure_of(rulebook.program))
    await members.load_all(connection, target, measure_of(rulebook.program))
    doubled = merge(source, target, activity, rulebook, doing)
    rules = sorted(name.split("/", 1)[0] for name in doubled)
    for code, offer in await members.revoke_offers(connection, source, rules, changes.now):
        doing.tell(
            target,
            "offer.revoked",
            id_=f"{activity.id}/revoked/{code}",
            cause=activity.id,
            data={"code": code, "offer": offer, "reason": "merge"},
        )
    await members.move(connection, source, target)
    await members.save(connection, doing)


async def _move(  # noqa: PLR0917
    connection: AsyncConnection,
    members: Members,
    ends: tuple[str, str],
    parts: Collection[str],
    activity: Activity,
    rulebook: Rulebook,
    now: datetime,
) -> None:
    """Move parts from the first of `ends` to the second, wherever the two are by merges that still stand."""
    locked = await members.lock_exactly(connection, ends)
    source, target = locked[ends[0]], locked[ends[1]]
    merged_by = None
    if target.merged_into is not None and target.customer_id in parts:  # it comes back
        merged_by, target.merged_into, target.merged_by = target.merged_by, None, None
    source, target = await _where(connection, members, source), await _where(connection, members, target)
    if source.customer_id == target.customer_id:
        return
    await members.load_all(connection, source, measure_of(rulebook.program))
    await members.load_all(connection, target, measure_of(rulebook.program))
    doing = Changes(now, rulebook.program.version)
    history = await _history(connection, members, source, target, parts, merged_by)
    retaken = part_ways(source, target, parts, history, activity, rulebook, doing)
    await members.move_parts(connection, source, target, parts, now)
    await members.save(connection, doing)
    for reservation in retaken:
        await members.retake(connection, reservation)


async def _where(connection: AsyncConnection, members: Members, member: Member) -> Member:
    if member.merged_into is None:
        return member
    return (await members.lock_exactly(connection, [member.merged_into]))[member.merged_into]


async def _history(  # noqa: PLR0917
    connection: AsyncConnection,
    members: Members,
    source: Member,
    target: Member,
    parts: Collection[str],
    merged_by: str | None,
) -> History:
    return History(
        earned=await members.earned_by(connection, source, target, parts),
        reservations=await members.open_reservations(connection, source.customer_id)
        if source.reserved
        else (),
        taken_back=await members.taken_back(connection, target.customer_id, merged_by) if merged_by else (),
    )
