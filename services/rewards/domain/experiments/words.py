"""The report in words, for people who do not read intervals."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.rewards.domain.experiments.comparing import Comparison
from services.rewards.domain.experiments.figures import Figures
from shared.program.model.campaigns import Campaign


class Remark(NamedTuple):
    """Something to know before the report is believed. `code` stays the same, `says` is for people."""

    code: str
    says: str


CODES: Final = {
    "no_runs": "Nobody has come to this campaign in this period.",
    "no_success": "The campaign does not say what its success is, so that nothing can be compared:"
    " write such as success: {{on: order.completed, within: P30D}}.",
    "no_holdout": "Nobody was left alone, so that what would have come without the campaign is not known:"
    " write such as holdout: 10%.",
    "holdout_empty": "By chance nobody is in the hold-out yet, so that what would have come without the campaign is not"
    " known: wait for more customers.",
    "removed": "The program in force has this campaign no more: goals reached since it was taken out are not counted.",
    "changed": "The campaign changed within the period: program versions {versions} have it in different ways, which"
    " are mixed here. Look at each by itself, by from and to.",
    "uneven": "The arms are not as large as their shares make them: customers may be missing who are not missing at"
    " random, or shares were others earlier. Do not believe the differences before you know why.",
    "still_open": "{open} of {customers} customers may still reach the goal in time: figures will change.",
    "repeated": "{again} further runs of the same customers are not compared: each customer counts once, by the first"
    " run in the period.",
    "codes_unpriced": "{unpriced} customers used codes of which is not known what they were worth in money (gifts, free"
    " shipping): the cost is without them.",
    "points_unpriced": "The program does not say what points are worth: the cost is without them.",
}
"""Remarks by their codes, the most important first."""


def remarks(
    campaign: Campaign,
    treated: Figures,
    left_alone: Figures | None,
    *,
    versions: Sequence[int],
    uneven: bool,
    priced: bool,
    removed: bool = False,
) -> list[Remark]:
    """What must be known to read a report, the most important first."""
    whole = treated if left_alone is None else treated.plus(left_alone)
    unopposed = whole.customers and (left_alone is None or not left_alone.customers)
    holds = {
        "no_runs": not whole.customers,
        "no_success": whole.customers and campaign.success is None,
        "no_holdout": unopposed and not campaign.holdout,
        "holdout_empty": unopposed and campaign.holdout,
        "removed": removed,
        "changed": bool(versions),
        "uneven": uneven,
        "still_open": whole.open,
        "repeated": whole.runs > whole.customers,
        "codes_unpriced": treated.unpriced,
        "points_unpriced": treated.points and not priced,
    }
    figures = {
        "versions": ", ".join(map(str, versions)),
        "open": whole.open,
        "customers": whole.customers,
        "unpriced": treated.unpriced,
        "again": whole.runs - whole.customers,
    }
    return [Remark(code, CODES[code].format(**figures)) for code, held in holds.items() if held]


def says(comparison: Comparison, figures: Figures, base: Figures) -> str:
    """What the comparison of an arm with the hold-out means for the goal."""
    goal = comparison.goal
    assert goal.estimate is not None
    low, high = goal.estimate.interval.low, goal.estimate.interval.high
    found = (
        f"{_in_100(figures.rate.value)} in 100 of {figures.customers} customers reached the goal,"
        f" and {_in_100(base.rate.value)} in 100 of the {base.customers} left alone: "
    )
    if goal.verdict == "too_few":
        return found + "too few to tell whether the campaign did anything."
    if goal.verdict == "not_shown":
        least = _in_100(goal.detectable or 0)
        return found + f"no difference is shown. One of {least} in 100 would most likely have been."
    word = "more" if goal.verdict == "better" else "fewer"
    ends = sorted((abs(low), abs(high)))
    return found + (
        f"the campaign made {_in_100(abs(goal.estimate.value))} in 100 {word} reach it"
        f" ({_in_100(ends[0])} to {_in_100(ends[1])} with 95 % confidence)."
    )


def _in_100(share: float) -> str:
    return f"{share * 100:.1f}"
