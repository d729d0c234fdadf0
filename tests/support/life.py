"""Builds events of customers' lives for the tests of scoring."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.domain.event import Event
from services.scoring.domain.settings import ScoreSettings
from shared.contracts.customer import IDENTIFIERS
from shared.contracts.events import EventRecord
from shared.program.model.program import Stages
from shared.program.values.period import Period

START = datetime(2026, 1, 1, 15, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
STAGES = Stages(Period.parse("P60D"), Period.parse("P180D"), Decimal("1.5"))
SETTINGS = ScoreSettings.by_stages(STAGES, "USD", NEW_YORK)


def moment(days: float = 0, **more: float) -> datetime:
    """So many days after the start of the tests' world."""
    return START + timedelta(days=days, **more)


def record(type_: str, at: datetime, data: dict[str, Any] | None = None, **fields: Any) -> EventRecord:
    """An event record; `id` defaults to something unlike that of other events."""
    names = fields.setdefault("identifiers", {"id": "p-ana"})
    fields.setdefault("id", f"{type_}@{at.isoformat()}#{sorted((data or {}).items())}{sorted(names.items())}")
    fields.setdefault("subject", next((names[kind] for kind in IDENTIFIERS if kind in names), "nobody"))
    return EventRecord(
        source="shop", type=type_, time=at, received=at + timedelta(seconds=1), data=data or {}, **fields
    )


def event(type_: str, at: datetime, data: dict[str, Any] | None = None, **fields: Any) -> Event:
    """The same as an event of the fold."""
    return Event.of(record(type_, at, data, **fields))


def order(at: datetime, order_id: str, total: str = "49.20", currency: str = "USD", **fields: Any) -> Event:
    """A paid order."""
    return event(
        "order.completed", at, {"order_id": order_id, "currency": currency, "total": total}, **fields
    )


def refund(at: datetime, order_id: str, refund_id: str, total: str, **fields: Any) -> Event:
    """Money given back."""
    data = {"order_id": order_id, "refund_id": refund_id, "total": total}
    return event("order.refunded", at, data, **fields)


def cancellation(at: datetime, order_id: str, **fields: Any) -> Event:
    """An order called off."""
    return event("order.cancelled", at, {"order_id": order_id}, **fields)
