"""What offers and rewards have in common: what they give, and on which terms."""

from decimal import Decimal
from typing import Any

from shared.program.document.fields import Fields
from shared.program.document.tree import Mapping, Node, Scalar
from shared.program.faults import suggestion
from shared.program.model.offers import Terms
from shared.program.sections import windows
from shared.program.sections.triggers import read_limit
from shared.program.values import currencies

GIFTS = ("discount", "free_shipping", "gift")
TERMS = ("minimum_order", "products", "categories", "tiers", "limit", "stock", *windows.KEYS)
DISCOUNT_KEYS = ("percent", "amount", "at_most")
STOCK_MAX = 1_000_000_000
NAMES_MAX = 1_000


def tier_ids(root: Fields) -> tuple[str, ...]:
    """The ids of all tiers from the lowest to the highest, which offers and rewards may ask for."""
    section = next((node for key, node in root.node.entries if key.text == "tiers"), None)
    levels = _value(section, "levels")
    found = [_value(level, "id") for level in getattr(levels, "items", ())]
    return tuple(name.text for name in found if isinstance(name, Scalar))


def _value(node: Node | None, key: str) -> Node | None:
    entries = node.entries if isinstance(node, Mapping) else ()
    return next((value for name, value in entries if name.text == key), None)


def read_gift(fields: Fields, what: str) -> dict[str, Any]:
    """What is given, as the fields of a `Gift`; a fault unless it is exactly one thing."""
    fields.one_of(GIFTS, what)
    percent, amount, at_most = _discount(fields)
    free = fields.flag("free_shipping")
    if free is False:
        fields.fault("free_shipping", "free_shipping: false gives nothing.", "Remove it, or write true.")
    return {
        "percent": percent,
        "amount": amount,
        "at_most": at_most,
        "free_shipping": bool(free),
        "gift": fields.text("gift"),
    }


def _discount(fields: Fields) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    discount = fields.fields("discount", DISCOUNT_KEYS)
    if discount is None:
        return None, None, None
    discount.one_of(("percent", "amount"), "A discount")
    percent = discount.amount("percent", low=None, above=Decimal(0), high=Decimal(100))
    if "at_most" in discount and "amount" in discount:
        discount.fault("at_most", "at_most bounds a percentage; an amount is what it is.", "Remove at_most.")
    return percent, read_money(discount, "amount"), read_money(discount, "at_most")


def read_money(fields: Fields, key: str) -> Decimal | None:
    """An amount that can be paid, more than nothing."""
    amount = fields.amount(key, low=None, above=Decimal(0))
    currency = fields.reading.currency
    if amount is not None and not currencies.fits(amount, currency):
        fields.fault(key, f"{amount} {currency} cannot be paid.", "Use fewer decimals.")
    return amount


def read_terms(fields: Fields) -> Terms:
    """Who may have it, when, and on which orders."""
    products, categories = read_names(fields, "products"), read_names(fields, "categories")
    begins, ends = windows.read_window(fields)
    if "discount" not in fields:
        for key in ("products", "categories"):
            if key in fields and "gift" not in fields:
                fields.fault(key, f"{key} says what a discount, or a gift, is for.", f"Remove {key}.")
    return Terms(
        minimum_order=read_money(fields, "minimum_order"),
        products=products,
        categories=categories,
        tiers=read_tiers(fields),
        limit=read_limit(fields, "limit", None, by_field=False),
        stock=fields.whole("stock", high=STOCK_MAX),
        begins=begins,
        ends=ends,
    )


def read_names(fields: Fields, key: str) -> frozenset[str]:
    """The names of the list under `key`: products by SKU, or categories."""
    found: set[str] = set()
    for node, path in fields.nodes(key, least="Name one, or remove the key."):
        if isinstance(node, Scalar) and not node.empty and len(node.text) <= 200 and node.text.isprintable():
            found.add(node.text)
        else:
            fields.reading.faults.add(node.place, path, "A name of 1 to 200 characters is needed here.")
    if len(found) > NAMES_MAX:
        fields.fault(key, f"{key} may name {NAMES_MAX} at most.", "Use categories.")
    return frozenset(found)


def read_tiers(fields: Fields) -> frozenset[str]:
    """The tiers under `tiers`, each of which the program has."""
    names: set[str] = set()
    known = fields.reading.tiers
    for node, path in fields.nodes("tiers", least="Name one or more, or remove it."):
        if not isinstance(node, Scalar) or node.text not in known:
            name = node.text if isinstance(node, Scalar) else "of that kind"
            hint = suggestion(name, known) or "Define it under tiers."
            fields.reading.faults.add(node.place, path, f"There is no tier {name}.", hint)
        else:
            names.add(node.text)
    return frozenset(names)
