"""The syntax tree of a condition, and the parser that builds it.

The grammar is that of CEL (https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax) without what a
condition has no use for: maps, messages, bytes, unsigned and hexadecimal numbers.
"""

from dataclasses import dataclass

from shared.program.conditions.syntax.tokens import ConditionError, Kind, Token, tokens_of

DEPTH_MAX = 40


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the condition; `text` is its CEL source."""

    at: int
    text: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """`customer`, `event`, or a name bound by a macro."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`target.field`; `at` is where the field's name stands."""

    at: int
    target: "Expression"
    field: str


@dataclass(frozen=True, slots=True)
class Index:
    """`target[index]`."""

    at: int
    target: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`, or `target.name(arguments)`."""

    at: int
    target: "Expression | None"
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`!operand` or `-operand`."""

    at: int
    sign: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    """`left sign right`; `at` is where the sign stands."""

    at: int
    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    at: int
    condition: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    at: int
    items: tuple["Expression", ...]


Expression = Literal | Name | Member | Index | Call | Unary | Binary | Choice | ListOf

LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)
"""Binary signs from the loosest to the tightest; all bind to the left."""

_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "=="}


def parse_condition(source: str) -> Expression:
    """The syntax tree of a condition. Raises `ConditionError` with the offset of the first fault."""
    if not source.strip():
        raise ConditionError("The condition is empty.")
    return _Parser(tokens_of(source)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        tree = self._expression()
        if self._token.kind is not Kind.END:
            raise self._unexpected()
        return tree

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _sees(self, *texts: str) -> bool:
        return self._token.kind in (Kind.SIGN, Kind.NAME) and self._token.text in texts

    def _expect(self, text: str) -> Token:
        if not self._sees(text):
            raise self._unexpected(f"Expected {text}.")
        return self._take()

    def _unexpected(self, hint: str = "") -> ConditionError:
        token = self._token
        for word in self._tokens[max(self._next - 1, 0) : self._next + 1]:
            if word.kind is Kind.NAME and word.text.lower() in _WORDS:
                token, hint = word, f"Write {_WORDS[word.text.lower()]} instead."
        if token.kind is Kind.END:
            return ConditionError("The condition ends too early.", token.at, hint)
        return ConditionError(f"{token.text} cannot stand here.", token.at, hint)

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ConditionError(
                f"The condition is nested more than {DEPTH_MAX} levels deep.", self._token.at
            )
        condition = self._binary(0)
        if self._sees("?"):
            at = self._take().at
            yes = self._expression()
            self._expect(":")
            condition = Choice(at, condition, yes, self._expression())
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Expression:
        if level == len(LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._sees(*LEVELS[level]):
            sign = self._take()
            left = Binary(sign.at, sign.text, left, self._binary(level + 1))
        return left

    def _unary(self) -> Expression:
        if not self._sees("!", "-"):
            return self._member()
        sign = self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ConditionError(f"The condition is nested more than {DEPTH_MAX} levels deep.", sign.at)
        operand = self._unary()
        self._depth -= 1
        if sign.text == "-" and isinstance(operand, Literal) and isinstance(operand.value, int | float):
            return Literal(sign.at, f"-{operand.text}", -operand.value)
        return Unary(sign.at, sign.text, operand)

    def _member(self) -> Expression:
        target = self._primary()
        while self._sees(".", "["):
            if self._take().text == "[":
                at = self._token.at
                target = Index(at, target, self._expression())
                self._expect("]")
                continue
            field = self._take()
            if field.kind is not Kind.NAME:
                raise ConditionError("A field's name is missing here.", field.at)
            if self._sees("("):
                target = Call(field.at, target, field.text, self._arguments(")"))
            else:
                target = Member(field.at, target, field.text)
        return target

    def _arguments(self, end: str) -> tuple[Expression, ...]:
        self._take()
        found: list[Expression] = []
        while not self._sees(end):
            if found:
                self._expect(",")
            found.append(self._expression())
        self._take()
        return tuple(found)

    def _primary(self) -> Expression:
        token = self._token
        if token.kind is Kind.SIGN and token.text == "[":
            return ListOf(token.at, self._arguments("]"))
        if token.kind is Kind.SIGN and token.text == "(":
            self._take()
            inside = self._expression()
            self._expect(")")
            return inside
        if token.kind in (Kind.SIGN, Kind.END) or token.text == "in":
            raise self._unexpected()
        self._take()
        if token.kind is Kind.TEXT:
            return Literal(token.at, token.text, token.value)
        if token.kind is Kind.NAME:
            return self._named(token)
        return _number(token)

    def _named(self, token: Token) -> Expression:
        if token.text in _CONSTANTS:
            return Literal(token.at, token.text, _CONSTANTS[token.text])
        if self._sees("("):
            return Call(token.at, None, token.text, self._arguments(")"))
        return Name(token.at, token.text)


def _number(token: Token) -> Literal:
    """A number of at most 15 digits: beyond that, two different amounts could become the same binary number."""
    digits = token.text.lower().split("e")[0].replace(".", "").lstrip("0")
    if len(digits) > 15:
        raise ConditionError(f"{token.text} has more than 15 digits.", token.at)
    if token.kind is Kind.WHOLE:
        return Literal(token.at, str(int(token.text)), int(token.text))
    value = float(token.text)
    if not abs(value) < 1e300:
        raise ConditionError(f"{token.text} is too large.", token.at)
    return Literal(token.at, repr(value), value)
