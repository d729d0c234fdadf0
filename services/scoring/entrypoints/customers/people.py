"""Shows the person behind events: in full to keys that may see it, with nulls to others."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.customers.portray import Portrait
from services.scoring.domain.event import Event
from services.scoring.entrypoints.customers.schemas import HIDDEN, Contact, TimelineItem
from shared.auth.guard import Principal
from shared.auth.scopes import Scope
from shared.contracts.events import whole

log = structlog.get_logger()


async def contact(
    connection: AsyncConnection,
    profiles: Profiles,
    personal: PersonalData,
    principal: Principal,
    portrait: Portrait,
) -> Contact:
    """The person of a portrait; each personal field from the newest event that told it."""
    state = portrait.state
    told = {name.removeprefix("customer."): key for name, key in state.profile.items()}
    plain: dict[str, Any] = {
        "locale": state.locale,
        "time_zone": state.time_zone,
        "consent": state.consent,
        "known": sorted(told),
    }
    if not principal.may(Scope.PERSONAL_READ):
        return Contact(**plain, note=HIDDEN if told else None)
    events = await profiles.events_named(connection, portrait.id, set(told.values()))
    opened = await personal.of(connection, events)
    record_look(principal, portrait.id)
    shown = {
        name: opened[key]["customer"][name]
        for name, key in told.items()
        if key in opened and name in opened[key].get("customer", {})
    }
    return Contact(**plain, **shown)


async def timeline(
    connection: AsyncConnection,
    personal: PersonalData,
    principal: Principal,
    customer_id: str,
    events: list[Event],
) -> list[TimelineItem]:
    """Events with their data as it was accepted, or with its personal fields null."""
    opened: Mapping[str, dict[str, Any]] = {}
    if principal.may(Scope.PERSONAL_READ) and events:
        opened = await personal.of(connection, events)
        record_look(principal, customer_id)
    return [_item(event, opened.get(event.key)) for event in events]


def record_look(principal: Principal, customer_id: str) -> None:
    """Every look at personal data leaves a line in the log: which key, at whom."""
    log.info("personal_data_read", key_id=principal.key_id, customer_id=customer_id)


def _item(event: Event, sealed: dict[str, Any] | None) -> TimelineItem:
    record = event.record
    hidden = [] if sealed is not None else record.sealed_fields
    data = whole(record.data, sealed) if sealed is not None else _with_nulls(record.data, hidden)
    return TimelineItem(
        key=event.key,
        id=record.id,
        source=record.source,
        type=record.type,
        time=record.time,
        received=record.received,
        data=data,
        hidden=hidden,
    )


def _with_nulls(data: dict[str, Any], hidden: list[str]) -> dict[str, Any]:
    """The plain data, with null where a sealed field of an object stands. (Names of unknown keys are sealed too.)"""
    shown = dict(data)
    for name in hidden:
        *parents, field = name.split(".")
        if field == "*":
            continue
        inner: Any = shown
        for parent in parents:
            inner[parent] = dict(inner.get(parent) or {}) if not isinstance(inner.get(parent), list) else None
            inner = inner[parent]
            if inner is None:
                break
        if inner is not None:
            inner[field] = None
    return shown
