"""Paths such as `customer.first_name` within a template: what is known of what they name."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jinja2 import nodes

from shared.program.faults import suggestion
from shared.program.templating.names import OPEN, Names
from shared.program.vocabulary.types import ANY, Kind, Type

Path = str
Guards = frozenset[Path]
"""Paths that an `if` around asks for: within it they are taken to be known."""

NOWHERE: Guards = frozenset()


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong: in which line of the template (from 1), at which words, what, and what would be right."""

    line: int
    words: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a template may name. `open_event` when its event may tell more than is known; `personal` are fields of the
    event that never leave the seal; `without_offer` says why there is no offer, when there never is one."""

    names: Names
    open_event: bool = False
    personal: frozenset[str] = frozenset()
    without_offer: str = ""


@dataclass
class Slips:
    """Collects what is wrong, the same words in the same line once."""

    found: list[Slip] = field(default_factory=list)

    def add(self, node: nodes.Node, words: str, message: str, hint: str = "") -> None:
        """Notes a slip at a node of the template."""
        slip = Slip(node.lineno or 1, words, message, hint)
        if slip not in self.found:
            self.found.append(slip)


@dataclass(frozen=True, slots=True)
class Naming:
    """Looks up paths; what is wrong with one goes to `slips`."""

    known: Known
    slips: Slips

    def type_of(self, node: nodes.Node, guards: Guards, local: Names) -> Type:
        """What is known of the path; `optional` when it may have no value here."""
        path = path_of(node)
        if path is None:
            self.slips.add(node, "", "A name is needed here, such as customer.first_name.")
            return ANY
        root, *rest = path.split(".")
        names = {**self.known.names, **local}
        if root not in names:
            self.slips.add(node, path, f"There is nothing called {root} here.", _near(root, names, rest))
            return ANY
        if root == "offer" and self.known.without_offer:
            self.slips.add(node, path, self.known.without_offer, "Add {offer: …} to it, or take this out.")
            return ANY
        found, at = names[root], root
        for name in rest:
            if found.kind is Kind.ANY:
                return replace(ANY, optional=True)
            optional = found.optional and at not in guards
            found = self._field(node, path, found, at, name)
            at = f"{at}.{name}"
            found = replace(found, optional=found.optional or optional)
        return found

    def _field(self, node: nodes.Node, path: Path, record: Type, at: Path, name: str) -> Type:
        fields = record.fields
        if fields is not None and name in fields:
            return fields[name]
        if record == OPEN or (at == "event" and self.known.open_event):
            return replace(ANY, optional=True)
        if at == "event" and name in self.known.personal:
            self.slips.add(node, path, f"event.{name} is personal and reaches no template.", "Leave it out.")
        elif fields is None:
            self.slips.add(node, path, f"{at} is {record} and has no fields.", f"Write {at}.")
        else:
            self.slips.add(node, path, f"{at} has no field {name}.", suggestion(name, sorted(fields)))
        return ANY


def mentioned(node: nodes.Node) -> Guards:
    """The paths that a test asks for: within it they are taken to be known."""
    found: set[Path] = set()
    waiting: list[nodes.Node] = [node]
    while waiting:
        one = waiting.pop()
        path = path_of(one)
        if path is None:
            waiting.extend(one.iter_child_nodes())
            continue
        parts = path.split(".")
        found.update(".".join(parts[: many + 1]) for many in range(len(parts)))
    return frozenset(found)


def path_of(node: nodes.Node) -> Path | None:
    """The path that an expression is, if it is one."""
    names: list[str] = []
    while True:
        match node:
            case nodes.Name(name=name):
                return ".".join([name, *reversed(names)])
            case nodes.Getattr(node=inner, attr=name):
                names.append(name)
            case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as name)) if "." not in name:
                names.append(name)
            case _:
                return None
        node = inner


def _near(root: str, names: Names, rest: Sequence[str]) -> str:
    """Where a field stands alone, what it is a field of."""
    for owner, found in names.items():
        if not rest and found.fields and root in found.fields:
            return f"Did you mean {owner}.{root}?"
    return suggestion(root, sorted(names))
