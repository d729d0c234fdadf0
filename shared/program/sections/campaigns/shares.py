"""The keys `holdout` and `variants` of a campaign: who is left alone, and which customers get which way."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from shared.program.document.fields import Fields, fields_of
from shared.program.document.tree import Node, Scalar
from shared.program.model.campaigns import HOLDOUT, TREATED, Action, Variant
from shared.program.model.ids import is_id

VARIANT_KEYS = ("do", "share")
RESERVED = frozenset({HOLDOUT, TREATED, "all"})
"""Names that a report gives to others than variants."""
VARIANTS_MAX = 10
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%\Z", re.ASCII)
_ALL = Decimal(100)


def read_holdout(fields: Fields) -> Decimal | None:
    """The share of customers left alone, in percent."""
    share = _share(fields, "holdout")
    if share is not None and share >= _ALL:
        message = "holdout must be below 100%, or nobody is ever reached."
        fields.fault("holdout", message, "Write such as 10%.")
    return share


def read_variants(fields: Fields, read_actions: Callable[[Fields], Iterator[Action]]) -> tuple[Variant, ...]:
    """The variants in the order of the file; what has no share of its own gets an equal part of the rest."""
    entries = fields.entries("variants")
    found = [one for key, node in entries if (one := _variant(fields, key, node, read_actions)) is not None]
    if "variants" in fields and not 2 <= len(entries) <= VARIANTS_MAX:
        message = f"variants compares 2 to {VARIANTS_MAX} ways, not {len(entries)}."
        fields.fault("variants", message, "Without others, write do; against nothing, add holdout: 10%.")
    given = sum((share for _, _, share in found if share is not None), Decimal(0))
    open_ = sum(1 for _, _, share in found if share is None)
    if found and (given >= _ALL if open_ else given != _ALL):
        rest = "which leaves nothing for the others" if open_ else "not to 100%"
        fields.fault("variants", f"The shares of the variants sum up to {given:f}%, {rest}.")
        return ()
    each = (_ALL - given) / open_ if open_ else Decimal(0)
    return tuple(Variant(name, do, each if share is None else share) for name, do, share in found)


def _variant(
    fields: Fields, key: Scalar, node: Node, read_actions: Callable[[Fields], Iterator[Action]]
) -> tuple[str, tuple[Action, ...], Decimal | None] | None:
    path = f"{fields.at('variants')}.{key.text}"
    if not is_id(key.text) or key.text in RESERVED:
        hint = "Use small letters, digits and hyphens, such as a and b."
        fields.reading.faults.add(key.place, path, f"{key.text!r} cannot be the name of a variant.", hint)
    inside = fields_of(fields.reading, node, path, VARIANT_KEYS)
    if inside is None:
        return None
    share = _share(inside, "share")
    if share is not None and not 0 < share < _ALL:
        inside.fault("share", "A share is more than 0% and less than 100%.", "Write such as 30%.")
    return key.text, tuple(read_actions(inside)), share


def _share(fields: Fields, key: str) -> Decimal | None:
    text = fields.text(key)
    if text is None:
        return None
    match = _PERCENT.match(text)
    if match is None:
        fields.fault(key, f"{key} needs a share in percent, not {text!r}.", "Write such as 10%.")
        return None
    return Decimal(match.group(1))
