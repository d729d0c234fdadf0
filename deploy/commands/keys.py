"""`regulars keys create | list | revoke`."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from deploy.commands.installation import installation, run
from deploy.errors import LocalError
from shared.auth.keys import ApiKey, create_key, list_keys, revoke_key
from shared.auth.scopes import ALL_SCOPES, Scope
from shared.clock import system_clock

app = typer.Typer(no_args_is_help=True, help="API keys: make, list, revoke.")

DAYS = re.compile(r"^([1-9]\d{0,4})d$")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it, such as 'checkout'.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope of the key; repeat for several. All if none is given.")
    ] = None,
    expires_in: Annotated[str | None, typer.Option(help="How long it is good for, such as 90d.")] = None,
) -> None:
    """Make a key and print its token, once."""
    scopes = _scopes(scope)
    lifetime = _lifetime(expires_in)

    async def work() -> str:
        now = system_clock()
        async with installation() as (_, engine), engine.begin() as connection:
            made = await create_key(
                connection, name=name, scopes=scopes, now=now, expires_at=now + lifetime if lifetime else None
            )
        return made.token

    try:
        token = run(work())
    except ValueError as error:
        raise LocalError(str(error)) from error
    typer.echo(token)
    typer.echo("Shown this once and kept only as a hash: store it now.", err=True)


@app.command("list")
def list_command() -> None:
    """Show every key without its token."""

    async def work() -> list[ApiKey]:
        async with installation() as (_, engine), engine.connect() as connection:
            return await list_keys(connection)

    now = system_clock()
    table = Table(Column("id", no_wrap=True), "name", "state", "scopes", "made", "last used")
    for key in run(work()):
        rights = "all" if key.scopes == ALL_SCOPES else " ".join(sorted(key.scopes))
        table.add_row(
            key.id, key.name, _state(key, now), rights, _day(key.created_at), _day(key.last_used_at)
        )
    Console().print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id that `regulars keys list` shows.")]) -> None:
    """End a key for good; running services notice within half a minute."""

    async def work() -> bool:
        async with installation() as (_, engine), engine.begin() as connection:
            return await revoke_key(connection, key_id, system_clock())

    if not run(work()):
        raise LocalError(f"There is no key {key_id!r}. `regulars keys list` shows the ids (key_…).")
    typer.echo(f"{key_id} is revoked.")


def _scopes(names: list[str] | None) -> frozenset[Scope]:
    if not names:
        return ALL_SCOPES
    try:
        return frozenset(Scope(name) for name in names)
    except ValueError as error:
        raise LocalError(f"{error}. Scopes are: {', '.join(Scope)}.") from error


def _lifetime(words: str | None) -> timedelta | None:
    if words is None:
        return None
    found = DAYS.match(words)
    if found is None:
        raise LocalError(f"--expires-in is {words!r}; give days, such as 90d.")
    return timedelta(days=int(found[1]))


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return f"until {_day(key.expires_at)}" if key.expires_at else "valid"


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else "never"
