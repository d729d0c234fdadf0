"""Properties of a merge: nothing lost, nothing counted twice, whatever the two customers did before."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.changes import Changes
from services.rewards.domain.members.merging import merge
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.checkout import reserve
from services.rewards.domain.state.accounts import Account
from services.rewards.domain.state.member import Member
from tests.property.rewards.test_ledger import PLAIN, Step, naive_points, steps, to_activity
from tests.unit.rewards.building import CUSTOMER, Life, activity

OTHER = "cus_000000000000000000000002"
events = st.lists(steps.filter(lambda step: step.what in {"order", "refund", "cancel"}), max_size=8)


@settings(max_examples=150)
@given(
    theirs=events,
    ours=events,
    welcomed=st.tuples(st.booleans(), st.booleans()),
    spent=st.tuples(st.integers(100, 400), st.integers(100, 400)),
)
def test_two_customers_have_after_a_merge_what_one_would_have(
    theirs: list[Step], ours: list[Step], welcomed: tuple[bool, bool], spent: tuple[int, int]
) -> None:
    """Given two customers with orders, some in common, refunds, welcome points and reservations; when they merge; then
    the one that stays has the points that a single customer would have, and the other one none."""
    changes = Changes(PLAIN_NOW, PLAIN.program.version)
    source = _live(Member(OTHER), _first_orders(theirs), changes, welcomed[0], spent[0])
    target = _live(Member(CUSTOMER), _first_orders(ours), changes, welcomed[1], spent[1])
    reserved = source.reserved + target.reserved

    merge(source, target, activity("customer.merged", "merge", **{"from": OTHER}), PLAIN, changes)

    for member in (source, target):
        _check(member, changes)
    assert source.available == source.pending == source.reserved == source.debt == source.lifetime_earned == 0
    single = [*_first_orders(ours), *_first_orders(theirs)]
    expected = naive_points(_first_orders(single)) + 100 * any(welcomed)
    assert target.lifetime_earned == expected
    assert target.spendable() == expected - reserved
    assert target.reserved == reserved


def _first_orders(happened: list[Step]) -> list[Step]:
    """The steps without second completions of an order."""
    seen: set[str] = set()
    kept = []
    for step in happened:
        if step.what == "order":
            if step.which in seen:
                continue
            seen.add(step.which)
        kept.append(step)
    return kept


def _live(member: Member, happened: list[Step], changes: Changes, welcomed: bool, spent: int) -> Member:
    life = Life(PLAIN, member)
    life.changes = changes
    if welcomed:
        life.happen(activity("customer.registered", f"reg-{member.customer_id}"))
    for number, step in enumerate(happened):
        name = f"{step.what}-{number}-{member.customer_id}"
        life.happen(to_activity(step, name, PLAIN_NOW))
        if number == 1:
            try:
                id_ = f"red-{member.customer_id}"
                reserve(member, PLAIN.program, changes, id_=id_, points=spent, order_id=None)
            except RefusedError:
                continue
    return member


def _check(member: Member, changes: Changes) -> None:
    accounts: dict[str, int] = defaultdict(int)
    keys = []
    for entry in changes.entries:
        if entry.customer_id == member.customer_id:
            accounts[entry.debit] -= entry.points
            accounts[entry.credit] += entry.points
            keys.append(entry.key)
    assert accounts[Account.AVAILABLE] == member.available >= 0
    assert accounts[Account.RESERVED] == member.reserved >= 0
    assert -accounts[Account.DEBT] == member.debt >= 0
    assert member.debt == 0 or member.available == 0
    assert sum(lot.remaining for lot in member.lots.values()) == member.available + member.pending
    assert len(set(keys)) == len(keys) == member.entries


PLAIN_NOW = Life().now
