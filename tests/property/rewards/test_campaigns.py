"""Campaigns, whatever happens in whichever batches: the same runs, no limit broken, one message per cause."""

from collections import Counter, defaultdict
from collections.abc import Collection
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.rewards.application.campaigns.campaigning import Campaigns
from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import COUNTING, Run, State
from shared.contracts.activity import Activity, Change
from shared.contracts.outcomes import Outcome
from tests.unit.rewards.building import NOW, activity, order, rulebook

RULES = rulebook("""
name: Campaigns
currency: USD
time_zone: America/New_York
templates: {m: {subject: Hello, text: How are you?}}
campaigns:
  - {id: lapsed, on: stage.changed, when: "event.to == 'lapsed'", do: [{message: m}],
     at_most: {times: 1, per: P3D}, success: {on: order.completed, within: P2D}}
  - {id: any-stage, on: stage.changed, do: [{message: m}, {tag: moved}], holdout: 30%}
  - {id: cart, on: x.cart, after: P1D, do: [{message: m}], at_most: {times: 2, per: P7D},
     success: {on: order.completed, when: "event.total > 10", within: P1D}}
  - {id: cart-again, on: x.cart, after: P1D, variants: {a: {do: [{message: m}]}, b: {do: [{tag: b}]}},
     success: {on: order.completed, within: P2D}}
  - {id: thanks, on: order.completed, do: [{message: m}], at_most: {times: 2}}
""")
LIMITS = {
    "lapsed": (1, timedelta(days=3)),
    "cart": (2, timedelta(days=7)),
    "thanks": (2, timedelta(days=9_999)),
}
CUSTOMERS = ("cus_a", "cus_b")


@dataclass
class Store:
    """Runs and members as a database keeps them between batches."""

    kept: dict[str, dict[str, Run]] = field(default_factory=lambda: defaultdict(dict))
    until: dict[str, datetime | None] = field(default_factory=dict)
    told: list[Outcome] = field(default_factory=list)
    taken: list[Activity] = field(default_factory=list)
    now: datetime = NOW + timedelta(days=40)

    async def load(
        self, _: object, members: dict[str, Member], campaigns: Collection[str], since: datetime
    ) -> None:
        for id_, member in members.items():
            for run in self.kept[id_].values():
                is_open = run.reached_at is None and run.goal_until is not None and run.goal_until >= since
                if run.campaign in campaigns or is_open:
                    member.runs.setdefault(run.run, structs.replace(run, stored=True, changed=False))

    async def since(self, _: object, customers: Collection[str], moment: datetime) -> list[Activity]:
        return [each for each in self.taken if each.customer_id in customers]

    def take(self, batch: list[Activity]) -> None:
        """Handle a batch and write what came of it."""
        self.taken += batch
        members = {id_: Member(id_, goals_until=self.until.get(id_)) for id_ in CUSTOMERS}
        changes = Changes(self.now, 1)
        decided = [(each, members[each.customer_id]) for each in batch]
        campaigns = Campaigns(cast("Any", self), cast("Any", None))
        follow = campaigns.follow(cast("Any", None), decided, RULES, changes)
        with suppress(StopIteration):  # nothing here waits for anything, so it needs no event loop
            follow.send(None)
        for member, run in changes.runs.values():
            self.kept[member.customer_id][run.run] = copy(run)
        self.until |= {id_: member.goals_until for id_, member in members.items()}
        self.told += changes.outcomes

    def facts(self) -> list[tuple[Any, ...]]:
        """All that is known of all runs."""
        return sorted(
            (id_, run.run, run.state, run.arm, run.reached_at, run.silent, run.wrote)
            for id_, runs in self.kept.items()
            for run in runs.values()
        )


@st.composite
def happening(draw: st.DrawFn, number: int) -> Activity:
    """Something that happens to one of the customers, within a week or two."""
    at = NOW + timedelta(hours=draw(st.integers(0, 300)))
    customer = draw(st.sampled_from(CUSTOMERS))
    kind = draw(st.sampled_from(("stage", "cart", "order", "page")))
    name = f"{kind}-{number}"
    if kind == "order":
        return order(name, draw(st.sampled_from(("5", "20"))), customer=customer, at=at)
    if kind == "cart":
        return activity("x.cart", name, customer=customer, at=at)
    to = draw(st.sampled_from(("lapsed", "active")))
    if kind == "stage":
        return activity("stage.changed", name, customer=customer, at=at, **{"from": "loyal", "to": to})
    return structs.replace(
        activity("page.viewed", name, customer=customer, at=at),
        changes=[Change(what="stage", old="loyal", new=to)],
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Activity]:
    """A history in the order in which it is told, which is now and then not the one in which it happened."""
    told = [draw(happening(number)) for number in range(draw(st.integers(1, 14)))]
    return marked(told if draw(st.booleans()) else sorted(told, key=lambda each: each.time))


def marked(history: list[Activity]) -> list[Activity]:
    """The history as scoring tells it: what comes after something of a later time is late."""
    latest: dict[str, datetime] = {}
    found = []
    for each in history:
        known = latest.get(each.customer_id)
        found.append(structs.replace(each, late=known is not None and each.time < known))
        latest[each.customer_id] = max(each.time, known or each.time)
    return found


@settings(max_examples=80)
@given(histories(), st.lists(st.integers(1, 5), max_size=6))
def test_batches_change_nothing(history: list[Activity], cuts: list[int]) -> None:
    """Given any history; when it is taken record by record, in any batches, or in one; then the same runs come of it,
    and the same is asked for."""
    alone, together, cut = Store(), Store(), Store()
    for each in history:
        alone.take([each])
    together.take(history)
    rest = list(history)
    for size in cuts:
        cut.take(rest[:size])
        rest = rest[size:]
    cut.take(rest)
    assert alone.facts() == together.facts() == cut.facts()
    assert sorted(one.id for one in alone.told) == sorted(one.id for one in together.told)
    assert sorted(one.id for one in alone.told) == sorted(one.id for one in cut.told)


@settings(max_examples=80)
@given(histories())
def test_limits_and_causes_hold(history: list[Activity]) -> None:
    """Given any history; when it has been taken; then no period holds more runs than a limit allows, each cause has one
    message at most, nobody of a hold-out hears anything, and what was stopped wrote nothing."""
    store = Store()
    for each in history:
        store.take([each])
    messages = [one for one in store.told if one.type == "message.due"]
    causes = Counter((one.customer_id, one.cause) for one in messages)
    assert not causes or max(causes.values()) == 1
    assert len({one.id for one in store.told}) == len(store.told)
    for runs in store.kept.values():
        for name, (times, per) in LIMITS.items():
            starts = sorted(
                run.started_at for run in runs.values() if run.campaign == name and run.state in COUNTING
            )
            for first in starts:
                assert sum(1 for at in starts if first <= at < first + per) <= times
        arms = {run.arm for run in runs.values() if run.campaign == "any-stage"}
        assert len(arms) <= 1
        wrote = {run.run for run in runs.values() if run.wrote}
        assert not wrote & {
            run.run for run in runs.values() if run.state in {State.STOPPED, State.HELD_OUT} or run.silent
        }


@settings(max_examples=100)
@given(histories(), st.randoms(use_true_random=False))
def test_a_goal_counts_in_any_order(history: list[Activity], random: Any) -> None:
    """Given carts and orders, all told before anything is due; when they are told in any order; then the same carts
    were ended by an order."""
    told = sorted(
        (each for each in history if each.type in {"order.completed", "x.cart"}),
        key=lambda each: (each.time, each.id),
    )
    mixed = list(told)
    random.shuffle(mixed)
    assert ended(marked(told)) == ended(marked(mixed))


def ended(history: list[Activity]) -> list[tuple[str, State]]:
    """Which carts were ended by an order."""
    store = Store(now=NOW)
    for each in history:
        store.take([each])
    runs = [run for kept in store.kept.values() for run in kept.values() if run.campaign == "cart-again"]
    return sorted((run.run, run.state) for run in runs)
