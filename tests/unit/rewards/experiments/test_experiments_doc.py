"""The page on experiments says what the code does."""

import re
from pathlib import Path
from typing import get_args

from services.rewards.domain.experiments.report import shares_of
from services.rewards.domain.experiments.verdict import Verdict
from services.rewards.domain.experiments.words import CODES
from services.rewards.entrypoints.campaigns.report_schemas import ArmView, IncrementalView
from shared.program.parse import load_program

PAGE = (Path(__file__).parents[4] / "docs" / "experiments.md").read_text()
HEAD = "name: Test\ncurrency: USD\ntime_zone: America/New_York\n"


def test_the_example_is_a_program() -> None:
    """Given the example; when it is loaded; then its arms are as large as the page says."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    (campaign,) = load_program(HEAD + example, version=1).campaigns

    assert shares_of(campaign) == {"ten": 0.45, "twenty": 0.45, "holdout": 0.1}


def test_every_verdict_remark_and_field_is_explained() -> None:
    """Given what a report can say; then the page explains it."""
    named = set(re.findall(r"`([a-z_]+)`", PAGE))

    assert set(get_args(Verdict)) <= named
    assert set(CODES) <= named
    shown = ArmView.model_fields.keys() | IncrementalView.model_fields.keys()
    unexplained = {"share", "revenue_by_customer"}  # by their names and descriptions
    assert shown - named == unexplained
