"""The section `offers`: what a code gives, for how long, and how many times."""

from decimal import Decimal

from shared.program import currencies
from shared.program.ids import OFFER
from shared.program.model import OfferTemplate
from shared.program.reading import STAND_IN, Fields, fields_of

KEYS = ("discount", "free_shipping", "gift", "valid_for", "uses")
DISCOUNT_KEYS = ("percent", "amount")
USES_MAX = 1_000_000


def read_offers(root: Fields) -> dict[str, OfferTemplate]:
    """The offers by id."""
    offers: dict[str, OfferTemplate] = {}
    for key, node in root.entries("offers"):
        path = f"offers.{key.text}"
        root.reading.ids.define(OFFER, key.text, key.place, path)
        fields = fields_of(root.reading, node, path, KEYS)
        if fields is not None:
            offers[key.text] = _offer(key.text, fields)
    return offers


def _offer(name: str, fields: Fields) -> OfferTemplate:
    fields.one_of(("discount", "free_shipping", "gift"), "An offer")
    percent, amount = _discount(fields)
    free = fields.flag("free_shipping")
    if free is False:
        fields.fault("free_shipping", "free_shipping: false gives nothing.", "Remove it, or write true.")
    fields.need("valid_for", "Say how long the code is good for, such as valid_for: P30D.")
    return OfferTemplate(
        id=name,
        valid_for=fields.period("valid_for") or STAND_IN,
        uses=fields.whole("uses", high=USES_MAX) or 1,
        percent=percent,
        amount=amount,
        free_shipping=bool(free),
        gift=fields.text("gift"),
    )


def _discount(fields: Fields) -> tuple[Decimal | None, Decimal | None]:
    discount = fields.fields("discount", DISCOUNT_KEYS)
    if discount is None:
        return None, None
    discount.one_of(DISCOUNT_KEYS, "A discount")
    percent = discount.amount("percent", low=None, above=Decimal(0), high=Decimal(100))
    amount = discount.amount("amount", low=None, above=Decimal(0))
    currency = fields.reading.currency
    if amount is not None and not currencies.fits(amount, currency):
        discount.fault("amount", f"{amount} {currency} cannot be paid.", "Use fewer decimals.")
    return percent, amount
