"""The use case of a merge: both customers loaded in full, decided, their rows moved, everything written."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Members
from services.rewards.domain.changes import Cause, Changes
from services.rewards.domain.merging import merge
from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity


async def merge_members(
    connection: AsyncConnection, members: Members, activity: Activity, rulebook: Rulebook, now: datetime
) -> None:
    """Move the customer `data.from` into the activity's. One that was merged before is left as it is."""
    from_id = str(activity.data["from"])
    locked = await members.lock(connection, {activity.customer_id, from_id}, create=True)
    source, target = locked[from_id], locked[activity.customer_id]
    changes = Changes(now, rulebook.program.version)
    changes.causes.append(Cause(activity, effective=True))
    if source is not target:
        await members.load_all(connection, source)
        await members.load_all(connection, target)
        doubled = merge(source, target, activity, rulebook, changes)
        rules = sorted(name.split("/", 1)[0] for name in doubled)
        for code, offer in await members.revoke_offers(connection, source, rules, now):
            changes.tell(
                target,
                "offer.revoked",
                id_=f"{activity.id}/revoked/{code}",
                cause=activity.id,
                data={"code": code, "offer": offer, "reason": "merge"},
            )
        await members.move(connection, source, target)
    for pseudonym in activity.identifiers.get("id", ()):
        changes.aliases[pseudonym] = target.customer_id
    await members.save(connection, changes)
