"""Which words give which tag. A rule is a pattern over the normal form of a text (see `wording`), one a line.

In a rule `_` stands for a space, `<name>` for one of the words listed under that name (`lists`), `~n` for up to n words
in between; the rest is a regular expression. An indented line goes on with the one before. A rule of `PLAIN` does not
apply where a negation stands before it or within it; one of `AS_IT_IS` says the negation itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from re import Pattern

from services.scoring.domain.language.lists import LISTS
from services.scoring.domain.language.reading import (
    DELIVERY,
    FRUSTRATED,
    LOYALTY,
    PRICE,
    QUALITY,
    SERVICE,
    TRUST,
)
from services.scoring.domain.language.rules import (
    delivery,
    frustrated,
    loyalty,
    price,
    quality,
    service,
    trust,
)

_SOURCES = {
    LOYALTY: loyalty,
    TRUST: trust,
    DELIVERY: delivery,
    PRICE: price,
    QUALITY: quality,
    SERVICE: service,
    FRUSTRATED: frustrated,
}

_WORD = re.compile(r"[a-z']+")
_FIRST = re.compile(r"(?:\(\?:(?P<group>[^()]*)\)(?!\?)|<(?P<name>\w+)>(?!\?)|(?P<word>[a-z']+\??))(?=_|$)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `as_it_is` says that a negation does not undo it."""

    tag: str
    pattern: Pattern[str]
    as_it_is: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules: by the word that they begin with, and those that may begin with any. Each is tried where it may
    begin, which is twenty times as fast as to search with all of them everywhere."""

    by_word: dict[str, tuple[Rule, ...]]
    anywhere: tuple[Rule, ...]

    def at(self, word: str) -> Iterator[Rule]:
        """Those that may match where this word stands."""
        yield from self.by_word.get(word, ())
        yield from self.anywhere


@cache
def all_rules() -> Rules:
    """The rules, compiled at the first call."""
    by_word: dict[str, list[Rule]] = {}
    anywhere: list[Rule] = []
    for tag, source in _SOURCES.items():
        for lines, as_it_is in ((source.PLAIN, False), (source.AS_IT_IS, True)):
            for line in _unfolded(lines):
                rule = Rule(tag, re.compile(f"(?:{_spelt_out(line)})(?= )"), as_it_is)
                words = _first_words(line)
                for word in words:
                    by_word.setdefault(word, []).append(rule)
                if not words:
                    anywhere.append(rule)
    return Rules({word: tuple(rules) for word, rules in by_word.items()}, tuple(anywhere))


def _unfolded(lines: str) -> list[str]:
    """One rule a line."""
    return [line for line in re.sub(r"\n +", "", lines).splitlines() if line]


def _spelt_out(rule: str) -> str:
    """The regular expression."""
    rule = re.sub(r"~(\d)_?", lambda found: rf"(?:[\w']+_){{0,{found[1]}}}", rule)
    return re.sub(r"<(\w+)>", lambda found: f"(?:{LISTS[found[1]]})", rule).replace("_", " ")


def _first_words(rule: str) -> set[str]:
    """All words that the rule may begin with; none when they cannot be told from its text."""
    found = _FIRST.match(rule)
    if found is None:
        return set()
    starts = [found["word"]] if found["word"] else (found["group"] or LISTS[found["name"]]).split("|")
    words: set[str] = set()
    for start in starts:
        first = start.split("_")[0]
        whole = first.removesuffix("?")
        if not _WORD.fullmatch(whole):
            return set()
        words |= {whole, whole[:-1]} if whole != first else {whole}
    return words
