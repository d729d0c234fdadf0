"""Brings a text into the form that the rules are written for, keeping track of where each word stood.

Lower case, one space between tokens, contractions written out (`doesn't` is `does not`), drawn-out words shortened
(`sooo` is `so`), common misspellings and chat spellings put right, sentence ends as ` . `.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

from services.scoring.domain.language.spellings import SPELLINGS

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|[.!?…]+|[,;:\n()]|[^\w\s,;:()\-]")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_ENDS = frozenset(".!?…")

_NEGATED = re.compile(r"^(.+)n't$")
_SHORT = {"'m": " am", "'re": " are", "'ve": " have", "'ll": " will", "'d": " would"}
_IS = frozenset(
    {"it's", "that's", "what's", "there's", "here's", "he's", "she's", "where's", "who's", "how's"}
)
_IRREGULAR = {
    "can't": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "cannot": "can not",
    "let's": "let us",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """`normal` is the text as the rules see it, in single spaces with one at either end."""

    normal: str
    _starts: list[int]
    _places: list[tuple[int, int]]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text as written the characters `start` to `end` of `normal` stood."""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        return self._places[max(first, 0)][0], self._places[last][1]

    @property
    def words(self) -> list[str]:
        """The tokens."""
        return self.normal.split()


def wording_of(text: str) -> Wording:
    """The wording of a text."""
    parts: list[str] = []
    starts: list[int] = []
    places: list[tuple[int, int]] = []
    length = 1  # of " " and all tokens so far, each with the space behind it
    for found in _TOKEN.finditer(text):
        token = _normal(found[0])
        parts.append(token)
        starts.append(length)
        places.append(found.span())
        length += len(token) + 1
    return Wording(f" {' '.join(parts)} ", starts, places)


def _normal(written: str) -> str:
    if written[0] in _ENDS or written == "\n":
        return "?" if "?" in written else "."
    if not written[0].isalpha():
        return written
    word = written.lower().replace("\u2019", "'")
    known = SPELLINGS.get(word)
    if known is not None:
        return known
    shortened = _DRAWN_OUT.sub(r"\1", word)
    if shortened != word:
        word = SPELLINGS.get(shortened, shortened)
    return _written_out(word) if "'" in word or word == "cannot" else word


def _written_out(word: str) -> str:
    irregular = _IRREGULAR.get(word)
    if irregular is not None:
        return irregular
    if word in _IS:
        return word[:-2] + " is"
    negated = _NEGATED.match(word)
    if negated is not None:
        return negated[1] + " not"
    for short, long in _SHORT.items():
        if word.endswith(short):
            return word[: -len(short)] + long
    return word
