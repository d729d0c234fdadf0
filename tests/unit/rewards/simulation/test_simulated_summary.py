"""What a simulation says of itself: which part of a program it has left out."""

from services.rewards.domain.simulation.contrast import Contrast
from services.rewards.domain.simulation.report import report
from services.rewards.domain.simulation.summary import summarize
from tests.unit.rewards.building import NOW, rulebook

BARE = "{name: Shop, currency: USD, time_zone: America/New_York, points: {redeem: {points: 100, value: 1}}}"
STOCKED = """
name: Shop
currency: USD
time_zone: America/New_York
points:
  referral: {id: friend, points: 300}
  redeem: {points: 100, value: 1}
offers:
  mug: {discount: {percent: 10}, valid_for: P30D, uses: 1}
  tote: {gift: tote-bag, valid_for: P60D, stock: 50}
milestones:
  - {id: first, when: "customer.orders == 1", offer: mug}
  - {id: fifth, when: "customer.orders == 5", offer: tote}
rewards:
  poster: {points: 300, gift: poster, stock: 5}
  coffee: {points: 100, gift: coffee}
campaigns:
  - {id: hello, on: order.completed, do: [{points: 5}]}
"""


def test_what_was_left_out_of_a_program_is_named_by_its_place() -> None:
    """Given a program with a campaign, points for referrals, and things of which some have a stock; when it was
    simulated; then the answer and the page name what was not played, and nothing else; of a program that was played
    whole they name nothing."""
    live, proposed = rulebook(BARE).program, rulebook(STOCKED).program

    found = summarize(Contrast(), live, proposed, None, NOW)
    assert found.not_played == [
        "campaigns.hello",
        "points.referral",
        "offers.tote.stock",
        "rewards.poster.stock",
    ]
    assert f"\nNot played: {', '.join(found.not_played)}\n" in report(found)

    whole = summarize(Contrast(), proposed, live, None, NOW)
    assert whole.not_played == []
    assert "Not played" not in report(whole)
