"""`regulars ledger import`: opening balances from a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from deploy.commands.installation import installation
from deploy.errors import LocalError
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.points.openings import PostgresOpenings
from services.rewards.adapters.programs import NoProgramError
from services.rewards.application.points.opening import OpenBalances, Opening
from services.rewards.wiring.parts import names_of, programs_of
from shared.bus.wiring import make_outbox
from shared.clock import system_clock
from shared.vault.secret import check_secret

BATCH = 500
"""Lines in one transaction."""
POINTS_MAX = 1_000_000_000
DIGITS_MAX = 20
"""Of a number; the rest would only make it larger."""
YEAR_MAX = 2199
"""Exports write a day far away for "never", such as 9999-12-31, after which there is none."""
NEEDED = ("customer", "points")
KNOWN = (*NEEDED, "expires_on", "reference")
NO_PROGRAM = "There is no program yet: `regulars up` stores it when it starts."
EXAMPLE = "customer,points,expires_on,reference"


@dataclass(slots=True)
class Tally:
    """What came of a file."""

    taken: int = 0
    points: int = 0
    before: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


async def import_openings(file: Path, *, dry_run: bool) -> Tally:
    """Open the balances that a file names. Ended at any moment, it is run again: what was taken counts once.

    Raises:
        LocalError: The file cannot be read, or the installation has no program yet.
    """
    tally = Tally()
    openings = read_openings(file, tally)
    async with installation() as (settings, engine):
        store = PostgresOpenings(names_of(settings))
        programs = programs_of(settings)
        work = OpenBalances(PostgresMembers(make_outbox(settings, "rewards")), store, programs)
        try:
            for start in range(0, len(openings), BATCH):
                async with engine.begin() as connection:
                    await check_secret(connection, settings.secret)
                    batch = openings[start : start + BATCH]
                    opened = await work(connection, batch, system_clock(), dry_run=dry_run)
                tally.taken += opened.taken
                tally.points += opened.points
                tally.before += opened.before
                tally.refused += opened.refused
        except NoProgramError:
            raise LocalError(NO_PROGRAM) from None
    tally.refused.sort()
    return tally


def read_openings(file: Path, tally: Tally) -> list[Opening]:
    """The lines of the file; those that are wrong are noted as refused."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(_rows(csv.DictReader(text), tally))
    except OSError as error:
        raise LocalError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LocalError(f"{file} cannot be read: {error}") from error


def _rows(reader: "csv.DictReader[str]", tally: Tally) -> Iterator[Opening]:
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise LocalError(f"There are two columns {twice!r}: which one counts?")
    wrong = [name for name in columns if name not in KNOWN]
    if wrong or any(name not in columns for name in NEEDED):
        named = f"There is no column {wrong[0]!r}" if wrong else "The columns customer and points are needed"
        raise LocalError(
            f"{named}; the first line should be such as {EXAMPLE} (the last two may be left out)."
        )
    seen: dict[tuple[str, str], int] = {}
    for row in reader:
        line = reader.line_num
        try:
            opening = _opening(line, row)
        except ValueError as error:
            tally.refused.append((line, str(error)))
            continue
        first = seen.setdefault((opening.customer, opening.reference), line)
        if first != line:
            tally.refused.append(
                (line, f"names customer and reference of line {first} again: give it a reference")
            )
            continue
        yield opening


def _opening(line: int, row: dict[str, str]) -> Opening:
    if None in row or None in row.values():
        raise ValueError("has not as many values as there are columns")
    value = {name: text.strip() for name, text in row.items()}
    customer, points = value["customer"], value["points"]
    if not 1 <= len(customer) <= 200:
        raise ValueError("customer must be an id of 1 to 200 characters")
    if not (points.isascii() and points.isdigit() and 1 <= int(points[:DIGITS_MAX]) <= POINTS_MAX):
        raise ValueError(f"points must be a whole number from 1 to {POINTS_MAX}, not {points[:DIGITS_MAX]!r}")
    day = value.get("expires_on", "")
    try:
        expires_on = date.fromisoformat(day) if day else None
    except ValueError:
        raise ValueError(f"expires_on must be a day such as 2027-12-31, not {day!r}") from None
    if expires_on is not None and expires_on.year > YEAR_MAX:
        raise ValueError(f"expires_on must be a day before the year {YEAR_MAX + 1}, not {day!r}")
    reference = value.get("reference", "") or day
    if len(reference) > 200 or "\x00" in customer + reference:
        raise ValueError("reference may have 200 characters, none of them NUL")
    return Opening(line, customer, int(points), expires_on, reference)
