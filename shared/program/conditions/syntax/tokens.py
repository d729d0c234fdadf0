"""The tokens of a condition, with their offsets, so that a fault can name its place."""

import re
from dataclasses import dataclass
from enum import Enum

LENGTH_MAX = 2000
TOKENS_MAX = 300


class ConditionError(ValueError):
    """The condition is not one that can be used: why, at which offset of its text, and what would be right."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.offset = offset
        self.hint = hint


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    WHOLE = "whole number"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as written; for TEXT tokens `value` is what the quotes hold."""

    kind: Kind
    text: str
    at: int
    value: str = ""


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
      | (?P<whole>\d+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_SLIPS = {
    "=": ("Use == to compare.", "A single = compares nothing."),
    "&": ("Use && for and.", "A single & means nothing here."),
    "|": ("Use || for or.", "A single | means nothing here."),
    "'": ("Close it with the same quote.", "A text begins here and never ends."),
    '"': ("Close it with the same quote.", "A text begins here and never ends."),
    "{": ("Write lists as ['a', 'b'].", "Maps are not used in conditions."),
}


def tokens_of(source: str) -> list[Token]:
    """The tokens of a condition, the last one being END.

    Raises `ConditionError` at the first character that cannot be part of a condition.
    """
    if len(source) > LENGTH_MAX:
        raise ConditionError(f"A condition has {LENGTH_MAX} characters at most.")
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            hint, message = _SLIPS.get(source[at], ("", f"{source[at]!r} cannot stand here."))
            raise ConditionError(message, at, hint)
        kind = match.lastgroup
        if kind != "space":
            tokens.append(_token(str(kind), match.group(), at))
        at = match.end()
    if len(tokens) > TOKENS_MAX:
        raise ConditionError(
            "The condition is too long to be read by anybody.", tokens[TOKENS_MAX].at, "Split it."
        )
    tokens.append(Token(Kind.END, "the end", at))
    return tokens


def _token(kind: str, text: str, at: int) -> Token:
    if kind == "text":
        return Token(Kind.TEXT, text, at, _unquote(text, at))
    return Token(Kind[kind.upper()], text, at)


def _unquote(text: str, at: int) -> str:
    def plain(match: re.Match[str]) -> str:
        if match.group(1) not in _ESCAPES:
            raise ConditionError(f"{match.group()} is no escape.", at + match.start() + 1, r"Write \\ for \.")
        return _ESCAPES[match.group(1)]

    return re.sub(r"\\(.)", plain, text[1:-1])
