"""What was bought and how: different products and categories, coupons, campaigns, channels."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from services.scoring.domain.state.distinct import with_names

CHANNELS_MAX = 16
"""So many channels are counted by name."""


class Goods(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Over all orders that stand. `skus` and `categories` are sketches of different ones (see `distinct`). `coupons`
    and `campaigns` count orders with one, `prompted` those with either; `first_prompted` says whether the first order
    was. `channels` counts orders by channel."""

    skus: bytes = b""
    categories: bytes = b""
    coupons: int = 0
    campaigns: int = 0
    prompted: int = 0
    first_prompted: bool = False
    channels: dict[str, int] = {}


NO_GOODS = Goods()


def with_order(goods: Goods, data: Mapping[str, Any], *, first: bool) -> Goods:
    """With one more order that stands, the newest; `data` is what its event told, `first` when there was none yet."""
    skus, categories, channels = goods.skus, goods.categories, goods.channels
    lines = data.get("lines")
    coupon, campaign, channel = data.get("coupon"), data.get("campaign"), data.get("channel")
    prompted = bool(coupon or campaign)
    if not (lines or channel or prompted):
        return goods
    if lines:
        skus = with_names(skus, {line["sku"] for line in lines})
        categories = with_names(categories, {line["category"] for line in lines if line.get("category")})
    if channel and (channel in channels or len(channels) < CHANNELS_MAX):
        channels = {**channels, channel: channels.get(channel, 0) + 1}
    return Goods(
        skus=skus,
        categories=categories,
        coupons=goods.coupons + bool(coupon),
        campaigns=goods.campaigns + bool(campaign),
        prompted=goods.prompted + prompted,
        first_prompted=prompted if first else goods.first_prompted,
        channels=channels,
    )


def of_orders(orders: Iterable[Mapping[str, Any]]) -> Goods:
    """The goods of these orders, oldest first, counted anew."""
    goods = NO_GOODS
    for number, data in enumerate(orders):
        goods = with_order(goods, data, first=not number)
    return goods


def unprompted_reorders(goods: Goods, orders: int) -> int:
    """Orders after the first that neither coupon nor campaign prompted."""
    unprompted = orders - goods.prompted
    return unprompted if goods.first_prompted else max(0, unprompted - 1)
