"""The section `tiers`: levels that customers reach by what they spend, earn or order, and what each level brings."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from shared.program.document.fields import STAND_IN, Fields, fields_of
from shared.program.faults import suggestion
from shared.program.model.ids import OFFER, RULE
from shared.program.model.tiers import Basis, Benefit, Measure, TierLevel, Tiers, Year
from shared.program.values import currencies
from shared.program.values.period import Period

KEYS = ("basis", "levels", "grace", "downgrade", "notice_before")
LEVEL_KEYS = ("id", "name", "at", "keep_for", "benefits")
BENEFIT_KEYS = ("every", "offer", "perk")
ROLLING = {f"{measure}_over": measure for measure in Measure}
YEARLY = {f"{measure}_in": measure for measure in Measure}
YEARS: tuple[Year, ...] = ("calendar_year", "anniversary_year")
DOWNGRADES = ("earned", "one_step")
EVERY_MIN = Period(rest=timedelta(days=1))
BASIS_HINT = "Write basis: {spend_over: P12M}."


def read_tiers(root: Fields) -> Tiers | None:
    """The section, or None when the program has no tiers."""
    fields = root.fields("tiers", KEYS)
    if fields is None:
        return None
    basis = _basis(fields) if fields.need("basis", BASIS_HINT) else None
    fields.need("levels", "Add one level or more, the first without at.")
    basis = basis or Basis(Measure.SPEND, STAND_IN)
    levels = tuple(_levels(fields, basis))
    grace, notice = fields.period("grace"), fields.period("notice_before")
    _check_ends(fields, levels, notice)
    downgrade = fields.text("downgrade")
    if downgrade is not None and downgrade not in DOWNGRADES:
        hint = suggestion(downgrade, DOWNGRADES)
        fields.fault("downgrade", f"downgrade cannot be {downgrade}.", hint)
    return Tiers(basis, levels, grace, "one_step" if downgrade == "one_step" else "earned", notice)


def _basis(fields: Fields) -> Basis | None:
    basis = fields.fields("basis", (*ROLLING, *YEARLY))
    if basis is None:
        return None
    if not any(key in basis for key in basis.known):
        basis.need("spend_over", BASIS_HINT)
        return None
    kind = basis.one_of(basis.known, "The basis")
    if kind in ROLLING:
        return Basis(ROLLING[kind], over=basis.period(kind) or STAND_IN)
    if kind not in YEARLY:
        return None
    named = basis.text(kind)
    if named is not None and named not in YEARS:
        hint = suggestion(named, YEARS)
        basis.fault(kind, f"There is no year {named}.", hint)
    return Basis(YEARLY[kind], year=YEARS[1] if named == YEARS[1] else YEARS[0])


def _check_ends(fields: Fields, levels: tuple[TierLevel, ...], notice: Period | None) -> None:
    """What speaks of the end of tiers needs tiers that end."""
    kept = [level.keep_for for level in levels if level.keep_for is not None and level.at]
    for key in ("grace", "notice_before", "downgrade"):
        if key in fields and not kept:
            fields.fault(key, "No level has a keep_for, so none ever ends.", "Add one, or remove this.")
    if notice is not None and kept and _days(notice) >= min(map(_days, kept)):
        fields.fault("notice_before", "notice_before must be shorter than every keep_for.")


def _levels(fields: Fields, basis: Basis) -> Iterator[TierLevel]:
    highest: Decimal | None = None
    for level in fields.items("levels", LEVEL_KEYS, least="Add one, such as {id: member, name: Member}."):
        at = _at(level, highest, basis)
        highest = at if highest is None else max(highest, at)
        level_id = level.id("id", RULE)
        level.need("name", "Customers read it, such as name: Gold.")
        yield TierLevel(
            id=level_id,
            name=level.text("name", longest=60) or level_id,
            at=at,
            keep_for=_keep_for(level),
            benefits=tuple(_benefits(level)),
        )


def _keep_for(level: Fields) -> Period | None:
    keep_for = level.period("keep_for")
    if keep_for is not None and not keep_for.months and keep_for < EVERY_MIN:
        level.fault("keep_for", "A tier is kept for a day at least.", "Write such as keep_for: P12M.")
        return None
    return keep_for


def _at(level: Fields, highest: Decimal | None, basis: Basis) -> Decimal:
    """What reaches the level; a fault unless it is more than that of every level before."""
    if highest is None:
        first = level.amount("at") or Decimal(0)
        if first:
            message = f"The first level begins at 0, not at {first}, so that every customer has one."
            level.fault("at", message, "Remove at, or put a level without it first.")
        return first
    if not level.need("at", f"Say from how much {basis.measure} on, such as at: 200."):
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
    elif basis.measure is not Measure.SPEND:
        if at != at.to_integral_value():
            level.fault(
                "at", f"{basis.measure} are whole numbers, and {at} is none.", "Leave out the decimals."
            )
    elif not currencies.fits(at, currency):
        level.fault("at", f"{at} {currency} is no amount that anybody pays exactly.", "Use fewer decimals.")
    return at


def _benefits(level: Fields) -> Iterator[Benefit]:
    given: set[str] = set()
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
        offer = benefit.use("offer", OFFER)
        if offer is not None and offer in given:
            benefit.fault("offer", f"The level gives {offer} already.", "Name each offer once.")
        given.add(offer or "")
        yield Benefit(perk=benefit.text("perk", longest=60), offer=offer, every=every)


def _days(period: Period) -> float:
    """About how many days; exact enough to say which of two periods is the longer one."""
    return period.months * 30.4 + period.rest / timedelta(days=1)
