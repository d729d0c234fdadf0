"""The section `tiers`: levels that customers reach by what they spend, and what each level brings."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from shared.program import currencies
from shared.program.ids import OFFER, RULE
from shared.program.model import Benefit, TierLevel, Tiers
from shared.program.period import Period
from shared.program.reading import STAND_IN, Fields, fields_of

KEYS = ("basis", "levels")
LEVEL_KEYS = ("id", "name", "at", "keep_for", "benefits")
BENEFIT_KEYS = ("every", "offer", "perk")
EVERY_MIN = Period(rest=timedelta(days=1))


def read_tiers(root: Fields) -> Tiers | None:
    """The section, or None when the program has no tiers."""
    fields = root.fields("tiers", KEYS)
    if fields is None:
        return None
    spend_over: Period | None = None
    if fields.need("basis", "Write basis: {spend_over: P12M}."):
        basis = fields.fields("basis", ("spend_over",))
        if basis is not None and basis.need("spend_over", "Write basis: {spend_over: P12M}."):
            spend_over = basis.period("spend_over")
    fields.need("levels", "Add one level or more, the first without at.")
    levels = tuple(_levels(fields))
    return Tiers(spend_over or STAND_IN, levels)


def _levels(fields: Fields) -> Iterator[TierLevel]:
    highest: Decimal | None = None
    for level in fields.items("levels", LEVEL_KEYS, least="Add one, such as {id: member, name: Member}."):
        at = _at(level, highest)
        highest = at if highest is None else max(highest, at)
        level_id = level.id("id", RULE)
        level.need("name", "Customers read it, such as name: Gold.")
        yield TierLevel(
            id=level_id,
            name=level.text("name", longest=60) or level_id,
            at=at,
            keep_for=level.period("keep_for"),
            benefits=tuple(_benefits(level)),
        )


def _at(level: Fields, highest: Decimal | None) -> Decimal:
    """The spend that reaches the level; a fault unless it is more than that of every level before."""
    if highest is None:
        first = level.amount("at") or Decimal(0)
        if first:
            message = f"The first level begins at 0, not at {first}, so that every customer has one."
            level.fault("at", message, "Remove at, or put a level without it first.")
        return first
    if not level.need("at", "Say from which spend on, such as at: 200.01."):
        return highest
    at = level.amount("at")
    if at is None:
        return highest
    currency = level.reading.currency
    if at <= highest:
        message = (
            f"Levels ascend: {at} is not more than {highest} of a level before, so nobody can reach this one."
        )
        level.fault("at", message, "Order the levels from the lowest to the highest.")
    elif not currencies.fits(at, currency):
        level.fault("at", f"{at} {currency} is no amount that anybody pays exactly.", "Use fewer decimals.")
    return at


def _benefits(level: Fields) -> Iterator[Benefit]:
    for node, path in level.nodes("benefits"):
        benefit = fields_of(level.reading, node, path, BENEFIT_KEYS)
        if benefit is None:
            continue
        kind = benefit.one_of(("offer", "perk"), "A benefit")
        if kind == "offer":
            benefit.need("every", "Say how often, such as every: P1M.")
        elif kind == "perk" and "every" in benefit:
            benefit.fault("every", "A perk lasts as long as the tier does.", "Remove every.")
        every = benefit.period("every")
        if every is not None and not every.months and every < EVERY_MIN:
            benefit.fault("every", "An offer comes at most once a day.", "Write such as every: P1M.")
        yield Benefit(perk=benefit.text("perk", longest=60), offer=benefit.use("offer", OFFER), every=every)
