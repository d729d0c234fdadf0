"""Mutants: a module's functions, each changed at one place in a way that is likely to matter.

Left alone are assertions (they state what cannot be), annotations, docstrings and what stands outside functions.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from types import CodeType

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NOTHING = ast.Constant(None, lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)

WORDS_MAX = 120
"""No name of a change shows more of the code before or after it."""

Path = tuple[tuple[str, int | None], ...]
"""The way from a function to a node of it: names of fields, each with an index where the field is a list."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One function of `module`, changed in line `line`. `code` and the defaults are what it then has."""

    module: str
    function: str
    line: int
    change: str
    code: CodeType
    defaults: tuple[str, ...]
    keyword_defaults: dict[str, str]

    @property
    def name(self) -> str:
        """What a list of explained ones knows it by: a place that other changes of the file do not move."""
        return f"{self.module.rpartition('.')[2]}.{self.function}: {self.change}"


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    seen: Counter[str] = Counter()
    for name, function, holder in _functions(ast.parse(source)):
        for path, node in _walk(function):
            for changed, change in _changes(node):
                seen[f"{name}: {change}"] += 1
                again = seen[f"{name}: {change}"]
                anew = deepcopy(function)
                _put(anew, path, changed)
                yield Mutant(
                    module,
                    name,
                    node.lineno,
                    change if again == 1 else f"{change} ({again})",
                    _code(anew, holder, name),
                    tuple(map(ast.unparse, anew.args.defaults)),
                    {
                        argument.arg: ast.unparse(default)
                        for argument, default in zip(anew.args.kwonlyargs, anew.args.kw_defaults, strict=True)
                        if default is not None
                    },
                )


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, ast.ClassDef | None]]:
    """The functions of a module and the methods of its classes; what they hold inside belongs to them."""
    for one in tree.body:
        if isinstance(one, ast.FunctionDef):
            yield one.name, one, None
        elif isinstance(one, ast.ClassDef):
            for method in one.body:
                if isinstance(method, ast.FunctionDef):
                    yield f"{one.name}.{method.name}", method, one


def _walk(function: ast.FunctionDef) -> Iterator[tuple[Path, ast.expr | ast.stmt]]:
    """All expressions and statements of a function that may be changed."""

    def below(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.expr | ast.stmt]]:
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "decorator_list"}:
                continue
            for index, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if (
                    not isinstance(one, ast.AST)
                    or isinstance(one, ast.Assert | ast.JoinedStr)
                    or _is_words(one)
                ):
                    continue
                step = (*path, (field, index))
                if isinstance(one, ast.expr | ast.stmt):
                    yield step, one
                yield from below(one, step)

    yield from below(function, ())


def _is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(function: ast.FunctionDef, path: Path, node: ast.AST) -> None:
    holder: ast.AST = function
    for field, index in path[:-1]:
        value = getattr(holder, field)
        holder = value if index is None else value[index]
    field, index = path[-1]
    if index is None:
        setattr(holder, field, node)
    else:
        getattr(holder, field)[index] = node


def _code(function: ast.FunctionDef, holder: ast.ClassDef | None, name: str) -> CodeType:
    """The code of a function, compiled where it stands."""
    body: ast.stmt = function
    if holder is not None:
        body = ast.copy_location(ast.ClassDef(holder.name, [], [], [function], []), holder)
    waiting = [compile(ast.Module([body], []), "<mutant>", "exec")]
    while waiting:
        code = waiting.pop()
        if code.co_qualname == name:
            return code
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
    raise AssertionError(f"{name} was just compiled")


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    """What a node may become, each with words that name the change."""
    if isinstance(node, ast.Call):
        yield from _arguments(node)
        return
    if type(node) not in _CHANGES:
        return
    old = _words(node)
    for made in _CHANGES[type(node)](node):
        changed = ast.fix_missing_locations(ast.copy_location(made, node))
        new = _words(changed)
        if new != old:
            yield changed, f"{old} -> {new}"


def _arguments(node: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    """A call with one argument that is nothing, or left out where it has a name."""
    called = _words(node.func)
    for index, one in enumerate(node.args):
        if not isinstance(one, ast.Constant | ast.Starred | ast.GeneratorExp):
            anew = deepcopy(node)
            anew.args[index] = _NOTHING
            yield anew, f"{called}({_words(one)} -> None)"
    for index, keyword in enumerate(node.keywords):
        left_out = deepcopy(node)
        del left_out.keywords[index]
        yield left_out, f"{called}({_words(keyword)} left out)"
        if not isinstance(keyword.value, ast.Constant):
            anew = deepcopy(node)
            anew.keywords[index].value = _NOTHING
            yield anew, f"{called}({_words(keyword)} -> None)"


def _words(node: ast.AST) -> str:
    """The node in one line; of a condition without what depends on it."""
    if isinstance(node, ast.If | ast.While):
        return f"{'if' if isinstance(node, ast.If) else 'while'} {ast.unparse(node.test)}"
    line = " ".join(ast.unparse(node).split())
    return line if len(line) <= WORDS_MAX else f"{line[: WORDS_MAX - 3]}..."


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        anew = deepcopy(node)
        anew.ops[index] = _COMPARED[type(operator)]()
        yield anew


def _calculate(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _CALCULATED:
        yield ast.BinOp(node.left, _CALCULATED[type(node.op)](), node.right)


def _both(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index, one in enumerate(node.values):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        if isinstance(one, ast.Name | ast.Attribute | ast.Call):
            yield ast.BoolOp(node.op, [*node.values[:index], _not(one), *node.values[index + 1 :]])


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant(f"XX{node.value}")


def _not(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    """Where the condition is no comparison (which changes by itself): its opposite."""
    if isinstance(node.test, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
        anew = deepcopy(node)
        anew.test = _not(node.test)
        yield anew


def _assign(node: ast.Assign) -> Iterator[ast.AST]:
    if not isinstance(node.targets[0], ast.Tuple):
        empty = isinstance(node.value, ast.Constant) and node.value.value is None
        yield ast.Assign(node.targets, ast.Constant("") if empty else _NOTHING)


def _add_to(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.AugAssign(node.target, _CALCULATED[type(node.op)](), node.value)
    yield ast.Assign([node.target], node.value)


def _do(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _leave(node: ast.Break | ast.Continue) -> Iterator[ast.AST]:
    yield ast.Return(_NOTHING) if isinstance(node, ast.Break) else ast.Break()


def _give(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is None:
        yield ast.Pass()
    elif not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield ast.Return(_NOTHING)


_CHANGES: dict[type[ast.AST], Callable[..., Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BinOp: _calculate,
    ast.BoolOp: _both,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.If: _condition,
    ast.IfExp: _condition,
    ast.While: _condition,
    ast.Assign: _assign,
    ast.AugAssign: _add_to,
    ast.Expr: _do,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Return: _give,
}
