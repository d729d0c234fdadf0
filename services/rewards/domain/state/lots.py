"""Lots: points that were credited together and expire together. Every debit names the lot it takes from."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

from msgspec import Struct

from shared.program.model.program import Program
from shared.program.values.calendar import end_of_day_after

FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Lot(Struct, kw_only=True):
    """Points of one cause. `points` were credited in all, `remaining` are still there (pending or available),
    `expired` ran out unspent. `pending` until `available_at`. `renewable`: the customer's activity moves
    `expires_at` on. `noticed`: the customer was told of the expiry ahead. `stored` and `changed` tell what to write.
    `part` is the part of the customer that it came from (see `Member`)."""

    number: int
    expires_at: datetime | None
    available_at: datetime | None = None
    pending: bool = False
    points: int = 0
    remaining: int = 0
    expired: int = 0
    renewable: bool = False
    noticed: bool = False
    part: str | None = None
    stored: bool = False
    changed: bool = True


def lot_number(cause: str, part: str = "") -> int:
    """The number of the lot that a cause fills: the same for the same cause, so that a lot can move to another
    customer in a merge and keep its name. 63 bits of the cause's own hash, if it is one, else of a new one."""
    if not part:
        try:
            return int(cause[:16], 16) >> 1
        except ValueError:
            pass
    digest = blake2b(f"{cause}/{part}".encode(), digest_size=8, person=b"regulars.lot").digest()
    return int.from_bytes(digest, "big") >> 1


def end_of_points(start: datetime, program: Program) -> datetime | None:
    """When points expire that can be spent, or were renewed, at `start`; None: never."""
    points = program.points
    if points.expire_after is None:
        return None
    return end_of_day_after(start, points.expire_after, program.time_zone, at=points.expire_at)


def keep_in_step(lot: Lot, since: datetime | None, until: datetime | None) -> None:
    """Let a renewable lot that lasted at `since` last until `until`, the times of the member's activity."""
    end = lot.expires_at
    if not lot.renewable or end is None or since is None or until is None or not since < end < until:
        return
    if lot.remaining or not lot.expired:
        lot.expires_at, lot.noticed = until, False
        lot.changed = lot.changed or lot.remaining > 0


def oldest_first(lots: Iterable[Lot]) -> list[Lot]:
    """Available lots that hold points, in the order in which they are spent: first those that expire first."""
    return sorted(
        (lot for lot in lots if lot.remaining and not lot.pending),
        key=lambda lot: (lot.expires_at or FOR_EVER, lot.number),
    )
