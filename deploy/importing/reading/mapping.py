"""What the rows of one order say, as events."""

from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from operator import itemgetter
from typing import Any

import msgspec

from deploy.importing.reading import values
from deploy.importing.reading.choices import Choices
from deploy.importing.reading.faults import CellError
from deploy.importing.reading.layouts import GROUP, Columns
from shared.contracts.customer import PhoneNumber

PHONE_LEFT_OUT = "telephone numbers that are none were left out"
LINE_LEFT_OUT = "lines without a whole number of pieces or a price were left out of their orders"
REFUND_LEFT_OUT = "refunded amounts that could not be read were left out"

UNPAID = "not paid"
CANCELLED = "cancelled"
NOBODY = "no customer named"

GUESTS = frozenset({"", "0"})
"""What shops write in place of a customer's id when a guest buys."""

_LINE_FIELDS = ("line_sku", "line_name", "line_category", "line_quantity", "line_price", "line_total")
_WHOLE_FIELDS = ("channel", "store", "coupon", "campaign")
_PERSON_FIELDS = ("name", "first_name", "last_name")
_AMOUNT_EXPONENT = -4

Events = tuple[dict[str, Any], ...]


def _next(time: str) -> str:
    """A second later: exports do not tell when money went back, only that it did."""
    later = datetime.fromisoformat(time) + timedelta(seconds=1)
    return later.isoformat().replace("+00:00", "Z")


def _is_phone(text: str) -> bool:
    try:
        msgspec.convert(text, PhoneNumber)
    except msgspec.ValidationError:
        return False
    return True


class OrderMapping:
    """Turns rows into events by the columns of one file."""

    def __init__(self, columns: Columns, choices: Choices) -> None:
        self._at = columns.at
        self._choices = choices
        self._notes: list[str] = []
        self._whole = [(name, self._at[name]) for name in _WHOLE_FIELDS if name in self._at]
        self._person = [(name, self._at[name]) for name in _PERSON_FIELDS if name in self._at]
        self._has_lines = "line_sku" in self._at or "line_name" in self._at
        self._line = {name: self._at[name] for name in _LINE_FIELDS if name in self._at}

    def events(self, rows: list[list[str]]) -> tuple[str, Events | str, tuple[str, ...]]:
        """The customer (in a word that keeps theirs apart from others); the order's events, or in their place the
        reason why there are none; what was left out of them. Raises `CellError`."""
        self._notes = []
        status = self._status(rows)
        if status in ("unpaid", "cancelled"):
            return "", UNPAID if status == "unpaid" else CANCELLED, ()
        customer = self._customer(rows)
        if not customer:
            return "", NOBODY, ()
        order_id = self._first(rows, "order_id") or self._first(rows, GROUP)
        if not order_id:
            raise CellError("order_id", "the order has no id", "Fill it in")
        order_id = order_id.removeprefix("#")
        time = values.moment("time", self._first(rows, "time"), self._choices.zone, self._choices.time_format)
        lines = self._lines(rows) if self._has_lines else []
        total = self._total(rows)
        data: dict[str, Any] = {
            "customer": customer,
            "order_id": order_id,
            "currency": self._currency(rows),
            "total": total,
        }
        for name, index in self._whole:
            value = rows[0][index].strip()
            if value:
                data[name] = value
        if lines:
            data["lines"] = lines
        events = [self._event(f"order-{order_id}", "order.completed", time, data)]
        if (given_back := self._refunded(rows, status, total)) is not None:
            refund = {
                "customer": customer,
                "order_id": order_id,
                "refund_id": f"{order_id}-refunded",
                "total": given_back,
                "currency": data["currency"],
            }
            events.append(self._event(f"order-{order_id}-refunded", "order.refunded", _next(time), refund))
        return str(next(iter(customer.values()))), tuple(events), tuple(self._notes)

    def _event(self, id_: str, type_: str, time: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"id": id_, "source": self._choices.source, "type": type_, "time": time, "data": data}

    def _first(self, rows: list[list[str]], field: str) -> str:
        """The first value in a column that is not blank: exports fill an order's own columns on its first row only."""
        index = self._at.get(field)
        if index is None:
            return ""
        for row in rows:
            if value := row[index].strip():
                return value
        return ""

    def _status(self, rows: list[list[str]]) -> values.Status:
        if self._first(rows, "cancelled_at"):
            return "cancelled"
        word = self._first(rows, "status")
        if not word:
            return "paid"
        status = self._choices.status(word)
        if status is None:
            remedy = f"Say what it means with --paid {word!r} or --unpaid {word!r}"
            raise CellError("status", f"the status {word!r} is not known", remedy)
        return status

    def _customer(self, rows: list[list[str]]) -> dict[str, str]:
        customer = {}
        customer_id = self._first(rows, "customer_id")
        if customer_id not in GUESTS:
            customer["id"] = customer_id
        if email := self._first(rows, "email"):
            customer["email"] = email
        if phone := self._first(rows, "phone").lstrip("'"):
            if _is_phone(phone):
                customer["phone"] = phone
            else:
                self._notes.append(PHONE_LEFT_OUT)
        if customer:
            for name, index in self._person:
                if value := rows[0][index].strip():
                    customer[name] = value
        return customer

    def _currency(self, rows: list[list[str]]) -> str:
        currency = self._first(rows, "currency").upper() or self._choices.currency
        if not currency:
            raise CellError(
                "currency", "the order has no currency", "Give the shop's own with --currency USD"
            )
        return currency

    def _total(self, rows: list[list[str]]) -> str:
        if "total" not in self._at:
            return self._sum_of_lines(rows)
        index = self._at["total"]
        found = {value for value in map(itemgetter(index), rows) if value.strip()} if len(rows) > 1 else None
        if found is not None and len(found) > 1:
            remedy = "If each row holds the amount of its line alone, give --map COLUMN=line_total"
            raise CellError("total", "the rows of the order disagree about its total", remedy)
        return values.money("total", self._first(rows, "total"), decimal_comma=self._choices.decimal_comma)

    def _sum_of_lines(self, rows: list[list[str]]) -> str:
        index = self._at["line_total"]
        amounts = [
            Decimal(values.money("line_total", row[index], decimal_comma=self._choices.decimal_comma))
            for row in rows
        ]
        return format(sum(amounts, Decimal(0)), "f")

    def _refunded(self, rows: list[list[str]], status: values.Status, total: str) -> str | None:
        text = self._first(rows, "refunded").removeprefix("-")
        if text:
            try:
                amount = values.money("refunded", text, decimal_comma=self._choices.decimal_comma)
            except CellError:
                self._notes.append(REFUND_LEFT_OUT)
            else:
                if Decimal(amount):
                    return amount
        return total if status == "refunded" and Decimal(total) else None

    def _lines(self, rows: list[list[str]]) -> list[dict[str, Any]]:
        lines = []
        for row in rows:
            cells = {name: row[index].strip() for name, index in self._line.items()}
            sku = cells.get("line_sku") or cells.get("line_name")
            if not sku:
                continue
            quantity = values.pieces(cells.get("line_quantity", "1"))
            price = self._price(cells, quantity)
            if quantity is None or price is None:
                self._notes.append(LINE_LEFT_OUT)
                continue
            line: dict[str, Any] = {"sku": sku[:200], "quantity": quantity, "unit_price": price}
            if name := cells.get("line_name"):
                line["name"] = name[:200]
            if category := cells.get("line_category"):
                line["category"] = category[:200]
            lines.append(line)
        return lines

    def _price(self, cells: dict[str, str], quantity: int | None) -> str | None:
        """What one piece costs; None if that is not told, or not in four decimals."""
        comma = self._choices.decimal_comma
        try:
            if cells.get("line_price"):
                return values.money("line_price", cells["line_price"], decimal_comma=comma)
            if cells.get("line_total") and quantity:
                whole = Decimal(values.money("line_total", cells["line_total"], decimal_comma=comma))
                each = (whole / quantity).normalize()
                exponent = each.as_tuple().exponent
                if isinstance(exponent, int) and exponent >= _AMOUNT_EXPONENT and each * quantity == whole:
                    return format(each, "f")
        except (CellError, DecimalException):
            return None
        return None
