"""What is passed over at once, because no campaign can begin on it, is what none begins on when looked at closely."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.rewards.domain.campaigns.occasions import begun, occasion_of, occasions_of, of_outcomes
from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity, Change, Facts
from shared.contracts.outcomes import Outcome
from shared.program.parse import load_program
from tests.unit.rewards.building import PROGRAM

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CAMPAIGNS = """
campaigns:
  - {id: lapsed, on: stage.changed, when: "event.to == 'lapsed'", do: [{tag: a}]}
  - id: risk
    on: stage.changed
    when: "'at_risk' == event.to && (event.from == 'loyal' || customer.orders > 3)"
    do: [{tag: a}]
  - {id: away, on: stage.changed, when: "event.to != 'active' && event.from in ['loyal', 'active']", do: [{tag: a}]}
  - {id: vip, on: segment.entered, when: "event.segment == 'vip' && customer.orders > 1", do: [{tag: a}]}
  - {id: left, on: segment.left, do: [{tag: a}]}
  - {id: code, on: offer.issued, when: "event.offer in ['fifth', 'five-off'] && !event.historical", do: [{tag: a}]}
  - {id: raised, on: tier.changed, when: "event.to == 'gold' || event.reason == 'grant'", do: [{tag: a}]}
"""
BOOK = Rulebook.of(load_program(PROGRAM + CAMPAIGNS, version=1), b"k" * 32)
STAGES = st.sampled_from(["active", "loyal", "at_risk", "lapsed", None])
SEGMENTS = st.sampled_from(["vip", "one-time"])
CHANGES = st.one_of(
    st.builds(Change, what=st.just("stage"), old=STAGES, new=STAGES),
    st.builds(Change, what=st.just("segment"), old=SEGMENTS, new=st.none()),
    st.builds(Change, what=st.just("segment"), old=st.none(), new=SEGMENTS),
)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "offer": st.sampled_from(["fifth", "birthday", None, 5, NOW]),
        "to": st.sampled_from(["gold", "platinum", None]),
        "reason": st.sampled_from(["spend", "grant"]),
    },
)
OUTCOMES = st.builds(
    Outcome,
    id=st.just("o"),
    customer_id=st.just("cus_1"),
    type=st.sampled_from(["offer.issued", "tier.changed", "points.earned"]),
    time=st.just(NOW),
    cause=st.just("a"),
    program_version=st.just(1),
    data=DATA,
)


@given(st.lists(CHANGES, max_size=4), st.sampled_from([1, 5]))
def test_changes_on_which_campaigns_begin_are_never_passed_over(changes: list[Change], orders: int) -> None:
    told = Activity(
        id="a",
        customer_id="cus_1",
        type="order.completed",
        time=NOW,
        received=NOW,
        facts=Facts(currency="USD", orders=orders),
        changes=changes,
    )
    closely = [(one, begun(one, BOOK)) for one in occasions_of(told, BOOK)]
    quickly = [(one, begun(one, BOOK)) for one in occasions_of(told, BOOK, only_hopeful=True)]
    assert [each for each in quickly if each[1]] == [each for each in closely if each[1]]
    assert len(quickly) <= len(closely)


@given(OUTCOMES)
def test_decisions_on_which_campaigns_begin_are_never_passed_over(outcome: Outcome) -> None:
    began = begun(occasion_of(outcome, Facts(currency="USD")), BOOK)
    assert of_outcomes([outcome], BOOK) == [outcome] or not began


def test_most_is_passed_over() -> None:
    def left(type_: str, **data: str) -> bool:
        told = Outcome(id="o", customer_id="c", type=type_, time=NOW, cause="a", program_version=1, data=data)
        return bool(of_outcomes([told], BOOK))

    assert left("offer.issued", offer="fifth")
    assert not left("offer.issued", offer="birthday")
    assert left("tier.changed", to="silver")  # what one side of an || asks for can be done without
