"""A syntax tree as text again: what a part of a condition says, for whoever asks about that part."""

from shared.program.conditions.syntax.tree import (
    LEVELS,
    Binary,
    Call,
    Choice,
    Expression,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    Unary,
)

_LOOSEST, _TIGHTEST = -1, len(LEVELS)
_LEVEL = {sign: level for level, signs in enumerate(LEVELS) for sign in signs}


def written(tree: Expression) -> str:
    """The tree as a condition of the same meaning: read again, it gives the same tree, but for places."""
    return _text(tree, _LOOSEST)


def _text(tree: Expression, level: int) -> str:  # noqa: PLR0911  # one line for each kind of node
    """The tree as it may stand where signs of `level` and tighter bind; in parentheses where it binds more loosely."""
    match tree:
        case Literal(text=text, value=value):
            negative = isinstance(value, int | float) and text.startswith("-")
            return f"({text})" if negative and level > _TIGHTEST else text
        case Name(name=name):
            return name
        case Member(target=target, field=field):
            return f"{_text(target, _TIGHTEST + 1)}.{field}"
        case Index(target=target, index=index):
            return f"{_text(target, _TIGHTEST + 1)}[{written(index)}]"
        case Call(target=target, name=name, arguments=arguments):
            head = name if target is None else f"{_text(target, _TIGHTEST + 1)}.{name}"
            return f"{head}({', '.join(map(written, arguments))})"
        case Unary(sign=sign, operand=operand):
            return _within(f"{sign}{_operand(operand)}", _TIGHTEST, level)
        case Binary(sign=sign, left=left, right=right):
            own = _LEVEL[sign]
            return _within(f"{_text(left, own)} {sign} {_text(right, own + 1)}", own, level)
        case Choice(condition=condition, yes=yes, no=no):
            text = f"{_text(condition, 0)} ? {written(yes)} : {written(no)}"
            return _within(text, _LOOSEST, level)
        case ListOf(items=items):
            return f"[{', '.join(map(written, items))}]"


def _operand(tree: Expression) -> str:
    """What a `!` or `-` stands before; a number in parentheses, as `-3` is one number and not a sign before 3."""
    text = _text(tree, _TIGHTEST)
    return f"({text})" if isinstance(tree, Literal) else text


def _within(text: str, own: int, level: int) -> str:
    return f"({text})" if own < level else text
