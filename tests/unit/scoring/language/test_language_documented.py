"""The figures in docs/language.md are those that are measured today."""

import re
from pathlib import Path

from services.scoring.adapters.language.vader import Vader
from services.scoring.domain.language.reading import TAGS
from tests.language.measure import DEVELOPMENT, HELD_OUT, measure, sentences

DOC = Path(__file__).parents[4] / "docs" / "language.md"
ROW = re.compile(r"^\| (?:`([a-z-]+)`|(sentiment), three classes) \| (\d+ \|.*)$", re.MULTILINE)


def documented() -> dict[str, tuple[str, ...]]:
    """The table of the document, by tag: how many are labelled, then the figures of both parts."""
    return {
        tag or sentiment: tuple(re.findall(r"\d+(?:\.\d+)?", figures))
        for tag, sentiment, figures in ROW.findall(DOC.read_text())
    }


def test_the_figures_in_the_document_are_those_measured():
    """Given the labelled sentences of both parts; then precision, recall and the share of right sentiments are, to the
    second digit, what the document says."""
    engine = Vader()
    held_out, development = (measure(sentences(part), engine) for part in (HELD_OUT, DEVELOPMENT))

    parts = (held_out, development)
    measured = {
        tag: (
            str(held_out.right[tag] + held_out.missed[tag]),
            *(f"{figure:.2f}" for part in parts for figure in (part.precision(tag), part.recall(tag))),
        )
        for tag in TAGS
    }
    measured["sentiment"] = (
        str(held_out.sentences),
        f"{held_out.accuracy:.2f}",
        f"{development.accuracy:.2f}",
    )

    assert documented() == measured
    numbers = set(re.findall(r"\d+", DOC.read_text()))
    assert {str(len(sentences(part))) for part in (HELD_OUT, DEVELOPMENT)} <= numbers
