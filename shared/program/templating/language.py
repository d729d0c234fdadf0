"""The language of templates: Jinja's, without anything that could run away, reach inside, or surprise its author.

What is left of it: `{{ … }}` with names, comparisons, sums and the filters below, `{% if %}` and `{% for %}`. No names
are there but those given to a template; nothing can be called; only the fields of a `Record` can be reached; and the
operators that could blow up a text take numbers only. `checking` refuses all else when the program is loaded; this
module holds again when a template is rendered.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.program.templating.filters import FILTERS, shown
from shared.program.templating.template import Markup, Piece

COMPILED_MAX: Final = 1_024
"""Pieces that stay compiled: the templates of several versions of a program."""

LOOP_FIELDS: Final = frozenset({"first", "index", "last", "length"})
TESTS: Final = frozenset({"defined", "none", "odd", "even"})
NUMERIC: Final = frozenset({"-", "*", "/", "//", "%"})


class TemplateError(Exception):
    """A template that was fit to go live could not be rendered for this message; the text is for the shop."""


class Record:
    """Named values that a template may reach, and nothing else; a field without a value is None. `read` makes of a
    field's name and value what a template computes with; only of those that it asks for, since there are hundreds."""

    __slots__ = ("_read", "_values")

    def __init__(self, values: Mapping[str, Any], read: Callable[[str, Any], Any]) -> None:
        self._values = values
        self._read = read

    def field(self, name: str) -> Any:
        """The value of the field."""
        return self._read(name, self._values.get(name))

    def __bool__(self) -> bool:
        return bool(self._values)


class TemplateLanguage(ImmutableSandboxedEnvironment):
    """Jinja's environment, cut down."""

    intercepted_binops = NUMERIC | {"+", "**"}

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=StrictUndefined,
            optimized=False,  # folding constants would compute what is refused when it runs
            finalize=shown,
            cache_size=0,
            trim_blocks=True,  # a line with nothing but {% … %} leaves no empty line
            lstrip_blocks=True,
        )
        self.globals.clear()
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}
        self.filters = dict(FILTERS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a record, or where a loop stands. What is not known has no fields that are."""
        if obj is None:
            return None
        if isinstance(obj, Record):
            return obj.field(attribute)
        if isinstance(obj, LoopContext) and attribute in LOOP_FIELDS:
            return getattr(obj, attribute)
        raise SecurityError(f"there is no field {attribute} here")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As `getattr`, with the name in brackets."""
        return self.getattr(obj, str(argument))

    def call(self, /, *_: Any, **__: Any) -> Any:
        """Nothing is called."""
        raise SecurityError("nothing can be called in a template")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Computes with numbers; a sum may join two texts as well."""
        texts = operator == "+" and isinstance(left, str) and isinstance(right, str)
        if operator == "**" or not (texts or (_is_number(left) and _is_number(right))):
            raise TemplateError(f"{operator} needs two numbers")
        if operator in ("/", "//", "%") and not right:
            raise TemplateError("something is divided by zero")
        return super().call_binop(context, operator, *_alike(left, right))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Amounts are exact decimals, rates are not: together they are counted in decimals."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(str(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(str(left)), right
    return left, right


LANGUAGES: Final = {markup: TemplateLanguage(autoescape=markup is Markup.HTML) for markup in Markup}


@lru_cache(COMPILED_MAX)
def compiled(piece: Piece) -> Template:
    """The piece, ready to render. Raises what Jinja raises when it is none."""
    return LANGUAGES[piece.markup].from_string(piece.source)


@lru_cache(COMPILED_MAX)
def parsed(piece: Piece) -> nodes.Template:
    """The piece as a tree, to be looked at and not changed. Raises `TemplateSyntaxError` when it is none."""
    return LANGUAGES[piece.markup].parse(piece.source)
