"""Everything that a batch has changed, written with one statement per table, the outcomes last."""

from collections.abc import Iterable
from typing import Any

from asyncpg import UniqueViolationError
from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.campaigns.messages import note_messages, write_messages
from services.rewards.adapters.campaigns.run_rows import write_runs
from services.rewards.adapters.earning import budgets
from services.rewards.adapters.earning.referral_notes import save_referrals
from services.rewards.adapters.members.writes import write_members
from services.rewards.adapters.sets import Writes
from services.rewards.adapters.spending import offer_uses, stock
from services.rewards.adapters.tiering.standings import write_benefits
from services.rewards.application.spending.checkout import AnsweredMeanwhileError
from services.rewards.domain.changes import (
    Changes,
    IssuedOffer,
    Reached,
    RuleUse,
    TierChange,
)
from services.rewards.domain.state.accounts import Entry
from services.rewards.domain.state.lots import Lot
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.state.redemptions import Redemption
from shared.alerts.raising import raise_alerts
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC

_json = json.Encoder(decimal_format="string")

UPDATE_LOTS = text("""
    UPDATE rewards.lots l SET pending = w.pending, points = w.points, remaining = w.remaining, expired = w.expired,
        expires_at = w.expires_at, noticed = w.noticed
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS bigint[]), CAST(:c2 AS boolean[]), CAST(:c3 AS bigint[]),
        CAST(:c4 AS bigint[]), CAST(:c5 AS bigint[]), CAST(:c6 AS timestamptz[]), CAST(:c7 AS boolean[]))
        AS w(customer_id, lot, pending, points, remaining, expired, expires_at, noticed)
    WHERE l.customer_id = w.customer_id AND l.lot = w.lot
    """)
_UPDATE_PURCHASES = text("""
    UPDATE rewards.purchases p SET placed_at = w.placed_at, currency = w.currency, total = w.total, net = w.net,
        counts = w.counts, cancelled = w.cancelled, lot = w.lot, grants = w.grants, refunds = w.refunds,
        basket = w.basket, told = w.told
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS timestamptz[]), CAST(:c3 AS text[]),
        CAST(:c4 AS numeric[]), CAST(:c5 AS numeric[]), CAST(:c6 AS boolean[]), CAST(:c7 AS boolean[]),
        CAST(:c8 AS bigint[]), CAST(:c9 AS text[]), CAST(:c10 AS text[]), CAST(:c11 AS text[]),
        CAST(:c12 AS text[]), CAST(:c13 AS bigint[]))
        AS w(customer_id, order_id, placed_at, currency, total, net, counts, cancelled, lot, grants, refunds, part,
             basket, told)
    WHERE p.customer_id = w.customer_id AND p.order_id = w.order_id
    """)
_UPDATE_REDEMPTIONS = text("""
    UPDATE rewards.redemptions r SET status = w.status, ended_at = w.ended_at
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS timestamptz[])) AS w(id, status, ended_at)
    WHERE r.id = w.id
    """)
_ALIASES = text("""
    INSERT INTO rewards.aliases (pseudonym, customer_id)
    SELECT * FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[])) AS w(pseudonym, customer_id) ORDER BY pseudonym
    ON CONFLICT (pseudonym) DO UPDATE SET customer_id = excluded.customer_id
    WHERE aliases.customer_id <> excluded.customer_id
    """)
_REMEMBER = text("""
    INSERT INTO rewards.idempotency_keys (scope, key, body_hash, status, body, created_at)
    SELECT scope, key, body_hash, 201, body, at
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS bytea[]), CAST(:c3 AS bytea[]),
        CAST(:c4 AS timestamptz[])) AS w(scope, key, body_hash, body, at)
    ORDER BY scope, key
    """)
_KEYS = "idempotency_keys_pkey"

_LOT_COLUMNS = (
    "customer_id",
    "lot",
    "expires_at",
    "available_at",
    "pending",
    "points",
    "remaining",
    "expired",
    "renewable",
    "noticed",
    "part",
)
_PURCHASE_COLUMNS = (
    "customer_id",
    "order_id",
    "placed_at",
    "currency",
    "total",
    "net",
    "counts",
    "cancelled",
    "lot",
    "grants",
    "refunds",
    "part",
    "basket",
    "told",
)
_REDEMPTION_COLUMNS = (
    "id",
    "customer_id",
    "order_id",
    "points",
    "value",
    "currency",
    "status",
    "reserved_at",
    "expires_at",
    "ended_at",
    "taken",
    "program_version",
    "reward",
    "gives",
)


async def save(connection: AsyncConnection, changes: Changes, outbox: Outbox) -> None:
    """Write everything that `changes` holds, in the caller's transaction.

    A ledger entry whose business key exists already fails the transaction: nothing is posted twice. Raises
    `AnsweredMeanwhileError` when another transaction answered one of the idempotency keys first.
    """
    members = changes.members.values()
    new_lots, changed_lots = _lots(members)
    new_purchases, changed_purchases = _purchases(members)
    if changes.budgets:
        await budgets.spend(connection, changes)
    if changes.bringing or changes.coming or changes.ordered:
        await save_referrals(connection, changes)
    writes = Writes()
    write_members(writes, changes)
    write_benefits(writes, changes)
    writes.update(UPDATE_LOTS, changed_lots)
    writes.update(_UPDATE_PURCHASES, changed_purchases)
    writes.insert("entries", Entry._fields, changes.entries)
    writes.insert("lots", _LOT_COLUMNS, new_lots)
    writes.insert("purchases", _PURCHASE_COLUMNS, new_purchases)
    writes.insert("rule_uses", RuleUse._fields, changes.uses)
    writes.insert("milestones", Reached._fields, changes.milestones)
    writes.insert("tier_history", TierChange._fields, changes.tiers)
    writes.insert("offers", IssuedOffer._fields, changes.offers)
    new_redemptions = [_redemption(r) for r in changes.redemptions if not r.stored]
    writes.insert("redemptions", _REDEMPTION_COLUMNS, new_redemptions)
    ended = [(r.id, r.status, r.ended_at) for r in changes.redemptions if r.stored]
    writes.update(_UPDATE_REDEMPTIONS, ended)
    writes.update(_ALIASES, list(changes.aliases.items()))
    write_runs(writes, changes)
    write_messages(writes, changes)
    writes.update(_REMEMBER, changes.answers)
    try:
        await writes.send(connection)
    except UniqueViolationError as error:
        if error.constraint_name == _KEYS:
            raise AnsweredMeanwhileError from None
        raise
    if changes.undone_uses:
        await offer_uses.undo(connection, changes.undone_uses)
    if changes.stock:
        await stock.add(connection, changes.stock)
    if changes.noted:
        await note_messages(connection, changes)
    if changes.alerts:
        await raise_alerts(connection, changes.alerts)
    await outbox.append(
        connection,
        [Outgoing(OUTCOMES_TOPIC, outcome.customer_id, encode(outcome)) for outcome in changes.outcomes],
    )


def _lots(members: Iterable[Member]) -> tuple[list[Any], list[Any]]:
    """Rows of lots to insert and to update."""
    new: list[Any] = []
    changed: list[Any] = []
    for member in members:
        for lot in member.lots.values():
            if not lot.changed:
                continue
            if lot.stored:
                changed.append(_changed_lot(member, lot))
            else:
                new.append(_new_lot(member, lot))
    return new, changed


def _new_lot(member: Member, lot: Lot) -> tuple[Any, ...]:
    return (
        member.customer_id,
        lot.number,
        lot.expires_at,
        lot.available_at,
        lot.pending,
        lot.points,
        lot.remaining,
        lot.expired,
        lot.renewable,
        lot.noticed,
        lot.part,
    )


def _changed_lot(member: Member, lot: Lot) -> tuple[Any, ...]:
    return (
        member.customer_id,
        lot.number,
        lot.pending,
        lot.points,
        lot.remaining,
        lot.expired,
        lot.expires_at,
        lot.noticed,
    )


def _purchases(members: Iterable[Member]) -> tuple[list[Any], list[Any]]:
    """Rows of purchases to insert and to update."""
    new: list[Any] = []
    changed: list[Any] = []
    for member in members:
        for purchase in member.purchases.values():
            if purchase.changed:
                (changed if purchase.stored else new).append(_purchase(member, purchase))
    return new, changed


def _purchase(member: Member, purchase: Purchase) -> tuple[Any, ...]:
    return (
        member.customer_id,
        purchase.order_id,
        purchase.placed_at,
        purchase.currency,
        purchase.total,
        purchase.net(),
        purchase.counts,
        purchase.cancelled,
        purchase.lot,
        _json.encode(purchase.grants).decode() if purchase.grants else None,
        _json.encode(purchase.refunds).decode() if purchase.refunds else None,
        purchase.part,
        _json.encode(purchase.basket).decode() if purchase.basket is not None else None,
        purchase.told,
    )


def _redemption(redemption: Redemption) -> tuple[Any, ...]:
    return (
        redemption.id,
        redemption.customer_id,
        redemption.order_id,
        redemption.points,
        redemption.value,
        redemption.currency,
        redemption.status,
        redemption.reserved_at,
        redemption.expires_at,
        redemption.ended_at,
        json.encode(redemption.taken).decode(),
        redemption.program_version,
        redemption.reward,
        _json.encode(redemption.gives).decode() if redemption.gives is not None else None,
    )
