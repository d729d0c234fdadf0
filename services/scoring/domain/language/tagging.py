"""Finds what a text gives tags for, and where."""

from collections.abc import Iterator

from services.scoring.domain.language.reading import FRICTIONS, FRUSTRATED, LOYALTY
from services.scoring.domain.language.rules import RULES
from services.scoring.domain.language.wording import Wording

REACH = 4
"""Words before a match within which a negation undoes it, unless something in between ends the clause."""

_NEGATIONS = frozenset(
    (
        "not",
        "no",
        "never",
        "nobody",
        "none",
        "nothing",
        "neither",
        "nor",
        "hardly",
        "barely",
        "without",
        "stop",
        "instead",
    )
)
_ENDS_OF_CLAUSE = frozenset(
    (
        ".",
        "?",
        ",",
        ";",
        ":",
        "(",
        ")",
        "but",
        "although",
        "though",
        "however",
        "because",
        "and",
        "yet",
        "except",
        "while",
    )
)
_UNREAL = frozenset(("if", "unless", "whether", "case", "happens"))


def tags_in(wording: Wording) -> Iterator[tuple[str, int, int]]:
    """Every tag that the text gives, with the characters of the normal form that give it."""
    normal = wording.normal
    for rules in RULES:
        for found in rules.plain.finditer(normal):
            if not _undone(rules.tag, normal, found.start(), found.end()):
                yield rules.tag, found.start(), found.end()
        if rules.as_it_is is not None:
            for found in rules.as_it_is.finditer(normal):
                if not _only_supposed(rules.tag, normal, found.start(), found.end()):
                    yield rules.tag, found.start(), found.end()


def _undone(tag: str, normal: str, start: int, end: int) -> bool:
    """Whether a negation, or a mere supposition, takes the words back."""
    if not _NEGATIONS.isdisjoint(normal[start:end].split()):
        return True
    clause = _clause_before(normal, start)
    near = clause[-REACH:]
    if not _NEGATIONS.isdisjoint(near):
        return True
    if tag == LOYALTY and ("used" in near or near[-1:] == ["would"]):
        return True
    return _only_supposed(tag, normal, start, end)


def _only_supposed(tag: str, normal: str, start: int, end: int) -> bool:
    """Whether what would be friction is only asked about, or imagined."""
    if tag not in FRICTIONS and tag != FRUSTRATED:
        return False
    sentence = normal[:start].rsplit(" . ", 1)[-1].rsplit(" ? ", 1)[-1].split()
    return not _UNREAL.isdisjoint(sentence)


def _clause_before(normal: str, start: int) -> list[str]:
    words = normal[max(0, start - 80) : start].split()
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _ENDS_OF_CLAUSE:
            return words[place + 1 :]
    return words
