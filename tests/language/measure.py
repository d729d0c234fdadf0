"""Measures the reading of texts on labelled sentences: precision and recall per tag, accuracy of the sentiment."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from services.scoring.domain.language.read import SentimentEngine, read
from services.scoring.domain.state.voice import CLEAR

SENTENCES = Path(__file__).with_name("sentences.tsv")
DEVELOPMENT, HELD_OUT = "development", "held-out"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A labelled sentence. `kind`: plain, typo, emoji, negated, question, shouting, mixed, long, sarcasm, foreign-…"""

    part: str
    sentiment: str
    tags: frozenset[str]
    kind: str
    domain: str
    text: str

    @property
    def foreign(self) -> bool:
        """Whether it is not English."""
        return self.kind.startswith("foreign")


@dataclass(slots=True)
class Figures:
    """What was measured. `foreign_wrong` counts sentences in other languages that got a tag or a sentiment."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    sentences: int = 0
    sentiment_right: int = 0
    foreign: int = 0
    foreign_wrong: int = 0
    misread: list[tuple[str, str, Sentence]] = field(default_factory=list)

    def precision(self, tag: str) -> float:
        """Of the sentences that got the tag, the share that should."""
        return self.right[tag] / ((self.right[tag] + self.wrong[tag]) or 1)

    def recall(self, tag: str) -> float:
        """Of the sentences that should have the tag, the share that got it."""
        return self.right[tag] / ((self.right[tag] + self.missed[tag]) or 1)

    @property
    def accuracy(self) -> float:
        """The share of English sentences whose sentiment (positive, neutral, negative) is the labelled one."""
        return self.sentiment_right / (self.sentences or 1)


def sentences(part: str) -> list[Sentence]:
    """The labelled sentences of one part."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Sentence(**{**row, "tags": frozenset(filter(None, row["tags"].split(",")))})
            for row in rows
            if row["part"] == part
        ]


def measure(labelled: list[Sentence], engine: SentimentEngine) -> Figures:
    """Read all of them, and compare."""
    figures = Figures()
    for one in labelled:
        reading = read({"text": one.text}, engine)
        got = {mention.tag for mention in reading.mentions} if reading else set()
        sounds = _sounds(reading.sentiment if reading else None)
        if one.foreign:
            figures.foreign += 1
            figures.foreign_wrong += bool(got) or sounds != "neutral"
            continue
        figures.sentences += 1
        figures.sentiment_right += sounds == one.sentiment
        figures.right.update(got & one.tags)
        figures.wrong.update(got - one.tags)
        figures.missed.update(one.tags - got)
        figures.misread += [("wrong", tag, one) for tag in sorted(got - one.tags)]
        figures.misread += [("missed", tag, one) for tag in sorted(one.tags - got)]
    return figures


def _sounds(sentiment: int | None) -> str:
    if sentiment is None or abs(sentiment) < CLEAR:
        return "neutral"
    return "positive" if sentiment > 0 else "negative"
