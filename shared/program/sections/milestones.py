"""The section `milestones`: moments worth a reward, each once, or once per occasion."""

from collections.abc import Iterator

from shared.program.ids import OFFER, RULE
from shared.program.model import Milestone
from shared.program.reading import Fields
from shared.program.sections.triggers import read_event_type, read_when

KEYS = ("id", "on", "when", "points", "offer")


def read_milestones(root: Fields) -> tuple[Milestone, ...]:
    """The milestones in the order of the file."""
    return tuple(_milestones(root))


def _milestones(root: Fields) -> Iterator[Milestone]:
    for fields in root.items("milestones", KEYS):
        name = fields.id("id", RULE)
        event_type = read_event_type(fields)
        if "on" not in fields and "when" not in fields:
            fields.fault("", "Nothing says when the milestone is reached.", "Add when, on, or both.")
        if "points" not in fields and "offer" not in fields:
            fields.fault("", "The milestone gives nothing.", "Add points, an offer, or both.")
        yield Milestone(
            id=name,
            when=read_when(fields, event_type),
            on=event_type,
            points=fields.whole("points"),
            offer=fields.use("offer", OFFER),
        )
