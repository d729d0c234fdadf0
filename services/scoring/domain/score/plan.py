"""What the program says about the score, made ready: which parts are asked of whom, and how much they weigh."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from services.scoring.domain.score.parts.catalogue import PARTS
from services.scoring.domain.score.parts.part import Part, Sign, View
from services.scoring.domain.state import EMPTY, State
from shared.program.model.score import BEHAVIOURAL, OwnPart
from shared.program.model.score import Score as Section

WHOLE = 1000
"""Weights are counted in thousandths, because evidence makes only some of a part's weight count."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A part with its `weight` in thousandths, its half, and whether it moves the score both ways. `part` is a
    standard one, `own` one of the shop's."""

    name: str
    weight: int
    behavioural: bool
    sign: Sign = Sign.BOTH
    both: bool = True
    part: Part | None = None
    own: OwnPart | None = None


Question = tuple[Weighed, int, Callable[[View], int | None], Callable[[View], int] | None, int]
"""A standard part laid out for speed, as it is asked after every event: the part, its weight, and from `Part` its
`measure`, `evidence` and `enough`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts that have a weight.

    `always` are asked of everybody; those in `where` only of customers whose state holds something in one of the
    fields at these places: `fields` takes them out of the state, `empty` is what they are where there is nothing.
    `own` are asked over the facts. `one_way` is the weight, in thousandths, of all that can only lift or only lower the
    score. `parts` are all of them, in order.
    """

    always: tuple[Question, ...]
    where: tuple[tuple[tuple[int, ...], tuple[Question, ...]], ...]
    fields: Callable[[State], tuple[object, ...]]
    empty: tuple[object, ...]
    own: tuple[Weighed, ...]
    one_way: int
    parts: tuple[Weighed, ...]

    @classmethod
    def of(cls, section: Section) -> "Plan":
        """The plan of a program's section."""
        standard = [
            (
                Weighed(
                    part.name, weight * WHOLE, half == BEHAVIOURAL, part.sign, part.sign is Sign.BOTH, part
                ),
                part,
            )
            for half, group in PARTS.items()
            for part in group
            if (weight := section.weights[part.name])
        ]
        own = tuple(
            Weighed(one.id, one.weight * WHOLE, one.half == BEHAVIOURAL, own=one)
            for one in section.parts
            if one.weight
        )
        groups: dict[tuple[str, ...], list[Question]] = {}
        for weighed, part in standard:
            question = (weighed, weighed.weight, part.measure, part.evidence, part.enough)
            groups.setdefault(part.fields, []).append(question)
        always = tuple(groups.pop((), ()))
        return cls(
            always,
            tuple((tuple(map(FIELDS.index, fields)), tuple(group)) for fields, group in groups.items()),
            attrgetter(*FIELDS),
            attrgetter(*FIELDS)(EMPTY),
            own,
            sum(weighed.weight for weighed, _ in standard if not weighed.both),
            (*(weighed for weighed, _ in standard), *own),
        )


FIELDS = tuple(dict.fromkeys(name for group in PARTS.values() for part in group for name in part.fields))
"""The fields of the state in which most customers have nothing."""
