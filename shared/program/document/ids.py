"""The ids that a file defines and those it uses: each once, none that is gone, none that is nowhere defined."""

from collections.abc import Set
from dataclasses import dataclass, field

from shared.program.faults import Faults, Place, suggestion
from shared.program.model.ids import RESERVED, RULE, is_id


@dataclass(slots=True)
class Ids:
    """The ids that a file defines and uses. `retired` are those of earlier versions: `kind:id`, or `id` of any kind."""

    faults: Faults
    retired: Set[str] = frozenset()
    _defined: dict[tuple[str, str], Place] = field(default_factory=dict)
    _used: list[tuple[str, str, Place, str]] = field(default_factory=list)
    _shared: set[tuple[str, str]] = field(default_factory=set)

    def define(self, kind: str, name: str, place: Place, path: str) -> None:
        """Notes that the file defines this id here; a fault when it may not."""
        first = self._defined.setdefault((kind, name), place)
        if not is_id(name):
            hint = "Use small letters, digits and hyphens, such as gold-15."
            self.faults.add(place, path, f"{name!r} cannot be an id.", hint)
        elif first != place:
            message = f"The id {name} is used twice (see line {first.line})."
            self.faults.add(place, path, message, "Each id names one thing for ever.")
        elif kind == RULE and name in RESERVED:
            message = f"The id {name} is reserved for entries that the ledger makes itself."
            self.faults.add(place, path, message, "Choose another one.")
        elif name in self.retired or f"{kind}:{name}" in self.retired:
            message = f"The id {name} was used and removed before; the ledger still names it."
            self.faults.add(place, path, message, f"Choose a new one, such as {name}-2.")

    def use(self, kind: str, name: str, place: Place, path: str) -> None:
        """Notes that the file relies on this id, which may be defined further down."""
        self._used.append((kind, name, place, path))

    def share(self, kind: str, name: str) -> None:
        """Notes that this is everybody's, and so cannot be given to single customers."""
        self._shared.add((kind, name))

    def check_uses(self) -> None:
        """Notes a fault for each id that is used but nowhere defined, or everybody's anyway."""
        for kind, name, place, path in self._used:
            if self.faults.full:
                return
            if (kind, name) in self._shared:
                message = f"The {kind} {name} has a code for everybody, and is not given to single customers."
                self.faults.add(place, path, message, f"Give a {kind} without code.")
            elif (kind, name) not in self._defined:
                known = [found for other, found in self._defined if other == kind]
                hint = suggestion(name, known) or f"Define it under {kind}s."
                self.faults.add(place, path, f"There is no {kind} {name}.", hint)
