"""Telephone numbers in one spelling: E.164 (ITU-T E.164), by the numbering plans that libphonenumber knows."""

import re
from functools import lru_cache

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    format_number,
    is_possible_number,
    parse,
)

REMEMBERED = 4096
"""Numbers kept in memory: reading one costs some 100 µs."""

_NOT_DIGITS = re.compile(r"[^0-9]")


@lru_cache(maxsize=REMEMBERED)
def e164(number: str, region: str | None) -> str:
    """`+` and the digits, with country code and without trunk prefix or extension. `region` (ISO 3166, such as `US`) is
    where a number without a country code is; without a region such a number keeps its own digits.

    What no numbering plan knows keeps its digits, with a `+` where it had one: a number that cannot be is still the
    same number twice.
    """
    trimmed = number.strip()
    international = trimmed if trimmed.startswith("+") else ""
    if not international and region is None and trimmed.startswith("00"):
        international = "+" + trimmed[2:]
    try:
        parsed = parse(international or trimmed, region)
        if is_possible_number(parsed):
            return format_number(parsed, PhoneNumberFormat.E164)
    except NumberParseException:
        pass
    digits = _NOT_DIGITS.sub("", international or trimmed)
    return "+" + digits if international else digits
