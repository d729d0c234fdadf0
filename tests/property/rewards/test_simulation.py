"""What a simulation plays once for both programs comes to the same as each of them played for itself."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.simulation import groups
from services.rewards.domain.simulation.common import Common, Part
from services.rewards.domain.simulation.contrast import Contrast, CustomerContrast
from services.rewards.domain.simulation.groups import Plan, play
from shared.program.parse import load_program
from tests.property.rewards.simulating import BASE, START, histories, programs

NOTHING, TIERS, POINTS, ALL = Part(False, False), Part(False, True), Part(True, False), Part(True, True)


class Apart(Common):
    """Two programs that are each played for itself, whatever they have in common."""

    def part(self, *, same_rules: bool) -> Part:
        """All of it."""
        return ALL


def planned(live: str, proposed: str, since: datetime | None = None, *, apart: bool = False) -> Plan:
    """A plan over two years."""
    books = [
        Rulebook.of(load_program(source, version=version), b"k")
        for version, source in enumerate((live, proposed), 1)
    ]
    plan = Plan(live=books[0], proposed=books[1], since=since, until=START + timedelta(days=700))
    if apart:
        object.__setattr__(plan, "common", Apart(*books))
    return plan


def found(plan: Plan, random: Random) -> tuple[Contrast, list[CustomerContrast]]:
    """What is found of a history at random, over all and of each."""
    contrast, customers = Contrast(), list[CustomerContrast]()
    for group in histories(random):
        customers += contrast.count(play(group, plan))
    return contrast, customers


@settings(max_examples=100)
@given(programs(), st.integers(0, 2**32), st.sampled_from([None, START + timedelta(days=120)]))
def test_what_is_shared_comes_to_the_same(pair: tuple[str, str], seed: int, since: datetime | None) -> None:
    """Given two programs and a history at random; when what the programs have in common is played once, and when each
    is played for itself; then all figures are the same, over all customers and of each."""
    shared = found(planned(*pair, since), Random(seed))
    assert shared == found(planned(*pair, since, apart=True), Random(seed))


@settings(max_examples=40)
@given(programs(), st.integers(0, 2**32))
def test_each_program_gives_what_it_gives_alone(pair: tuple[str, str], seed: int) -> None:
    """Given two programs with the same segments, and a history; when one is simulated as the proposed program, and when
    it is the one in force; then it gives the same, to everybody."""
    live, proposed = (source.replace("spend_30d >= 200", "spend_30d >= 500") for source in pair)
    one, other = found(planned(live, proposed), Random(seed)), found(planned(proposed, live), Random(seed))
    assert one[0].live == other[0].proposed
    assert one[0].proposed == other[0].live


@pytest.mark.parametrize(
    ("change", "same_rules", "other_rules"),
    [
        (("points_per_unit: 1}", "points_per_unit: 2}"), NOTHING, POINTS),
        (("at: 200,", "at: 150,"), TIERS, ALL),
        (("expire_after: P12M", "expire_after: P3M"), POINTS, POINTS),
        (("discount: {amount: 5}", "discount: {amount: 7}"), NOTHING, POINTS),
        (("basis: {spend_over: P12M}", "basis: {points_over: P6M}"), ALL, ALL),
        (("multiply: 1.5", "multiply: 1.5, tiers: [gold]"), NOTHING, ALL),
        (("points_per_unit: 1}", "points_per_unit: 1, cap: {program: 900}}"), POINTS, POINTS),
        (("currency: USD", "currency: EUR"), ALL, ALL),
        (("America/New_York", "Europe/Berlin"), ALL, ALL),
    ],
)
def test_only_what_a_change_concerns_is_played(
    change: tuple[str, str], same_rules: Part, other_rules: Part
) -> None:
    """Given a program with one change; when customers met the same rules in both, and when they did not; then of the
    proposed program that part is played which the change, or those rules, concern."""
    assert change[0] in BASE
    common = planned(BASE, BASE.replace(*change)).common
    assert (common.part(same_rules=True), common.part(same_rules=False)) == (same_rules, other_rules)


def test_long_histories_are_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a group with more records than are looked through; when it is played; then the figures are the same."""
    plan = planned(BASE, BASE.replace("points: 50,", "points: 60,"))
    expected = found(plan, Random(5))
    monkeypatch.setattr(groups, "LOOKED_THROUGH", 3)
    assert found(plan, Random(5)) == expected
