"""What a benchmark found, as a table."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """A number with its unit, perhaps as a ratio of something measured in the same run, perhaps with a goal.

    `goal` is compared with `ratio` where there is one, else with `value`; `at_most` turns that round.
    """

    what: str
    value: float
    unit: str
    ratio: float | None = None
    of: str = ""
    goal: float | None = None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Whether the goal is met, as a word; nothing is asserted, because machines differ."""
        if self.goal is None:
            return ""
        found = self.value if self.ratio is None else self.ratio
        met = found <= self.goal if self.at_most else found >= self.goal
        return f"{'≤' if self.at_most else '≥'} {self.goal:g} {'met' if met else 'MISSED'}"


def show(figures: list[Figure], title: str) -> None:
    """Print the table."""
    table = Table(title=title)
    for column, justify in (
        ("measured", "left"),
        ("value", "right"),
        ("unit", "left"),
        ("ratio", "right"),
        ("goal", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} of {figure.of}"
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.1f}"
        table.add_row(figure.what, value, figure.unit, ratio, figure.verdict)
    Console(width=150).print(table)
