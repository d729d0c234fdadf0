"""`regulars check`: is a program file fit to go live?"""

from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import LocalError
from shared.program.parse import ProgramError, load_program


def check(
    file: Annotated[Path, typer.Argument(help="The program file, such as program.yaml.")],
) -> None:
    """Check a program file; every fault is shown with its line and column."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{file} cannot be read: {error}") from error
    try:
        program = load_program(text)
    except ProgramError as error:
        for fault in error.errors:
            typer.echo(f"{file}:{fault}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{file}: {program.name!r} is fit to go live.")
