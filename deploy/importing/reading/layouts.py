"""Which column of a file holds what: the exports of common shops, and names that any shop may choose.

To add an export: write its layout here, with a few columns that only it has.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct
from rapidfuzz import fuzz, process

from deploy.errors import LocalError

FIELDS = {
    "order_id": "the order's id",
    "time": "when it was placed",
    "total": "what was paid for all of it",
    "currency": "three letters of ISO 4217",
    "status": "paid, pending, cancelled, refunded …",
    "cancelled_at": "filled when it was cancelled",
    "refunded": "what was given back of it",
    "customer_id": "the shop's id of the customer",
    "email": "the customer's e-mail address",
    "phone": "the customer's telephone number",
    "name": "the customer's whole name",
    "first_name": "the customer's first name",
    "last_name": "the customer's last name",
    "channel": "web, app, pos …",
    "store": "which store",
    "coupon": "the discount code used",
    "campaign": "the campaign that led to it",
    "line_sku": "the article of this line",
    "line_name": "its name",
    "line_category": "its category",
    "line_quantity": "how many pieces",
    "line_price": "what one piece costs",
    "line_total": "what the line costs; the order's total is their sum where no column holds it",
}
"""What a column may hold, by our name for it."""


GROUP = "group"
"""What rows of one order have in common, where that is not the order's id; only layouts say so."""


class Layout(Struct, frozen=True):
    """An export: the columns that give it away, and for each of our fields the columns that may hold it, the best
    first. Names are as `plain` makes them."""

    name: str
    signature: frozenset[str]
    columns: Mapping[str, tuple[str, ...]]


SHOPIFY = Layout(
    "Shopify orders",
    frozenset({"name", "financial_status", "lineitem_name", "created_at"}),
    {
        GROUP: ("name",),  # the id stands on an order's first row only
        "order_id": ("id", "name"),
        "time": ("created_at", "paid_at"),
        "total": ("total",),
        "currency": ("currency",),
        "status": ("financial_status",),
        "cancelled_at": ("cancelled_at",),
        "refunded": ("refunded_amount",),
        "email": ("email",),
        "phone": ("phone", "billing_phone"),
        "name": ("billing_name", "shipping_name"),
        "channel": ("source",),
        "store": ("location",),
        "coupon": ("discount_code",),
        "line_sku": ("lineitem_sku",),
        "line_name": ("lineitem_name",),
        "line_quantity": ("lineitem_quantity",),
        "line_price": ("lineitem_price",),
    },
)

WOOCOMMERCE = Layout(
    "WooCommerce orders",
    frozenset({"order_id", "billing_email", "order_total"}),
    {
        "order_id": ("order_id", "order_number"),
        "time": ("order_date", "date", "date_created", "date_created_gmt"),
        "total": ("order_total",),
        "currency": ("order_currency", "currency"),
        "status": ("status", "order_status"),
        "refunded": ("refunded_total", "order_refund_amount", "total_refunded"),
        "customer_id": ("customer_id", "customer_user", "user_id"),
        "email": ("billing_email", "customer_email"),
        "phone": ("billing_phone",),
        "first_name": ("billing_first_name",),
        "last_name": ("billing_last_name",),
        "coupon": ("coupon_code", "coupon_codes", "coupons"),
        "line_sku": ("item_sku", "sku"),
        "line_name": ("item_name", "product_name"),
        "line_quantity": ("item_quantity", "quantity"),
        "line_price": ("item_price", "item_cost"),
    },
)

WOOCOMMERCE_PLUGIN = Layout(
    "WooCommerce orders (order export plugin)",
    frozenset({"order_number", "order_status", "email_billing", "order_total_amount"}),
    {
        "order_id": ("order_id", "order_number"),
        "time": ("order_date", "paid_date"),
        "total": ("order_total_amount",),
        "currency": ("order_currency", "currency"),
        "status": ("order_status",),
        "refunded": ("order_refund_amount",),
        "customer_id": ("customer_user_id", "customer_id"),
        "email": ("email_billing",),
        "phone": ("phone_billing",),
        "first_name": ("first_name_billing",),
        "last_name": ("last_name_billing",),
        "coupon": ("coupon_code",),
        "line_sku": ("sku",),
        "line_name": ("item_name", "product_name"),
        "line_category": ("category",),
        "line_quantity": ("quantity",),
        "line_price": ("item_cost",),
    },
)

MAGENTO = Layout(
    "Magento orders",
    frozenset({"id", "purchase_date", "grand_total_base", "status"}),
    {
        "order_id": ("id",),
        "time": ("purchase_date",),
        "total": ("grand_total_purchased", "grand_total_base"),
        "currency": ("order_currency", "currency"),
        "status": ("status",),
        "refunded": ("total_refunded",),
        "email": ("customer_email",),
        "name": ("customer_name", "bill_to_name"),
        "store": ("purchase_point",),
    },
)

BIGCOMMERCE = Layout(
    "BigCommerce orders",
    frozenset({"order_id", "order_date", "order_status", "customer_email"}),
    {
        "order_id": ("order_id",),
        "time": ("order_date",),
        "total": ("order_total_inc_tax", "order_total", "order_total_ex_tax"),
        "currency": ("order_currency_code", "transactional_currency_code", "store_currency_code"),
        "status": ("order_status",),
        "refunded": ("refund_amount", "refunded_amount"),
        "customer_id": ("customer_id",),
        "email": ("customer_email",),
        "phone": ("customer_phone",),
        "name": ("customer_name",),
        "channel": ("order_source", "channel_name"),
        "coupon": ("coupon_details", "coupon_code"),
    },
)

GENERIC = Layout(
    "orders",
    frozenset(),
    {
        "order_id": (
            "order_id", "order_number", "order_no", "order", "orderid", "transaction_id", "invoice",
            "invoice_id", "invoice_no", "receipt_id", "basket_id",
        ),
        "time": (
            "time", "order_time", "ordered_at", "order_date", "created_at", "placed_at", "purchased_at",
            "completed_at", "paid_at", "purchase_date", "timestamp", "datetime", "date_time", "date",
            "transaction_date", "invoice_date",
        ),
        "total": (
            "total", "order_total", "total_paid", "grand_total", "total_amount", "order_amount", "amount_paid",
            "amount", "revenue",
        ),
        "currency": ("currency", "currency_code", "order_currency"),
        "status": ("status", "order_status", "financial_status", "payment_status", "state"),
        "cancelled_at": ("cancelled_at", "canceled_at"),
        "refunded": ("refunded", "refunded_amount", "refund_amount", "total_refunded", "amount_refunded"),
        "customer_id": (
            "customer_id", "customer_no", "customer_number", "customerid", "customer", "user_id", "client_id",
            "member_id", "household_id",
        ),
        "email": ("email", "e_mail", "customer_email", "email_address", "billing_email", "contact_email"),
        "phone": ("phone", "customer_phone", "telephone", "mobile", "phone_number", "billing_phone"),
        "name": ("name", "customer_name", "full_name", "billing_name"),
        "first_name": ("first_name", "firstname", "customer_first_name", "billing_first_name"),
        "last_name": ("last_name", "lastname", "surname", "customer_last_name", "billing_last_name"),
        "channel": ("channel", "sales_channel", "source"),
        "store": ("store", "store_id", "store_name", "shop", "location"),
        "coupon": ("coupon", "coupon_code", "discount_code", "voucher", "promo_code"),
        "campaign": ("campaign", "utm_campaign", "campaign_id"),
        "line_sku": ("sku", "line_sku", "item_sku", "product_id", "product_sku", "stock_code", "article"),
        "line_name": ("product", "product_name", "item_name", "line_name", "item", "description"),
        "line_category": ("category", "product_category", "department"),
        "line_quantity": ("quantity", "qty", "line_quantity", "item_quantity"),
        "line_price": ("unit_price", "price", "item_price", "line_price"),
        "line_total": ("line_total", "item_total", "line_amount", "sales_value"),
    },
)  # fmt: skip

LAYOUTS = (SHOPIFY, WOOCOMMERCE_PLUGIN, WOOCOMMERCE, MAGENTO, BIGCOMMERCE)


class Columns(Struct, frozen=True):
    """Where each field stands in the rows of one file: `at` by its index, `names` as the header writes it."""

    layout: str
    at: Mapping[str, int]
    names: Mapping[str, str]


def plain(name: str) -> str:
    """A column's name in small letters, words joined by `_`: `Grand Total (Base)` is `grand_total_base`."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower().replace("#", "number")).strip("_")


def recognise(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """The columns of a file with this header; `chosen` (column as written to field) goes before what is recognised.

    Raises:
        LocalError: A chosen column or field does not exist, or no column holds what every order needs.
    """
    known: dict[str, int] = {}
    for index, name in enumerate(header):
        known.setdefault(plain(name), index)
    layout = next((each for each in LAYOUTS if each.signature <= known.keys()), GENERIC)
    at = {}
    for field, candidates in layout.columns.items():
        found = next((known[name] for name in candidates if name in known), None)
        if found is not None:
            at[field] = found
    for column, field in chosen.items():
        at[_field(field)] = _column(column, header, known)
    _require(at, header)
    return Columns(layout.name, at, {field: header[index] for field, index in at.items()})


def _field(name: str) -> str:
    if name in FIELDS:
        return name
    nearest = process.extractOne(name, FIELDS.keys(), scorer=fuzz.ratio, score_cutoff=50)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    raise LocalError(f"--map: there is no field {name!r}.{hint} Fields are: {', '.join(FIELDS)}.")


def _column(name: str, header: Sequence[str], known: Mapping[str, int]) -> int:
    if name in header:
        return list(header).index(name)
    if plain(name) in known:
        return known[plain(name)]
    raise LocalError(f"--map: the file has no column {name!r}. Its columns are: {', '.join(header)}.")


def _require(at: Mapping[str, int], header: Sequence[str]) -> None:
    missing = [field for field in ("order_id", "time") if field not in at]
    if "total" not in at and "line_total" not in at:
        missing.append("total")
    if not at.keys() & {"customer_id", "email", "phone"}:
        missing.append("customer_id")
    if missing:
        raise LocalError(
            f"No column holds {', '.join(f'{field} ({FIELDS[field]})' for field in missing)}. Say which one does with "
            f"--map COLUMN={missing[0]}. The columns are: {', '.join(header)}."
        )
