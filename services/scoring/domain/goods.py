"""What was bought and how: different products and categories, coupons, campaigns, channels."""

from msgspec import Struct


class Goods(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Over all orders that stand. `skus` and `categories` hold fingerprints of different ones (see `distinct`).
    `coupons` and `campaigns` count orders with one, `prompted` those with either; `first_prompted` says whether the
    first order was. `channels` counts orders by channel."""

    skus: bytes = b""
    categories: bytes = b""
    coupons: int = 0
    campaigns: int = 0
    prompted: int = 0
    first_prompted: bool = False
    channels: dict[str, int] = {}


NO_GOODS = Goods()
