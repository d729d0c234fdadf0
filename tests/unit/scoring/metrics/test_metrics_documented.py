"""The list of metrics in the docs is the list that the API answers with."""

import re
from pathlib import Path

from services.scoring.domain.completeness import FIELDS
from services.scoring.domain.metrics.formulas import Metrics
from services.scoring.domain.metrics.rollup import ENGAGEMENTS
from services.scoring.entrypoints.metrics.schemas import Metrics as Answer
from shared.contracts.catalogue import CATALOGUE

PAGE = (Path(__file__).parents[4] / "docs" / "metrics.md").read_text()


OTHERS = re.compile(
    r"(customer|consent|order|ticket|subscription|account|stakeholder|contract)\.|"
    r"(email\.(sent|unsubscribed)|sms\.sent|push\.sent|referral\.converted|review\.(held|missed))$"
)
"""Event types that are no engagement: told of the person, bought, complained, or done by somebody else."""


def part(heading: str) -> str:
    """The text under a heading."""
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_every_metric_has_its_formula_in_the_docs_in_the_same_order():
    """Given the metrics of the code; then the table has these and no others, each with a formula."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", part("The list"), re.MULTILINE)

    assert tuple(name for name, _ in rows) == Metrics.__struct_fields__
    assert all(len(formula) > 10 for _, formula in rows)


def test_the_api_answers_with_all_of_them():
    """Given the metrics of the code; then the schema of the answer has the same fields."""
    assert tuple(Answer.model_fields) == Metrics.__struct_fields__


def test_engagements_and_fields_are_named():
    """Given what counts as an engagement, and as complete; then the page names all of it."""
    assert set(re.findall(r"`([a-z]+\.[a-z]+)`", part("The list"))) >= ENGAGEMENTS
    assert set(re.findall(r"`(\w+)`", part("Completeness"))) == set(FIELDS)


def test_of_every_event_type_it_is_decided_whether_it_is_an_engagement():
    """When this fails: name the type in `ENGAGEMENTS` of `rollup.py` and in `docs/metrics.md`, or in `OTHERS` here."""
    assert [type_ for type_ in CATALOGUE if type_ not in ENGAGEMENTS and not OTHERS.match(type_)] == []
    assert [type_ for type_ in ENGAGEMENTS if OTHERS.match(type_)] == []
