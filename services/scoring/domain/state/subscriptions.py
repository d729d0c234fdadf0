"""Subscriptions: each with its state, and how they were renewed."""

from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

ACTIVE = "active"
PAUSED = "paused"
CANCELLED = "cancelled"

SUBSCRIPTIONS_MAX = 20
"""So many subscriptions of a customer are known one by one; cancelled ones, the oldest first, make room."""


class Subscription(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription: `state` since `since`; `started_at` is None when its start is not known. `renews_on` is
    the next renewal, a day as `date.toordinal` numbers it, as it was told last."""

    state: str
    since: datetime
    started_at: datetime | None = None
    plan: str | None = None
    renewals: int = 0
    pauses: int = 0
    renews_on: int | None = None


class Subscriptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of them: counts for ever, and the newest by their ids (`SUBSCRIPTIONS_MAX`). One without an id is kept under
    an empty one. `automatic` and `manual` count renewals."""

    started: int = 0
    automatic: int = 0
    manual: int = 0
    pauses: int = 0
    resumed: int = 0
    cancelled: int = 0
    last_renewed_at: datetime | None = None
    last_paused_at: datetime | None = None
    last_cancelled_at: datetime | None = None
    newest: dict[str, Subscription] = {}

    @property
    def state(self) -> str | None:
        """The best state of any of them: active, else paused, else cancelled; None without one."""
        states = {one.state for one in self.newest.values()}
        return next((state for state in (ACTIVE, PAUSED, CANCELLED) if state in states), None)

    def having(self, state: str) -> list[Subscription]:
        """Those in a state."""
        return [one for one in self.newest.values() if one.state == state]


NO_SUBSCRIPTIONS = Subscriptions()


def started(all_: Subscriptions, id_: str, plan: str | None, at: datetime) -> Subscriptions:
    """A new one, or a cancelled one taken up again; one that runs already changes nothing."""
    known = all_.newest.get(id_)
    if known is not None and known.state != CANCELLED:
        return all_
    plan = plan or (known.plan if known else None)
    begun = Subscription(state=ACTIVE, since=at, started_at=at, plan=plan)
    return replace(all_, started=all_.started + 1, newest=_with(all_.newest, id_, begun))


def renewed(
    all_: Subscriptions, id_: str, plan: str | None, at: datetime, *, automatic: bool
) -> Subscriptions:
    """Another period was paid for; whatever it was before, it is active now."""
    one = _in_state(all_, id_, plan, ACTIVE, at)
    return replace(
        all_,
        automatic=all_.automatic + automatic,
        manual=all_.manual + (not automatic),
        last_renewed_at=at,
        newest=_with(all_.newest, id_, replace(one, renewals=one.renewals + 1)),
    )


def paused(all_: Subscriptions, id_: str, plan: str | None, at: datetime) -> Subscriptions:
    """It rests for a while."""
    if _is(all_, id_, PAUSED):
        return all_
    one = _in_state(all_, id_, plan, PAUSED, at)
    newest = _with(all_.newest, id_, replace(one, pauses=one.pauses + 1))
    return replace(all_, pauses=all_.pauses + 1, last_paused_at=at, newest=newest)


def resumed(all_: Subscriptions, id_: str, plan: str | None, at: datetime) -> Subscriptions:
    """It goes on."""
    if _is(all_, id_, ACTIVE):
        return all_
    newest = _with(all_.newest, id_, _in_state(all_, id_, plan, ACTIVE, at))
    return replace(all_, resumed=all_.resumed + 1, newest=newest)


def cancelled(all_: Subscriptions, id_: str, plan: str | None, at: datetime) -> Subscriptions:
    """It ended."""
    if _is(all_, id_, CANCELLED):
        return all_
    newest = _with(all_.newest, id_, _in_state(all_, id_, plan, CANCELLED, at))
    return replace(all_, cancelled=all_.cancelled + 1, last_cancelled_at=at, newest=newest)


def renewing(all_: Subscriptions, id_: str, day: object) -> Subscriptions:
    """Perhaps it was told on which day it renews."""
    known = all_.newest.get(id_)
    if known is None or not isinstance(day, str):
        return all_
    renews_on = date.fromisoformat(day).toordinal()
    if known.renews_on == renews_on:
        return all_
    return replace(all_, newest={**all_.newest, id_: replace(known, renews_on=renews_on)})


def _is(all_: Subscriptions, id_: str, state: str) -> bool:
    known = all_.newest.get(id_)
    return known is not None and known.state == state


def _in_state(all_: Subscriptions, id_: str, plan: str | None, state: str, at: datetime) -> Subscription:
    known = all_.newest.get(id_)
    if known is None:
        return Subscription(state=state, since=at, plan=plan)
    since = known.since if known.state == state else at
    return replace(known, state=state, since=since, plan=plan or known.plan)


def _with(newest: dict[str, Subscription], id_: str, one: Subscription) -> dict[str, Subscription]:
    kept = {**newest, id_: one}
    if len(kept) > SUBSCRIPTIONS_MAX:
        gone = min(newest, key=lambda other: (newest[other].state != CANCELLED, newest[other].since, other))
        del kept[gone]
    return kept
