"""Tells numbers of payment cards, which must not be taken, from the tokens that stand for them."""

import re

_RUN = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ .\-]?[0-9]){11,18}(?![0-9A-Za-z])")
"""12 to 19 digits, perhaps in groups (ISO/IEC 7812-1), that are no part of a longer word: a fingerprint in
hexadecimal is none."""


def looks_like_card_number(text: str) -> bool:
    """Whether the text holds 12 to 19 digits that pass the check of card numbers (Luhn, ISO/IEC 7812-1 annex B)."""
    return any(_passes_luhn(run) for run in _RUN.findall(text))


def _passes_luhn(run: str) -> bool:
    total = 0
    for place, digit in enumerate(int(one) for one in reversed(run) if one.isdigit()):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
