"""The loyalty score: parts of 0-100, weighted to a whole of 0-100, with a behavioural and an emotional half.

- A part about which nothing is known does not count: the weights of the others make up the whole. (To count it as 0
  would blame the customer for what the shop never asked; to count it as 50 would pull everybody to the middle.)
- Evidence makes weight: see `Part.evidence`.
- A part that only good news feeds counts where it is above the mean of the two-sided parts, one that only bad news
  feeds where it is below. Else, and as far as evidence lacks, its weight lies on that mean. So good news never lowers
  the score and bad news never raises it, whatever was known before.

All sums are whole numbers, so that the score is the same wherever it is computed.
"""

from collections.abc import Sequence

from msgspec import Struct

from services.scoring.domain.score.parts.part import Sign, View
from services.scoring.domain.score.plan import Plan, Question, Weighed
from shared.contracts.activity import Facts
from shared.program.conditions.condition import ConditionContext
from shared.program.model.score import OwnPart

Measured = tuple[Weighed, int, int]
"""What a part says of a customer: the part, its value of 0 to 100, its weight in thousandths, evidence considered."""


class Score(Struct, frozen=True):
    """The score with its halves (None where nothing is known), and what it was made of, in the order of the plan."""

    value: int = 0
    behavioural: int | None = None
    emotional: int | None = None
    measured: Sequence[Measured] = ()


def score_of(view: View, plan: Plan, facts: Facts | None = None) -> Score:
    """The score of a customer; `facts` are needed where the plan has parts of the shop's own."""
    found = measure(view, plan)
    if plan.own:
        assert facts is not None
        found += measure_own(plan, facts)
    return weigh(found, plan.one_way)


def measure(view: View, plan: Plan) -> list[Measured]:
    """What the standard parts say; only those are asked that there may be something to say of."""
    found: list[Measured] = []
    _ask(plan.always, view, found)
    there = plan.fields(view.state)
    if there != plan.empty:
        for places, questions in plan.where:
            if any(there[place] is not plan.empty[place] for place in places):
                _ask(questions, view, found)
    return found


def _ask(questions: Sequence[Question], view: View, found: list[Measured]) -> None:
    for weighed, full, ask, evidence, enough in questions:
        value = ask(view)
        if value is None:
            continue
        if evidence is None:
            found.append((weighed, value, full))
        else:
            seen = evidence(view)
            found.append((weighed, value, full * seen // (seen + enough)))


def measure_own(plan: Plan, facts: Facts) -> list[Measured]:
    """What the shop's own parts say."""
    context = ConditionContext(facts)
    found = []
    for weighed in plan.own:
        assert weighed.own is not None
        value = own_value(weighed.own, context)
        if value is not None:
            found.append((weighed, value, weighed.weight))
    return found


def own_value(part: OwnPart, context: ConditionContext) -> int | None:
    """The value of one of the shop's own parts, cut off at 0 and 100; None when nothing is known."""
    found = part.value.value(context)
    if isinstance(found, bool):
        return part.points if found else part.otherwise
    return None if found is None else int(min(100.0, max(0.0, found)) + 0.5)


def weigh(found: Sequence[Measured], one_way: int) -> Score:
    """The whole of these parts; `one_way` is the weight of all parts, known or not, that move it one way only."""
    total = weighted = behaviour = behaviour_weighted = 0
    for weighed, value, weight in found:
        if not weighed.both:
            return _weigh_all(found, one_way)
        points = weight * value
        total += weight
        weighted += points
        if weighed.behavioural:
            behaviour += weight
            behaviour_weighted += points
    whole = (2 * weighted + total) // (2 * total) if total else 0
    if total == behaviour:
        return Score(whole, whole if total else None, None, found)
    return Score(
        whole,
        _mean(behaviour_weighted, behaviour),
        _mean(weighted - behaviour_weighted, total - behaviour),
        found,
    )


def _weigh_all(found: Sequence[Measured], one_way: int) -> Score:
    """The same where some parts move the score one way only."""
    shared, total = shared_out(found, one_way)
    halves = []
    for behavioural in (True, False):
        half = [one for one in shared if one[0].behavioural is behavioural]
        halves.append(
            _mean_of(half)
            if any(weight for _, _, weight in half)
            else _mean_of([one for one in found if one[0].behavioural is behavioural])
        )
    whole = _mean(sum(weight * value for _, value, weight in shared), total)
    return Score(whole or 0, halves[0], halves[1], found)


def shared_out(found: Sequence[Measured], one_way: int) -> tuple[Sequence[Measured], int]:
    """The parts with the weights that they have in the end, and the total of which these are shares: the score is the
    sum of values times weights, divided by the total.

    Where no two-sided part is known (by default some always are), their mean counts as 0: good news lifts from there.
    """
    base = sum(weight for weighed, _, weight in found if weighed.both)
    base_sum = sum(weight * value for weighed, value, weight in found if weighed.both)
    if not base:
        return [
            (weighed, value, weight if weighed.sign is Sign.LIFTS else 0) for weighed, value, weight in found
        ], one_way
    biting = [_bites(one, base, base_sum) for one in found]
    rest = base + one_way - sum(weight for (_, _, weight), bites in zip(found, biting, strict=True) if bites)
    return [
        (weighed, value, weight * (rest if weighed.both else base if bites else 0))
        for (weighed, value, weight), bites in zip(found, biting, strict=True)
    ], base * (base + one_way)


def _bites(one: Measured, base: int, base_sum: int) -> bool:
    """Whether a part that moves the score one way only lies on that side of the mean of the others."""
    weighed, value, _ = one
    above = value * base - base_sum
    return above > 0 if weighed.sign is Sign.LIFTS else above < 0 if weighed.sign is Sign.LOWERS else False


def _mean_of(parts: Sequence[Measured]) -> int | None:
    return _mean(sum(weight * value for _, value, weight in parts), sum(weight for _, _, weight in parts))


def _mean(weighted: int, total: int) -> int | None:
    """The weighted mean, rounded half up; None of nothing."""
    return (2 * weighted + total) // (2 * total) if total else None
