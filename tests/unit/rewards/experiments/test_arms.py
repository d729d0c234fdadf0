"""Arms: a stable hash, independent of everything else, and for good once there was a run."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.rewards.domain.experiments.arms import HOLDOUT, TREATED, arm_of

SALT = b"salt of the installation"
PEOPLE = [f"cus_{number}" for number in range(10_000)]
TEN = Decimal(10)
HALVES = {"a": Decimal(1), "b": Decimal(1)}

customers = st.text(min_size=1, max_size=20)
shares = st.decimals("0.01", "99.99", places=2)
weights = st.dictionaries(
    st.sampled_from("abcdef"), st.decimals("0.1", "100", places=1), min_size=1, max_size=5
)


def test_the_hash_never_changes() -> None:
    """Given customers assigned long ago; when they are assigned again; then nobody has moved. Whoever changes the hash
    moves customers from one treatment to another: these lines are not to be adapted."""
    arms = {name: arm_of(name, "we-miss-you", SALT, holdout=TEN, variants=HALVES) for name in PEOPLE[:24]}

    assert "".join(arm[0] for arm in arms.values()) == "babaabbbhhabbbaabababbah"
    assert arm_of("cus_1", "we-miss-you", SALT) == TREATED


def test_arms_are_as_large_as_their_shares() -> None:
    """Given 10 % left alone and variants of weights 1, 2 and 3; when 10,000 customers are assigned; then the arms have
    just the sizes that chance gives such shares."""
    variants = {"a": Decimal(1), "b": Decimal(2), "c": Decimal(3)}

    sizes = Counter(arm_of(name, "c", SALT, holdout=TEN, variants=variants) for name in PEOPLE)

    expected = {HOLDOUT: 1000, "a": 1500, "b": 3000, "c": 4500}
    assert sizes.keys() == expected.keys()
    fit = stats.chisquare([sizes[arm] for arm in expected], list(expected.values()))
    assert fit.pvalue > 0.001


@pytest.mark.parametrize("what", ["campaign", "salt"])
def test_campaigns_and_installations_are_independent(what: str) -> None:
    """Given two campaigns, or two installations, with a hold-out of 50 %; when all are assigned; then who is held out
    of the one is held out of the other by chance alone."""
    other = {"campaign": ("second", SALT), "salt": ("first", b"another")}[what]
    half = Decimal(50)

    pairs = Counter(
        (
            arm_of(name, "first", SALT, holdout=half) == HOLDOUT,
            arm_of(name, *other, holdout=half) == HOLDOUT,
        )
        for name in PEOPLE
    )

    table = [[pairs[True, True], pairs[True, False]], [pairs[False, True], pairs[False, False]]]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_ids_that_run_together_are_told_apart() -> None:
    """Given ids of which one's end is another's beginning; when many such pairs are assigned; then their arms differ as
    often as those of strangers."""
    same = sum(
        arm_of(f"cus_{n}x", "y", SALT, holdout=Decimal(50))
        == arm_of(f"cus_{n}", "xy", SALT, holdout=Decimal(50))
        for n in range(1000)
    )

    assert 420 < same < 580


@given(customer=customers, low=shares, high=shares)
def test_a_larger_hold_out_only_takes_in(customer: str, low: Decimal, high: Decimal) -> None:
    """Given two shares; when a customer is held out at the lower one; then also at the higher one."""
    low, high = sorted((low, high))

    if arm_of(customer, "c", SALT, holdout=low) == HOLDOUT:
        assert arm_of(customer, "c", SALT, holdout=high) == HOLDOUT


@given(customer=customers, holdout=shares, variants=weights)
def test_the_hold_out_does_not_depend_on_the_variants(
    customer: str, holdout: Decimal, variants: dict[str, Decimal]
) -> None:
    """Given a campaign with and without variants; when a customer is assigned; then they are held out of both or
    neither, and without a hold-out who is not keeps the variant."""
    with_variants = arm_of(customer, "c", SALT, holdout=holdout, variants=variants)

    assert (with_variants == HOLDOUT) == (arm_of(customer, "c", SALT, holdout=holdout) == HOLDOUT)
    if with_variants != HOLDOUT:
        assert arm_of(customer, "c", SALT, variants=variants) == with_variants


@given(customer=customers, variants=weights, new=st.decimals("0.1", "100", places=1))
def test_a_new_variant_only_takes_from_the_others_and_order_does_not_matter(
    customer: str, variants: dict[str, Decimal], new: Decimal
) -> None:
    """Given variants; when one is added, wherever in the file; then each customer stays or goes to the new one."""
    before = arm_of(customer, "c", SALT, variants=variants)

    first = arm_of(customer, "c", SALT, variants={"new": new, **variants})
    last = arm_of(customer, "c", SALT, variants={**dict(reversed(variants.items())), "new": new})

    assert first == last
    assert first in {before, "new"}


@given(
    customer=customers,
    shares=st.lists(st.tuples(st.none() | shares, st.none() | weights), min_size=2, max_size=6),
)
def test_nobody_moves_while_their_arm_is_there(
    customer: str, shares: list[tuple[Decimal | None, dict[str, Decimal] | None]]
) -> None:
    """Given a campaign whose shares change again and again; when a customer runs through it each time; then their arm
    stays as long as the campaign has it, and nobody who was not held out ever is."""
    arm: str | None = None
    for holdout, variants in shares:
        there = set(variants or {TREATED}) | ({HOLDOUT} if holdout else set())
        now = arm_of(customer, "c", SALT, holdout=holdout, variants=variants, before=arm)
        assert now in there
        if arm in there:
            assert now == arm
        elif arm is not None:
            assert now != HOLDOUT
        arm = now
