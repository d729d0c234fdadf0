"""Finds what a text gives tags for by rule, and where."""

import re
from collections.abc import Iterator

from services.scoring.domain.language.reading import FRICTIONS, FRUSTRATED, LOYALTY
from services.scoring.domain.language.rules import all_rules
from services.scoring.domain.language.wording import Wording

REACH = 4
"""Words before a match within which a negation undoes it, unless something in between ends the clause."""

CLAUSE_MAX = 80
"""Characters looked back for a negation."""

SENTENCE_MAX = 200
"""Characters looked back for a supposition."""

_NEGATION_WORDS = "not no never nobody none nothing neither nor hardly barely without stop less zero"
_NEGATIONS = frozenset(_NEGATION_WORDS.split(" "))
_CLAUSE_ENDS = ". ? , ; : ( ) but although though however because and yet while"
_ENDS_OF_CLAUSE = frozenset(_CLAUSE_ENDS.split(" "))
UNREAL = frozenset(("if", "unless", "whether", "case", "happens"))
"""Words of a sentence in which a complaint is only imagined."""

_WORD = re.compile(r"\S+")


def tags_in(wording: Wording) -> Iterator[tuple[str, int, int]]:
    """Every tag that a rule gives, with the characters of the normal form that give it."""
    normal, rules = wording.normal, all_rules()
    for word in _WORD.finditer(normal):
        for rule in rules.at(word[0]):
            found = rule.pattern.match(normal, word.start())
            if found is None:
                continue
            start, end = found.span()
            if not _only_supposed(rule.tag, normal, start) and (
                rule.as_it_is or not _undone(rule.tag, normal, start, end)
            ):
                yield rule.tag, start, end


def _undone(tag: str, normal: str, start: int, end: int) -> bool:
    """Whether a negation takes the words back, or they tell of former times."""
    if not _NEGATIONS.isdisjoint(normal[start:end].split()):
        return True
    near = _clause_before(normal, start)[-REACH:]
    if not _NEGATIONS.isdisjoint(near):
        return True
    return tag == LOYALTY and "used" in near


def _only_supposed(tag: str, normal: str, start: int) -> bool:
    """Whether what would be friction is only asked about, or imagined."""
    if tag not in FRICTIONS and tag != FRUSTRATED:
        return False
    sentence = normal[max(0, start - SENTENCE_MAX) : start].rsplit(" . ", 1)[-1].rsplit(" ? ", 1)[-1]
    return not UNREAL.isdisjoint(sentence.split())


def _clause_before(normal: str, start: int) -> list[str]:
    words = normal[max(0, start - CLAUSE_MAX) : start].split()
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _ENDS_OF_CLAUSE:
            return words[place + 1 :]
    return words
