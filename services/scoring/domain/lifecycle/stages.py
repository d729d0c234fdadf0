"""The lifecycle: in which stage a customer is at a moment, since when, and why. The rules are in `transitions.py`."""

from collections.abc import Callable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any

from msgspec import Struct

from services.scoring.domain.event import Event
from services.scoring.domain.lifecycle.transitions import TRANSITIONS, By, When
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import Return, State
from services.scoring.domain.state.orders import Order
from shared.contracts.lifecycle import CHURNED, LAPSED, STAGES


class Standing(Struct, frozen=True):
    """A stage with its beginning. `cause` is the key of the event that brought it; empty when it was time alone."""

    stage: str
    since: datetime
    cause: str


class Passage(Struct, frozen=True):
    """A change of stage at `at`, caused by the event with key `cause`, or by time alone when that is empty. `old` is
    None for the first one of all."""

    at: datetime
    old: str | None
    new: str
    cause: str = ""


class Ground(Struct, frozen=True):
    """What a transition by an event is decided on: the customer right after it.

    `orders_before` is the number of orders before the event; the thresholds are moments, None if never.
    """

    at: datetime
    orders: int
    orders_before: int
    active_orders: int
    won_back_orders: int
    back: Return | None
    at_risk_at: datetime | None
    lapses_at: datetime | None
    churns_at: datetime | None
    loyal_until: datetime | None


_DUE: dict[When, Callable[[State], datetime | None]] = {
    When.RISKED: attrgetter("at_risk_at"),
    When.LAPSED: attrgetter("lapses_at"),
    When.CHURNED: attrgetter("churns_at"),
    When.FADED: attrgetter("loyal_until"),
}
"""When time alone makes the condition true."""

_HOLDS: dict[When, Callable[[Ground], bool]] = {
    When.RISKED: lambda one: one.at_risk_at is not None and one.at >= one.at_risk_at,
    When.LAPSED: lambda one: one.lapses_at is not None and one.at >= one.lapses_at,
    When.CHURNED: lambda one: one.churns_at is not None and one.at >= one.churns_at,
    When.CAME_BACK: lambda one: one.orders_before > 0,
    When.RETURNING: lambda one: one.back is not None and one.back.orders < one.won_back_orders,
    When.LOYAL: lambda one: one.loyal_until is not None and one.at < one.loyal_until,
    When.ACTIVE: lambda one: one.orders >= one.active_orders,
    When.ORDERED: lambda one: one.orders > 0,
    When.NONE_LEFT: lambda one: one.orders == 0,
}
"""Whether the condition is true right after an event."""


def _rows(by: By, test: dict[When, Any]) -> dict[str, tuple[tuple[Any, str], ...]]:
    """The transitions by source, each as its test and target, in the order of the table."""
    return {
        stage: tuple(
            (test[row.when], row.target) for row in TRANSITIONS if row.by is by and stage in row.sources
        )
        for stage in STAGES
    }


_BY_TIME = _rows(By.TIME, _DUE)
_BY_EVENT = {by: _rows(by, _HOLDS) for by in (By.ORDER, By.CANCELLATION)}


def after_event(stage: str, by: By, ground: Ground) -> str:
    """The stage that an order or cancellation makes of `stage`."""
    for holds, target in _BY_EVENT[by][stage]:
        if holds(ground):
            return target
    return stage


def note_stage(
    state: State, event: Event, order: Order, settings: ScoreSettings, changes: dict[str, Any]
) -> None:
    """Add to `changes`, which hold the orders and thresholds that `event` gives, the stage after it.

    The event placed `order`, or called it off.
    """
    at, key = event.at, event.key
    by = By.CANCELLATION if order.cancelled else By.ORDER
    before = Standing(state.stage, at, key) if state.since is None else standing_at(state, at)
    back = _return_after(state, before.stage, order)
    ground = Ground(
        at=at,
        orders=changes["orders"],
        orders_before=state.orders,
        active_orders=settings.active_orders,
        won_back_orders=settings.won_back_orders,
        back=back,
        at_risk_at=changes["at_risk_at"],
        lapses_at=changes["lapses_at"],
        churns_at=changes["churns_at"],
        loyal_until=changes["loyal_until"],
    )
    stage = after_event(before.stage, by, ground)
    if stage != before.stage:
        changes["stage"], changes["since"], changes["cause"] = stage, at, key
    elif stage != state.stage:  # time had brought it; the event did not
        changes["stage"], changes["since"], changes["cause"] = stage, before.since, before.cause
    if back is not None and back.orders >= settings.won_back_orders:
        back = None
    changes["back"] = back


def _return_after(state: State, stage: str, order: Order) -> Return | None:
    """The return that a customer in `stage` is making, after `order` was placed or called off."""
    assert order.placed_at is not None
    back = state.back
    if not order.cancelled:
        if state.orders and stage in (LAPSED, CHURNED):
            return Return(order.placed_at, 1)
        return None if back is None else Return(back.at, back.orders + 1)
    if back is None or order.placed_at < back.at:
        return back
    return Return(back.at, back.orders - 1) if back.orders > 1 else None


def standing_at(state: State, moment: datetime) -> Standing:
    """The stage at `moment` with its beginning and cause; `state` holds at least one event, none after `moment`."""
    return course_at(state, moment)[0]


def stage_at(state: State, moment: datetime) -> str:
    """The stage alone."""
    stage = state.stage
    target, due = _next(state, stage)
    while due is not None and due <= moment:
        stage = target
        target, due = _next(state, stage)
    return stage


def course_at(state: State, moment: datetime) -> tuple[Standing, datetime | None]:
    """The stage at `moment`, and when time alone will next change it, if no event comes; None if never."""
    assert state.since is not None
    stage, since, cause = state.stage, state.since, state.cause
    target, due = _next(state, stage)
    while due is not None and due <= moment:
        stage, since, cause = target, max(since, due), ""
        target, due = _next(state, stage)
    return Standing(stage, since, cause), due


def passages(state: State, told: str, until: datetime) -> list[Passage]:
    """What time alone has changed since stage `told` was told and until `until`, in order.

    A `told` that has not come in the course of this state (it was told of another one) leads to the present stage.
    """
    course = [one for one in _ahead(state) if one.at <= until]
    stages = [state.stage, *(one.new for one in course)]
    if told in stages:
        return course[stages.index(told) :]
    present = standing_at(state, until)
    return [Passage(present.since, told, present.stage, present.cause)]


def begins_at(state: State, stage: str) -> datetime | None:
    """When time alone will bring, or has brought, `stage`; None when it does not."""
    return next((one.at for one in _ahead(state) if one.new == stage), None)


def _ahead(state: State) -> Iterator[Passage]:
    """All that time alone does to the state, in order."""
    assert state.since is not None
    stage, since = state.stage, state.since
    target, due = _next(state, stage)
    while due is not None:
        since = max(since, due)
        yield Passage(since, stage, target)
        stage = target
        target, due = _next(state, stage)


def _next(state: State, stage: str) -> tuple[str, datetime | None]:
    """The next stage that time alone brings after `stage`, and when; the graver one of two at the same instant."""
    target, first = stage, None
    for due_of, row_target in _BY_TIME[stage]:
        due = due_of(state)
        if due is not None and (first is None or due <= first):
            target, first = row_target, due
    return target, first
