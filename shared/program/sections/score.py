"""The section `score`: how much each part of the loyalty score weighs, and the shop's own parts."""

from collections.abc import Iterator

from shared.program.conditions.condition import ConditionError, Scope
from shared.program.conditions.formula import Formula
from shared.program.document.fields import Fields
from shared.program.model.ids import PART
from shared.program.model.score import BEHAVIOURAL, DEFAULT_WEIGHTS, EMOTIONAL, OwnPart, Score
from shared.program.vocabulary.fields import SCORE_FIELDS

KEYS = ("weights", "parts")
PART_KEYS = ("id", "value", "points", "otherwise", "weight", "half")
HALVES = (BEHAVIOURAL, EMOTIONAL)

WEIGHT_MAX = 1000
PARTS_MAX = 50
"""Each costs every event of every customer some microseconds."""

NOT_ASKED = SCORE_FIELDS | {"segments", "spend_percentile", "orders_percentile", "recency_percentile"}
"""Facts that no part may ask for: they follow from the score, or from other customers."""


def read_score(root: Fields) -> Score:
    """The weights and own parts; what a program does not say keeps its default."""
    fields = root.fields("score", KEYS)
    if fields is None:
        return Score()
    parts = tuple(_parts(fields))
    weights = _weights(fields)
    if not any(weights.values()) and not any(part.weight for part in parts):
        fields.fault("weights", "No part has a weight, so that there is no score.", "Give one of them some.")
    return Score(weights, parts)


def _weights(fields: Fields) -> dict[str, int]:
    given = fields.fields("weights", tuple(DEFAULT_WEIGHTS))
    if given is None:
        return dict(DEFAULT_WEIGHTS)
    weights = {}
    for name, default in DEFAULT_WEIGHTS.items():
        weight = given.whole(name, low=0, high=WEIGHT_MAX)
        weights[name] = default if weight is None else weight
    return weights


def _parts(fields: Fields) -> Iterator[OwnPart]:
    items = list(fields.items("parts", PART_KEYS))
    if len(items) > PARTS_MAX:
        fields.fault("parts", f"There are {len(items)} parts, and may be {PARTS_MAX} at most.")
    for part in items[:PARTS_MAX]:
        made = _part(part)
        if made is not None:
            yield made


def _part(part: Fields) -> OwnPart | None:
    name = part.id("id", PART)
    if name in DEFAULT_WEIGHTS:
        part.fault(
            "id", f"{name} is a part of every score.", f"Set its weight under weights, or take my-{name}."
        )
    part.need(
        "weight", "Say how much it counts; the weights of all standard parts together are 100 and more."
    )
    weight = part.whole("weight", low=0, high=WEIGHT_MAX)
    half = part.text("half") or BEHAVIOURAL
    if half not in HALVES:
        part.fault("half", f"There is no half {half}.", f"Write {BEHAVIOURAL} or {EMOTIONAL}.")
    points = part.whole("points", low=0, high=100)
    otherwise = part.whole("otherwise", low=0, high=100)
    if not part.need("value", 'Such as value: "customer.orders * 10", a number of 0 to 100.'):
        return None
    formula = _formula(part)
    if formula is None:
        return None
    if formula.flag:
        part.need("points", "This value is true or false: say how many points it gives when true, 0 to 100.")
    else:
        for key in ("points", "otherwise"):
            if key in part:
                part.fault(
                    key, f"The value is a number itself, so that {key} has no meaning.", f"Remove {key}."
                )
    return OwnPart(name, formula, weight or 0, half, points, otherwise)


def _formula(part: Fields) -> Formula | None:
    node = part.scalar("value")
    if node is None:
        return None
    scope = Scope(event=None, nested=True, zone=part.reading.zone, without=NOT_ASKED)
    try:
        return Formula.compile(node.text, scope)
    except ConditionError as error:
        part.reading.fault_in(node, part.at("value"), error)
    return None
