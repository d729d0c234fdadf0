"""A CSV of orders: rows, one or several to an order, become events."""

import csv
import io
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from deploy.errors import LocalError
from deploy.importing.reading.choices import Choices
from deploy.importing.reading.faults import CellError, Refusal
from deploy.importing.reading.layouts import GROUP, Columns, recognise
from deploy.importing.reading.mapping import OrderMapping
from deploy.importing.reading.pieces import Piece
from deploy.importing.reading.text import TextFile

FAULT_COLUMN = "regulars_fault"
"""The last column of a file of rejects. It is passed over when such a file is imported."""

DELIMITERS = (",", ";", "\t", "|")
FIELD_CHARACTERS_MAX = 128 * 1024
ROWS_MAX = 1000
"""Of one order."""

REMEMBERED_MAX = 50_000
"""Orders whose ids are remembered, to notice one whose rows do not stand together."""

Rows = list[list[str]]


class OrdersFile:
    """A CSV file whose first row names the columns.

    Raises:
        LocalError: It has no header that can be understood.
    """

    def __init__(self, file: TextFile, choices: Choices) -> None:
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        lines = file.lines()
        first = next(lines, "")
        self._delimiter = choices.delimiter or _delimiter_of(first)
        self._header = next(csv.reader([first], delimiter=self._delimiter), [])
        if not any(self._header):
            raise LocalError("The file is empty, or its first line does not name the columns.")
        self._reader = csv.reader(lines, delimiter=self._delimiter)
        self._columns: Columns = recognise(self._header, choices.columns)
        self._mapping = OrderMapping(self._columns, choices)
        at = self._columns.at
        self._group = at.get(GROUP, at["order_id"])
        self._seen: OrderedDict[str, int] = (
            OrderedDict()
        )  # a dict looks for its first key past all removed ones

    def describe(self) -> str:
        """What the file was recognised as, with its columns."""
        names = self._columns.names
        known = ", ".join(f"{field} from {names[field]!r}" for field in names if field != GROUP)
        return f"{self._columns.layout}: {known}"

    def pieces(self) -> Iterator[Piece]:
        """The orders."""
        rows: Rows = []
        began = 0
        group = None
        for line, row, fault in self._rows():
            if fault is not None:
                yield from self._order(began, rows, group)
                rows, group = [], None
                yield Piece(line, [row], refusal=fault)
                continue
            name = row[self._group]
            if name != group or not name or len(rows) == ROWS_MAX:
                yield from self._order(began, rows, group)
                rows, began, group = [], line, name
            rows.append(row)
        yield from self._order(began, rows, group)

    def _rows(self) -> Iterator[tuple[int, list[str], Refusal | None]]:
        """The line on which each row begins, the row, and what is wrong with it as a row."""
        width = len(self._header)
        reader = self._reader
        while True:
            line = reader.line_num + 2
            try:
                row = next(reader, None)
            except csv.Error as error:
                remedy = "Look for a quotation mark that is not closed"
                yield line, [], Refusal(line, "", f"no row can be read ({error})", remedy)
                continue
            if row is None:
                return
            if len(row) == width:
                yield line, row, None
            elif any(row):
                reason = f"{len(row)} values where the header names {width} columns"
                remedy = "Look for a value with the delimiter in it that is not in quotation marks"
                yield line, row, Refusal(line, "", reason, remedy)

    def _order(self, line: int, rows: Rows, group: str | None) -> Iterator[Piece]:
        if not rows:
            return
        try:
            self._remember(group or "", line)
            customer, events, notes = self._mapping.events(rows)
        except CellError as error:
            column = self._columns.names.get(error.field, "")
            yield Piece(line, rows, refusal=Refusal(line, column, error.reason, error.remedy))
            return
        if isinstance(events, str):
            yield Piece(line, rows, skipped=events)
        else:
            yield Piece(line, rows, lane=customer, events=events, notes=notes)

    def _remember(self, group: str, line: int) -> None:
        if not group:
            return
        before = self._seen.setdefault(group, line)
        if before != line:
            remedy = "Put the rows of one order next to each other, or give one of the two another id"
            raise CellError("order_id", f"order {group!r} came before, on line {before}", remedy)
        if len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)

    def column_of(self, pointer: str) -> str:
        """The column behind a place in an event."""
        return self._columns.names.get(_FIELD_OF.get(_last(pointer), ""), "")

    def head_of_rejects(self) -> str:
        """The header, with one column more."""
        header = self._header if self._header[-1] == FAULT_COLUMN else [*self._header, FAULT_COLUMN]
        return self._line(header)

    def reject(self, piece: Piece, why: Refusal) -> str:
        """The rows as they were, the fault in the last column of the first."""
        width = len(self._header) - (self._header[-1] == FAULT_COLUMN)
        fault = str(why)
        lines = []
        for row in piece.raw:
            cells = row[:width] if len(row) == len(self._header) else row
            cells = [*cells, *[""] * (width - len(cells))]
            lines.append(self._line([*cells, fault]))
            fault = ""
        return "".join(lines)

    def _line(self, cells: Sequence[str]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        return out.getvalue()


_FIELD_OF = {
    "order_id": "order_id",
    "time": "time",
    "total": "total",
    "currency": "currency",
    "id": "customer_id",
    "email": "email",
    "phone": "phone",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "channel": "channel",
    "store": "store",
    "coupon": "coupon",
    "campaign": "campaign",
    "sku": "line_sku",
    "category": "line_category",
    "quantity": "line_quantity",
    "unit_price": "line_price",
}
"""Our field behind the last step of a pointer into an event."""


def _last(pointer: str) -> str:
    if pointer == "/id":
        return "order_id"
    if "/lines/" in pointer and pointer.endswith("/name"):
        return "sku"
    return pointer.rpartition("/")[2]


def _delimiter_of(header: str) -> str:
    bare = "".join(header.split('"')[::2])  # what stands in quotation marks does not count
    return max(DELIMITERS, key=bare.count)
