"""The section `alerts`: what the system watches by itself."""

import re
from decimal import Decimal

from shared.program.document.fields import Fields
from shared.program.model.program import Alerts

KEYS = ("unusual_redemptions", "falling_opens")
OFF = "off"
TIMES_MIN, TIMES_MAX = Decimal("1.5"), Decimal(100)
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,2})?\Z", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?) ?%\Z", re.ASCII)


def read_alerts(root: Fields) -> Alerts:
    """The watches; a program that says nothing has all of them."""
    fields = root.fields("alerts", KEYS)
    if fields is None:
        return Alerts()
    usual = Alerts()
    return Alerts(
        unusual_redemptions=_times(fields, "unusual_redemptions", usual.unusual_redemptions),
        falling_opens=_percent(fields, "falling_opens", usual.falling_opens),
    )


def _times(fields: Fields, key: str, usual: Decimal | None) -> Decimal | None:
    text = fields.text(key)
    if text is None or text == OFF:
        return usual if text is None else None
    if not _NUMBER.match(text) or not TIMES_MIN <= Decimal(text) <= TIMES_MAX:
        hint = "Write 3 for three times the usual, or off."
        fields.fault(key, f"{key} needs a number of {TIMES_MIN} to {TIMES_MAX}, or off, not {text!r}.", hint)
        return usual
    return Decimal(text)


def _percent(fields: Fields, key: str, usual: Decimal | None) -> Decimal | None:
    text = fields.text(key)
    if text is None or text == OFF:
        return usual if text is None else None
    match = _PERCENT.match(text)
    if match is None or Decimal(match.group(1)) < 5:
        hint = "Write 30% for a fall by 30%, or off."
        fields.fault(key, f"{key} needs a share of 5% to 99%, or off, not {text!r}.", hint)
        return usual
    return Decimal(match.group(1))
