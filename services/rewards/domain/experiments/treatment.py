"""What customers of a campaign really get, to tell whether it has become another one."""

from typing import NamedTuple

from shared.program.model.campaigns import Campaign
from shared.program.model.offers import OfferTemplate
from shared.program.model.program import Program
from shared.program.templating.template import MessageTemplate


class Treatment(NamedTuple):
    """The campaign, and the offers and templates that it names."""

    campaign: Campaign
    offers: dict[str, OfferTemplate]
    templates: dict[str, MessageTemplate]


def treatment_of(program: Program, campaign: str) -> Treatment | None:
    """What the program's campaign of that id gives; None if it has none."""
    found = next((one for one in program.campaigns if one.id == campaign), None)
    if found is None:
        return None
    offers = {action.offer for action in found.actions()} & program.offers.keys()
    words = {action.message for action in found.actions()} & program.templates.keys()
    return Treatment(
        found,
        {name: program.offers[name] for name in offers if name is not None},
        {name: program.templates[name] for name in words if name is not None},
    )
