"""The sentiment engine that ships: VADER, with words that it lacks, sentence by sentence."""

import re
from functools import cache
from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from services.scoring.domain.language.english import is_english
from services.scoring.domain.language.lexicon import EMOJI, WORDS
from services.scoring.domain.language.spellings import SPELLINGS
from services.scoring.domain.language.wording import wording_of

EDITION = 1
"""Raised whenever a text may sound otherwise than before."""

SENTENCE_MAX = 400
"""Characters judged as one sentence: what VADER takes grows with the square of them."""

_SENTENCE = re.compile(rf"[^.!?\n]{{1,{SENTENCE_MAX}}}[.!?\n]*")
_WORD = re.compile(r"[^\W\d_]{3,}")


def _respelt(found: re.Match[str]) -> str:
    word = found[0]
    known = SPELLINGS.get(word.lower())
    if known is None:
        return word
    return known.upper() if word.isupper() else known


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """VADER with all words; to read its lexicon takes 8 ms."""
    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(WORDS)
    analyzer.emojis.update(EMOJI)
    return analyzer


class Vader:
    """VADER (Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
    ICWSM 2014): a lexicon rated by people, with rules for negation, emphasis, `but`, emoji. It knows English alone."""

    def __init__(self) -> None:
        self._analyzer = _analyzer()
        self.name = f"vader/{version('vaderSentiment')}+{EDITION}"

    def sentiment(self, text: str) -> int | None:
        """The mean over the sentences that say anything; None for other languages."""
        if not is_english(wording_of(text).words):
            return None
        text = _WORD.sub(_respelt, text.replace("\ufe0f", ""))
        scores = [self._analyzer.polarity_scores(found[0])["compound"] for found in _SENTENCE.finditer(text)]
        telling = [score for score in scores if score]
        return round(100 * sum(telling) / len(telling)) if telling else 0
