"""Checks a template against the names it may use: nothing undefined, nothing dangerous, nobody greeted as None."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from shared.program.faults import suggestion
from shared.program.templating.filters import FILTERS, FORGIVING, PERHAPS_NOTHING
from shared.program.templating.language import LOOP_FIELDS, TESTS, parsed
from shared.program.templating.names import Names
from shared.program.templating.paths import NOWHERE, Guards, Known, Naming, Slip, Slips, mentioned, path_of
from shared.program.templating.template import Piece
from shared.program.vocabulary.types import ANY, NUMBER, TEXT, WHOLE, Kind, Type

DEPTH_MAX: Final = 40
"""Levels of blocks and brackets; a person reads five."""

LOOP = Type(Kind.RECORD, fields=dict.fromkeys(LOOP_FIELDS, WHOLE))

_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.With: "with",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}


def check_piece(piece: Piece, known: Known) -> list[Slip]:
    """All that is wrong with the piece; nothing when it is fit to go live."""
    try:
        tree = parsed(piece)
    except TemplateSyntaxError as error:
        return [Slip(error.lineno, "", f"This is no template: {_said(error.message)}", _repair(piece, error))]
    except RecursionError:
        return [Slip(1, "", "The template is nested too deeply.", "Make it simpler.")]
    except ValueError:  # Python reads no number of thousands of digits
        return [Slip(1, "", "A number in it has too many digits.", "Write a shorter one.")]
    slips = Slips()
    _Checker(Naming(known, slips), slips).block(tree.body, NOWHERE, {}, 0)
    return slips.found


@dataclass
class _Checker:
    """Walks through a template. `guards` are the paths that blocks around ask for; `local` the names of a loop."""

    naming: Naming
    slips: Slips
    _looping: bool = False

    # blocks

    def block(self, body: Sequence[nodes.Node], guards: Guards, local: Names, depth: int) -> None:
        for node in body:
            if depth > DEPTH_MAX:
                self.slips.add(node, "", "The template is nested too deeply.", "Make it simpler.")
                return
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self.value(part, guards, local, depth)
                case nodes.If():
                    self._if(node, guards, local, depth + 1)
                case nodes.For():
                    self._for(node, guards, local, depth + 1)
                case _:
                    self._refuse(node)

    def _if(self, node: nodes.If, guards: Guards, local: Names, depth: int) -> None:
        self.look(node.test, guards, local, depth)
        inside = guards | mentioned(node.test)
        self.block(node.body, inside, local, depth)
        for other in node.elif_:
            self.look(other.test, inside, local, depth)
            inside |= mentioned(other.test)
            self.block(other.body, inside, local, depth)
        self.block(node.else_, inside, local, depth)

    def _for(self, node: nodes.For, guards: Guards, local: Names, depth: int) -> None:
        hint = "Write such as {% for line in event.lines %}…{% endfor %}."
        if self._looping:
            self.slips.add(node, "for", "A loop stands within a loop.", "Write one after the other.")
            return
        if not isinstance(node.target, nodes.Name) or node.test is not None or node.recursive:
            self.slips.add(node, "for", "A loop goes through one list, with one name.", hint)
            return
        found = self.look(node.iter, guards, local, depth)
        if found.kind not in (Kind.LIST, Kind.ANY):
            self.slips.add(node, "for", f"A loop needs a list, not {found}.", hint)
        self._looping = True
        inside = {**local, node.target.name: found.element or ANY, "loop": LOOP}
        self.block(node.body, guards | mentioned(node.iter), inside, depth)
        self._looping = False
        self.block(node.else_, guards, local, depth)

    def _refuse(self, node: nodes.Node) -> None:
        word = _REFUSED.get(type(node))
        if word is None:
            self.slips.add(
                node, "", "This cannot stand in a template.", "Use {{ … }}, {% if … %} and {% for … %}."
            )
        else:
            hint = "Templates have {{ … }}, {% if … %} and {% for … %}."
            self.slips.add(node, word, f"{{% {word} %}} is not used in templates.", hint)

    # expressions

    def value(self, node: nodes.Node, guards: Guards, local: Names, depth: int) -> Type:
        """An expression that must have a value: it is printed, compared by size, or computed with."""
        found = self.look(node, guards, local, depth)
        path = path_of(node)
        if found.optional and path not in guards:
            name = path or "name"
            hint = f"Say what stands there then: {{{{ {name} or '…' }}}}, or put it into {{% if {name} %}}."
            self.slips.add(node, path or "", f"{path or 'This'} is not known of everybody.", hint)
        if found.kind is Kind.RECORD:
            fields = ", ".join(sorted(found.fields or ())[:8])
            self.slips.add(node, path or "", f"{path} holds several values.", f"Name one of them: {fields}.")
        return found

    def look(self, node: nodes.Node, guards: Guards, local: Names, depth: int) -> Type:  # noqa: PLR0911, PLR0912
        """An expression that may have no value; what is known of it."""
        if depth > DEPTH_MAX:
            self.slips.add(node, "", "The template is nested too deeply.", "Make it simpler.")
            return ANY
        depth += 1
        match node:
            case nodes.Const():
                return _constant(node.value)
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self.naming.type_of(node, guards, local)
            case nodes.Or():
                self.look(node.left, guards, local, depth)
                return self.look(node.right, guards, local, depth)
            case nodes.And():
                self.look(node.left, guards, local, depth)
                return self.look(node.right, guards | mentioned(node.left), local, depth)
            case nodes.Not():
                self.look(node.node, guards, local, depth)
                return Type(Kind.FLAG)
            case nodes.Compare():
                return self._compare(node, guards, local, depth)
            case nodes.Test():
                if node.name not in TESTS:
                    self.slips.add(
                        node,
                        node.name,
                        f"There is no test {node.name}.",
                        suggestion(node.name, sorted(TESTS)),
                    )
                self.look(node.node, guards, local, depth)
                return Type(Kind.FLAG)
            case nodes.CondExpr():
                return self._choice(node, guards, local, depth)
            case nodes.Filter():
                return self._filter(node, guards, local, depth)
            case nodes.Concat():
                for part in node.nodes:
                    self.value(part, guards, local, depth)
                return TEXT
            case nodes.Neg() | nodes.Pos():
                return self.value(node.node, guards, local, depth)
            case nodes.List() | nodes.Tuple():
                for part in node.items:
                    self.look(part, guards, local, depth)
                return Type(Kind.LIST, element=ANY)
            case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                left = self.value(node.left, guards, local, depth)
                right = self.value(node.right, guards, local, depth)
                return left if left.kind is right.kind else NUMBER
            case nodes.Pow():
                self.slips.add(node, "**", "Powers are not used in templates.", "Leave it out.")
            case nodes.Call():
                hint = f"Filters go behind a bar: {{{{ customer.first_name|upper }}}}. There are {', '.join(FILTERS)}."
                self.slips.add(node, "(", "Nothing can be called in a template.", hint)
            case _:
                self.slips.add(
                    node, "", "This cannot stand in a template.", "Use names, comparisons, sums and filters."
                )
        return ANY

    def _compare(self, node: nodes.Compare, guards: Guards, local: Names, depth: int) -> Type:
        sized = any(operand.op in ("gt", "gteq", "lt", "lteq") for operand in node.ops)
        ask = self.value if sized else self.look
        ask(node.expr, guards, local, depth)
        for operand in node.ops:
            ask(operand.expr, guards, local, depth)
        return Type(Kind.FLAG)

    def _choice(self, node: nodes.CondExpr, guards: Guards, local: Names, depth: int) -> Type:
        self.look(node.test, guards, local, depth)
        inside = guards | mentioned(node.test)
        found = self.value(node.expr1, inside, local, depth)
        if node.expr2 is None:
            self.slips.add(node, "if", "It is not said what stands there otherwise.", "Add else '…'.")
        else:
            self.value(node.expr2, inside, local, depth)
        return replace(found, optional=False)

    def _filter(self, node: nodes.Filter, guards: Guards, local: Names, depth: int) -> Type:
        if node.name not in FILTERS:
            self.slips.add(
                node, node.name, f"There is no filter {node.name}.", suggestion(node.name, sorted(FILTERS))
            )
            return ANY
        for argument in (*node.args, *(pair.value for pair in node.kwargs)):
            self.value(argument, guards, local, depth)
        if node.dyn_args is not None or node.dyn_kwargs is not None or node.node is None:
            self.slips.add(node, node.name, "This cannot stand in a template.")
            return ANY
        ask = self.look if node.name in FORGIVING else self.value
        found = ask(node.node, guards, local, depth)
        if node.name == "default":
            return replace(found, optional=False)
        if node.name in PERHAPS_NOTHING:
            return replace(found.element or ANY, optional=True)
        return WHOLE if node.name == "length" else TEXT


def _constant(value: object) -> Type:
    match value:
        case bool():
            return Type(Kind.FLAG)
        case int():
            return WHOLE
        case float():
            return NUMBER
        case str():
            return TEXT
    return replace(ANY, optional=True)


def _said(message: str | None) -> str:
    said = (message or "it cannot be read").strip().rstrip(".")
    return f"{said}."


def _repair(piece: Piece, error: TemplateSyntaxError) -> str:
    if piece.source.count("{{") != piece.source.count("}}"):
        return "Each {{ needs its }}."
    if "Unexpected end of template" in (error.message or ""):
        return "Close it: {% endif %} or {% endfor %}."
    return "Templates have {{ … }}, {% if … %} and {% for … %}."
