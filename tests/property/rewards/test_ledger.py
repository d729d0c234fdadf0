"""Properties of the ledger, over lives that hypothesis makes up."""

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain import refusals
from services.rewards.domain.earning.undoing import STANDING
from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.accounts import Account, signed_points
from services.rewards.domain.state.redemptions import Redemption
from shared.contracts.activity import Activity
from tests.unit.rewards.building import PROGRAM, Life, cancellation, order, refund, rulebook

PENDING = rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P3M\n  pending_for: P14D"))
PLAIN = rulebook()
VIP = {"segments": ["vip"]}

amounts = st.decimals(min_value=0, max_value=500, places=2) | st.just(Decimal(500))
"""The largest often, so that refunds in full are not rare."""
orders = st.integers(1, 4).map(str)


@dataclass(frozen=True)
class Step:
    """Something that happens: what, on which order or redemption, how much, when by the shop's clock."""

    what: str
    which: str
    amount: Decimal
    days: int
    vip: bool


steps = st.builds(
    Step,
    what=st.sampled_from(
        ["order", "order", "refund", "cancel", "reserve", "confirm", "release", "give", "take", "wait"]
    ),
    which=orders,
    amount=amounts,
    days=st.integers(0, 60),
    vip=st.booleans(),
)


class World:
    """A life to which steps happen, with its redemptions."""

    def __init__(self, pending: bool) -> None:
        self.life = Life(PENDING if pending else PLAIN)
        self.redemptions: list[Redemption] = []
        self.count = 0

    def do(self, step: Step) -> None:
        """Let a step happen; a refusal must change nothing."""
        self.count += 1
        before = deepcopy((self.life.member, self.redemptions)), len(self.life.changes.entries)
        try:
            self._do(step)
        except RefusedError:
            assert (self.life.member, self.redemptions) == before[0]
            assert len(self.life.changes.entries) == before[1]

    def _do(self, step: Step) -> None:
        life, name = self.life, f"{step.what}-{self.count}"
        if step.what == "wait":
            life.wait(timedelta(days=step.days))
        elif step.what in {"order", "refund", "cancel"}:
            life.happen(to_activity(step, name, life.now - timedelta(days=step.days % 7)))
        elif step.what in {"give", "take"}:
            sign = 1 if step.what == "give" else -1
            points = sign * (int(step.amount) + 1)
            adjusting.adjust(
                life.member, life.rules.program, life.changes, id_=name, points=points, reason="x"
            )
        elif step.what == "reserve":
            self._reserve(step, name)
        elif self.redemptions:
            redemption = self.redemptions[int(step.which) % len(self.redemptions)]
            end = checkout.confirm if step.what == "confirm" else checkout.release
            end(life.member, redemption, life.changes)

    def _reserve(self, step: Step, name: str) -> None:
        life, order_id = self.life, step.which
        purchase = life.member.purchases.get(order_id)
        if purchase is not None and purchase.undone():
            raise refusals.order_cancelled(order_id)
        made = checkout.reserve(
            life.member,
            life.rules.program,
            life.changes,
            id_=name,
            points=int(step.amount) + 1,
            order_id=order_id,
        )
        self.redemptions.append(made)
        life.member.redemptions.setdefault(order_id, []).append(made)


def to_activity(step: Step, name: str, at: datetime) -> Activity:
    """The activity of a step that is one."""
    if step.what == "order":
        return order(step.which, str(step.amount), name=name, at=at, facts=VIP if step.vip else {})
    if step.what == "refund":
        return refund(step.which, name, str(step.amount), name=name, at=at)
    return cancellation(step.which, name=name, at=at)


def check(life: Life) -> None:
    """What must hold at every moment."""
    member, accounts = life.member, defaultdict(int)
    for entry in life.changes.entries:
        assert entry.points > 0
        accounts[entry.debit] -= entry.points
        accounts[entry.credit] += entry.points
    assert sum(accounts.values()) == 0
    assert accounts[Account.AVAILABLE] == member.available >= 0
    assert accounts[Account.PENDING] == member.pending >= 0
    assert accounts[Account.RESERVED] == member.reserved >= 0
    assert -accounts[Account.DEBT] == member.debt >= 0
    assert member.debt == 0 or member.available == 0
    lots = member.lots.values()
    assert sum(lot.remaining for lot in lots if not lot.pending) == member.available
    assert sum(lot.remaining for lot in lots if lot.pending) == member.pending
    assert all(lot.remaining >= 0 <= lot.expired for lot in lots)
    assert all(lot.remaining + lot.expired <= lot.points for lot in lots)
    assert (
        sum(signed_points(e.debit, e.credit, e.points) for e in life.changes.entries)
        == member.available + member.pending - member.debt
    )
    assert len({entry.key for entry in life.changes.entries}) == member.entries == len(life.changes.entries)
    for purchase in member.purchases.values():
        for grant in purchase.grants:
            assert 0 <= grant.reversed <= grant.earned
            if purchase.undone():
                assert grant.reversed == grant.earned
        for redemption in member.redemptions.get(purchase.order_id, ()):
            assert not (purchase.undone() and redemption.status in STANDING)


@settings(max_examples=150)
@given(pending=st.booleans(), happened=st.lists(steps, max_size=25))
def test_points_are_conserved_whatever_happens(pending: bool, happened: list[Step]) -> None:
    """Given any life; after each step; then entries, balances and lots agree, nothing is below zero, and refusals
    have changed nothing."""
    world = World(pending)
    for step in happened:
        world.do(step)
        check(world.life)


@settings(max_examples=100)
@given(
    happened=st.lists(steps.filter(lambda step: step.what in {"order", "refund", "cancel"}), max_size=12),
    data=st.data(),
)
def test_any_order_and_repetition_ends_in_the_same_balances(
    happened: list[Step], data: st.DataObject
) -> None:
    """Given orders (each once), refunds and cancellations; when they come in any order, some twice; then points, debt,
    lifetime points and spend are those of the order in which they happened, and those of a naive sum."""
    once = {step.which: step for step in happened if step.what == "order"}
    kept = [*once.values(), *(step for step in happened if step.what != "order")]
    activities = [to_activity(step, f"{step.what}-{n}", PLAIN_NOW) for n, step in enumerate(kept)]
    repeated = activities + data.draw(st.lists(st.sampled_from(activities), max_size=5)) if activities else []
    shuffled = data.draw(st.permutations(repeated))

    usual, other = Life().happen(*activities), Life().happen(*shuffled)

    check(other)
    assert _outcome(usual) == _outcome(other)
    assert usual.member.spendable() == usual.member.lifetime_earned == naive_points(kept)


@settings(max_examples=150)
@given(
    happened=st.lists(steps.filter(lambda step: step.what in {"order", "refund", "cancel"}), max_size=10),
    vip=st.booleans(),
    data=st.data(),
)
def test_of_several_tellings_of_an_order_the_first_by_time_counts(
    happened: list[Step], vip: bool, data: st.DataObject
) -> None:
    """Given orders told several times, each time with another total, refunds and cancellations; when all come in any
    order; then points and spend are those of each order's telling with the earliest time."""
    activities, first = [], []
    for number, step in enumerate(happened):
        told = replace(step, vip=vip)
        at = PLAIN_NOW - timedelta(minutes=number)
        activities.append(to_activity(told, f"{step.what}-{number}", at))
        first = [
            one for one in first if step.what != "order" or (one.what, one.which) != ("order", step.which)
        ]
        first.append(told)
    life = Life().happen(*data.draw(st.permutations(activities)))

    check(life)
    assert life.member.spendable() == life.member.lifetime_earned == naive_points(first)


def _outcome(life: Life) -> tuple[object, ...]:
    member = life.member
    return member.spendable(), member.debt, member.lifetime_earned, member.spend


def naive_points(happened: list[Step]) -> int:
    """The points of these orders after these refunds and cancellations, by plain arithmetic."""
    points = 0
    for step in happened:
        if step.what != "order":
            continue
        back = [s.amount for s in happened if s.what == "refund" and s.which == step.which]
        gone = any(s.what == "cancel" and s.which == step.which for s in happened)
        base = 0 if gone else int(max(step.amount - sum(back), Decimal(0)))
        points += base + (base // 2 if step.vip else 0)
    return points


PLAIN_NOW = Life().now
