"""The section `offers`: what a code gives, for how long, how many times, and on which terms."""

import re
from dataclasses import replace

from shared.program.document.fields import STAND_IN, Fields, fields_of
from shared.program.faults import Place
from shared.program.model.ids import OFFER
from shared.program.model.limit import Limit
from shared.program.model.offers import OfferTemplate, code_letters
from shared.program.sections.offers.gifts import GIFTS, TERMS, read_gift, read_terms

KEYS = (*GIFTS, "valid_for", "uses", "code", "combinable", *TERMS)
USES_MAX = 1_000_000
ONCE = Limit(1)
"""For one customer, of a code that everybody has."""
_CODE = re.compile(r"(?=(?:-?[A-Za-z0-9]){4,24}\Z)[A-Za-z0-9][A-Za-z0-9-]*\Z", re.ASCII)
_PERSONAL = 12
"""Letters and digits of the codes that single customers get."""


def read_offers(root: Fields) -> dict[str, OfferTemplate]:
    """The offers by id."""
    offers: dict[str, OfferTemplate] = {}
    codes: dict[str, Place] = {}
    for key, node in root.entries("offers"):
        path = f"offers.{key.text}"
        root.reading.ids.define(OFFER, key.text, key.place, path)
        fields = fields_of(root.reading, node, path, KEYS)
        if fields is not None:
            offers[key.text] = _offer(key.text, fields, codes)
    return offers


def _offer(name: str, fields: Fields, codes: dict[str, Place]) -> OfferTemplate:
    given = read_gift(fields, "An offer")
    code, terms = _code(name, fields, codes), read_terms(fields)
    if "code" in fields and terms.limit is None:
        terms = replace(terms, limit=ONCE)
    if "code" not in fields:
        hint = "Say how long the code is good for, such as valid_for: P30D; or give everybody one code."
        fields.need("valid_for", hint)
    return OfferTemplate(
        id=name,
        valid_for=fields.period("valid_for") or (None if "code" in fields else STAND_IN),
        uses=fields.whole("uses", high=USES_MAX) or 1,
        code=code,
        combinable=bool(fields.flag("combinable")),
        terms=terms,
        **given,
    )


def _code(name: str, fields: Fields, codes: dict[str, Place]) -> str | None:
    """The one code for everybody, if the offer has one."""
    code = fields.text("code")
    if "code" not in fields:
        return None
    fields.reading.ids.share(OFFER, name)
    if "valid_for" in fields:
        hint = "Say on which days it holds: from: 2026-11-27, until: 2026-11-30."
        fields.fault("valid_for", "A code for everybody is not given at a moment of its own.", hint)
    if "uses" in fields:
        hint = "stock says how often in all; limit how often for one customer."
        fields.fault("uses", "Everybody has this code, so its uses are not counted apart.", hint)
    if code is None:
        return None
    if not _CODE.match(code):
        hint = "Use 4 to 24 letters and digits, such as SUMMER-26."
        fields.fault("code", f"{code!r} cannot be a code.", hint)
        return None
    letters = code_letters(code)
    if letters in codes:
        message = f"The code {code} reads like the one in line {codes[letters].line}."
        fields.fault("code", message, "Case and dashes do not matter, and 0 reads as O, 1 as I.")
    elif len(letters) == _PERSONAL and "-" in code:
        hint = "Leave the dashes out, or take another length."
        fields.fault("code", f"{code} looks like a code of a single customer.", hint)
    codes.setdefault(letters, fields.place("code"))
    return code
