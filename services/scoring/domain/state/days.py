"""The days with orders within the longest window, one by one: what makes sums over windows exact at any moment."""

from bisect import bisect_left

from msgspec import Struct

from services.scoring.domain.money import Units

WINDOW_DAYS = 365
"""The longest window of any fact, today included."""


class Days(Struct, frozen=True, array_like=True):
    """Orders and spend (less refunds) by the day on which the order was placed, ascending; three columns of a table.

    `days` count from 1 January of the year 1, which is 1. `orders_sum` and `spend_sum` add up all of them.
    """

    days: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    spend: tuple[Units, ...] = ()
    orders_sum: int = 0
    spend_sum: Units = 0

    def with_order(self, day: int, net: Units) -> "Days":
        """With an order on the newest day so far; days that no window reaches any more are left out."""
        orders_sum, spend_sum = self.orders_sum + 1, self.spend_sum + net
        if self.days and self.days[-1] == day:
            return Days(
                self.days,
                (*self.orders[:-1], self.orders[-1] + 1),
                (*self.spend[:-1], self.spend[-1] + net),
                orders_sum,
                spend_sum,
            )
        gone = self._before(day - WINDOW_DAYS + 1)
        if gone:
            orders_sum -= sum(self.orders[:gone])
            spend_sum -= sum(self.spend[:gone])
        return Days(
            (*self.days[gone:], day),
            (*self.orders[gone:], 1),
            (*self.spend[gone:], net),
            orders_sum,
            spend_sum,
        )

    def less(self, day: int, spend: Units, orders: int = 0) -> "Days":
        """With so much less on a day; a day without orders goes. A day that was left out already changes nothing."""
        at = self._before(day)
        if at == len(self.days) or self.days[at] != day:
            return self
        kept = self.orders[at] - orders
        rest = slice(at + 1, None)
        one = slice(at, at + 1) if kept else slice(0, 0)
        return Days(
            (*self.days[:at], *self.days[one], *self.days[rest]),
            (*self.orders[:at], *((kept,) if kept else ()), *self.orders[rest]),
            (*self.spend[:at], *((self.spend[at] - spend,) if kept else ()), *self.spend[rest]),
            self.orders_sum - orders,
            self.spend_sum - spend,
        )

    def year(self, today: int) -> tuple[int, Units]:
        """Orders and spend of the last 365 days, `today` included; `today` is not before the newest day."""
        gone = self._before(today - WINDOW_DAYS + 1)
        if not gone:
            return self.orders_sum, self.spend_sum
        return self.orders_sum - sum(self.orders[:gone]), self.spend_sum - sum(self.spend[:gone])

    def newest(self, count: int) -> int | None:
        """The day of the `count`-th newest order; None when there are fewer."""
        for at in range(len(self.days) - 1, -1, -1):
            count -= self.orders[at]
            if count <= 0:
                return self.days[at]
        return None

    def spend_since(self, day: int) -> Units:
        """Spend on `day` and later: read from the newest day back, as the window is short."""
        total = 0
        for at in range(len(self.days) - 1, -1, -1):
            if self.days[at] < day:
                break
            total += self.spend[at]
        return total

    def _before(self, day: int) -> int:
        """How many of the days are before `day`."""
        if not self.days or self.days[0] >= day:
            return 0
        return bisect_left(self.days, day)
