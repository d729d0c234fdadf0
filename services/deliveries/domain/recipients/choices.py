"""What a customer chooses on the page of preferences, and which consents say so.

Consents are names that the shop gives (see `consent`), so that one of them may speak of several channels and purposes
at once. A choice changes as few of them as it needs, and nothing of what was not asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.recipients.consent import may_write, speaks_of
from shared.contracts.consents import unsubscribed
from shared.program.model.program import ConsentRule

Cell = tuple[Channel, Purpose]


@dataclass(frozen=True, slots=True)
class Consents:
    """What was given and withdrawn, by name; no name is in both."""

    given: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()

    def allow(self, cell: Cell, rule: ConsentRule) -> bool:
        """Whether such messages may go."""
        return may_write(self.given, self.withdrawn, *cell, rule)

    def changed(self, names: Mapping[str, bool]) -> "Consents":
        """After these were given (true) or withdrawn (false)."""
        yes = {name for name, given in names.items() if given}
        no = names.keys() - yes
        return Consents((self.given | yes) - no, (self.withdrawn | no) - yes)


def unsubscribing(consents: Consents, channel: Channel) -> dict[str, bool]:
    """The consents that unsubscribing from marketing by a channel withdraws, as scoring does. Empty where all of them
    are withdrawn already."""
    names = unsubscribed(consents.given | consents.withdrawn, channel.value)
    return dict.fromkeys(sorted(names - consents.withdrawn), False)


def choosing(consents: Consents, wanted: Mapping[Cell, bool], rule: ConsentRule) -> dict[str, bool]:
    """The consents to give and to withdraw so that exactly what is wanted holds; empty where it does already.

    What stands in the way of a wish is given; what else that would let in and is not wanted is withdrawn by a name of
    its own (`sms_marketing`). Cells that are not named keep what they have.
    """
    every = {(channel, purpose) for channel in Channel for purpose in Purpose}
    keep = {cell: consents.allow(cell, rule) for cell in every - wanted.keys()}
    goal = {**keep, **wanted}
    names: dict[str, bool] = {}
    for cell in _in_order(cell for cell, wish in goal.items() if wish and not consents.allow(cell, rule)):
        names |= dict.fromkeys(
            sorted(name for name in consents.changed(names).withdrawn if speaks_of(name, *cell)), True
        )
        if not consents.changed(names).allow(cell, rule):
            names[name_of(cell)] = True
    for cell in _in_order(cell for cell, wish in goal.items() if not wish):
        if consents.changed(names).allow(cell, rule) or (
            cell in wanted and not _withdrawn(consents, names, cell)
        ):
            names[name_of(cell)] = False
    return names


def name_of(cell: Cell) -> str:
    """The consent of one channel and purpose: `email_marketing`."""
    channel, purpose = cell
    return f"{channel.value}_{purpose.value}"


def _withdrawn(consents: Consents, names: Mapping[str, bool], cell: Cell) -> bool:
    return any(speaks_of(name, *cell) for name in consents.changed(names).withdrawn)


def _in_order(cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=name_of)
