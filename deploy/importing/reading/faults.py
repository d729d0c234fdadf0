"""What can be wrong with a line of the file."""

from msgspec import Struct


class Refusal(Struct, frozen=True):
    """Why something of the file was not taken: where, what is wrong, and what a person can do about it.

    `line` is the first line of what was refused, counted from 1; `column` may be empty when it is about all of it.
    """

    line: int
    column: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.reason}. {self.remedy}."


class CellError(ValueError):
    """A value cannot be used. `field` is ours (`total`), or empty when it is about the whole line."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.remedy = remedy
